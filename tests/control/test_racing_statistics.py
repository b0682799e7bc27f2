"""What contract B shows of a race: numbers whatever is missing, and what a person set until it is released."""

import pytest
from django.db import connection
from django.utils import timezone

from releve.control.accounts.models import AuditEvent
from releve.control.accounts.origin import COMMAND_LINE
from releve.control.contracts.racing import queries, services
from releve.control.fleet.models import Device, Mount
from releve.control.fleet.services import register_device
from releve.control.runs.edit.services import attach, open_run, undo
from releve.control.runs.models import Change, Run


@pytest.fixture
def vehicle(team):
    return services.add_vehicle(team=team, name="Car", by=None, origin=COMMAND_LINE)


@pytest.fixture
def race(vehicle):
    return services.add_race(vehicle, name="Race", by=None, origin=COMMAND_LINE)


@pytest.fixture
def sample(race):
    """Store a reading of the race as the data plane does."""

    def store(**channels):
        device = Device.objects.get(mounts__asset=race.asset)
        run = Run.objects.get(pk=race.pk)
        if run.device is None:
            attach(run, device=device, part=f"race={race.pk}")
        with connection.cursor() as cursor:
            now = timezone.now()
            cursor.execute("SELECT releve_ensure_partition(%s)", [now])
            cursor.execute(
                "INSERT INTO reading (device_id, time, id, received, channels) "
                "VALUES (%s, %s, 1, %s, jsonb_build_object('race', %s::int) || %s::jsonb)",
                [device.pk, now, now, race.pk, str(channels).replace("'", '"')],
            )
        return Run.objects.get(pk=race.pk)

    return store


def test_a_vehicle_has_one_device_of_its_own_of_the_racing_contract(vehicle):
    services.own_device(vehicle, by=None, origin=COMMAND_LINE)

    (mount,) = Mount.objects.filter(asset=vehicle)
    assert (mount.device.contract, mount.device.name) == ("racing", f"vehicle:{vehicle.pk}")


def test_a_race_of_a_car_without_a_vehicle_gets_one_when_it_is_shown(bob, signed_in, team):
    car = register_device(team=team, name="esp32bis", contract="racing")[0]
    race = open_run(team=team, device=car, asset=None, kind="race", name="Old", started_at=timezone.now())

    (shown,) = signed_in(bob).get("/races").json()["data"]

    assert shown == {"id": race.pk, "vehicle_id": Mount.objects.get(device=car).asset_id, "name": "Old"}


def test_a_vehicle_whose_devices_name_is_taken_gets_another(team, vehicle):
    Mount.objects.filter(asset=vehicle).delete()

    again = services.own_device(vehicle, by=None, origin=COMMAND_LINE)

    assert again.name.startswith(f"vehicle:{vehicle.pk}:")


def test_what_a_car_did_not_measure_is_0_and_never_null(sample):
    race = sample(temperature=20)

    shown = {**queries.race_statistics(race), **next(queries.totals([race])), **next(queries.five_seconds([race]))}

    texts = {"date", "start_time", "end_time"}
    assert all(type(value) in {int, float} for name, value in shown.items() if name not in texts)
    assert all(type(shown[name]) is str for name in texts)


def test_a_race_that_nobody_drove_has_no_statistics(race):
    assert queries.race_statistics(race) is None
    assert list(queries.totals([race])) == []
    assert list(queries.five_seconds([race])) == []


def test_a_correction_shows_where_nothing_was_driven_and_goes_when_it_is_released(race):
    services.correct(race, {"distance": 12.0}, by=None, origin=COMMAND_LINE)
    corrected = queries.race_statistics(race)
    services.release(race, by=None, origin=COMMAND_LINE)

    assert (corrected["distance"], corrected["speed_max"]) == (12.0, 0.0)
    assert queries.race_statistics(race) is None


def test_a_race_that_was_deleted_with_its_vehicle_can_be_brought_back(vehicle, sample):
    race = sample(speed=1)

    services.delete_vehicle(vehicle, by=None, origin=COMMAND_LINE)
    deleted = Change.objects.filter(runs=race, kind="delete").get()
    undo(deleted)

    assert next(queries.totals([Run.objects.get(pk=race.pk, deleted_at=None)]))["total_entries"] == 1


def test_a_vehicle_that_is_renamed_and_deleted_is_in_the_audit_of_its_team(vehicle, erin, signed_in):
    api = signed_in(erin)

    api.request("PUT", f"/vehicle/{vehicle.pk}", {"name": "Blue"})
    api.delete(f"/vehicle/{vehicle.pk}")

    events = AuditEvent.objects.filter(team=vehicle.team, kind__startswith="asset-").order_by("id")
    by = {"by": erin.email, "asset": str(vehicle.pk), "name": "Blue"}
    assert [(event.kind, event.detail) for event in events] == [
        ("asset-changed", {**by, "before": "Car"}),
        ("asset-deleted", by),
    ]
