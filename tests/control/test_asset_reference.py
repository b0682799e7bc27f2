"""The run that a vehicle's others are compared with: chosen over the API, on the page and in the shell."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from tests.control.conftest import PASSWORD

from releve.cli.option import Refusal
from releve.cli.work import asset as in_the_shell
from releve.control.accounts.models import AuditEvent, AuditKind
from releve.control.fleet.models import Asset
from releve.control.runs.models import Kind, Run


@pytest.fixture
def car(team):
    return Asset.objects.create(team=team, kind="vehicle", key="7", name="Number <7>")


@pytest.fixture
def drive(team, device):
    """A race of a vehicle; each half an hour after the one before."""
    count = 0

    def make(asset):
        nonlocal count
        count += 1
        start = timezone.now() - timedelta(hours=10) + timedelta(minutes=30 * count)
        return Run.objects.create(
            team=team,
            device=device,
            asset=asset,
            kind=Kind.RACE,
            name=f"Race {count}",
            started_at=start,
            ended_at=start + timedelta(minutes=10),
        )

    return make


def address(asset):
    return f"/api/v1/assets/{asset.pk}/reference"


def test_an_editor_chooses_the_reference_and_everybody_of_the_team_sees_it(car, drive, erin, bob, signed_in):
    race = drive(car)

    chosen = signed_in(erin).request("PUT", address(car), {"run": race.pk})

    assert (chosen.status_code, chosen.json()["id"]) == (200, race.pk)
    viewer = signed_in(bob)
    assert viewer.get(address(car)).json()["id"] == race.pk
    assert viewer.get(f"/api/v1/assets/{car.pk}").json()["reference"] == race.pk
    told = AuditEvent.objects.filter(kind=AuditKind.ASSET_CHANGED).latest("id")
    assert (told.detail["by"], told.detail["reference"]) == (erin.email, str(race.pk))

    assert signed_in(erin).delete(address(car)).status_code == 204
    assert viewer.get(address(car)).status_code == 404
    assert Run.objects.filter(pk=race.pk, deleted_at=None).exists()


def test_a_viewer_and_a_stranger_choose_nothing(car, drive, bob, charlie, signed_in):
    race = drive(car)

    answers = [signed_in(each).request("PUT", address(car), {"run": race.pk}).status_code for each in (bob, charlie)]

    assert answers == [403, 404]
    car.refresh_from_db()
    assert car.reference is None


def test_only_a_run_of_the_very_asset_is_its_reference(car, drive, team, erin, signed_in):
    other = Asset.objects.create(team=team, kind="vehicle", key="8", name="Another")
    deleted = drive(car)
    Run.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())

    refused = signed_in(erin).request("PUT", address(car), {"run": drive(other).pk})

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "run")
    assert signed_in(erin).request("PUT", address(car), {"run": deleted.pk}).status_code == 404


def test_a_reference_that_is_deleted_is_none_until_it_comes_back(car, drive, erin, signed_in):
    race = drive(car)
    editor = signed_in(erin)
    editor.request("PUT", address(car), {"run": race.pk})

    assert editor.delete(f"/api/v1/runs/{race.pk}", **{"If-Match": "*"}).status_code == 204
    assert editor.get(address(car)).status_code == 404
    assert editor.post(f"/api/v1/runs/{race.pk}/undo", {}).status_code == 200

    assert editor.get(address(car)).json()["id"] == race.pk


def test_the_page_of_a_run_chooses_it_and_the_others_lead_to_the_comparison(car, drive, erin):
    first, second = drive(car), drive(car)
    browser = Client()
    browser.post("/account/login/", {"login": erin.email, "password": PASSWORD})
    assert "Make it the reference of Number &lt;7&gt;" in browser.get(f"/runs/{first.pk}/").content.decode()

    browser.post(f"/runs/{first.pk}/reference/", {"state": "*"})

    car.refresh_from_db()
    assert car.reference == first
    assert "No reference any more" in browser.get(f"/runs/{first.pk}/").content.decode()
    assert browser.get(f"/runs/{second.pk}/").status_code == 200
    browser.post(f"/runs/{first.pk}/reference/", {"state": "*", "is": "none"})
    car.refresh_from_db()
    assert car.reference is None


def test_the_shell_chooses_it_too_and_says_what_is_wrong(car, drive):
    race = drive(car)

    assert in_the_shell.set_reference(car.pk, race.pk)["reference"] == race.pk
    assert [row["reference"] for row in in_the_shell.rows()] == [race.pk]
    assert in_the_shell.set_reference(car.pk, 0)["reference"] is None
    for asset, run, said in (
        (car.pk, 2**40, "no run"),
        (2**40, race.pk, "no asset"),
        (car.pk, drive(None).pk, "no run of"),
    ):
        with pytest.raises(Refusal, match=said):
            in_the_shell.set_reference(asset, run)


@pytest.mark.parametrize("numbers", ["", "1", "x,y", "9999999999999999999999,1"])
def test_a_comparison_of_nothing_that_can_be_compared_is_refused_kindly(alice, numbers):
    browser = Client()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})

    assert browser.get(f"/runs/compare/?runs={numbers}").status_code in (302, 404)
