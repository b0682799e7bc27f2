"""Lets races follow what cars send over MQTT: a number opens or joins its race, `false` closes it.

Asked in the background, and before somebody changes something.
A car names its race in every reading. The car whose reading of a race that waits comes first drives it, which the data
plane notes before it stores that reading (`storage/race_driver.py`); another car that names the same number gets a race
of its own, so that two cars never mix.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from releve.control.fleet.models import Asset, Device, Mount
from releve.control.fleet.queries import last_heard
from releve.control.runs.columns import last_left_out_too
from releve.control.runs.cut.arrival import BEGINNING, EVER, LONGEST_COMMIT, arrived, has_arrived
from releve.control.runs.edit import services
from releve.control.runs.lock import lock_device
from releve.control.runs.models import Inference, Kind, Run
from releve.control.runs.owner import owners_of
from releve.control.runs.problem import Overlaps
from releve.protocol.contract import RACING
from releve.protocol.run.part import part_of

CHANNEL = "race"
VEHICLE = "vehicle"
VALUES_LATE = timedelta(seconds=5)  # the last values of topics are written a few times a second
LARGEST_ID = 2**63 - 1
ONE_MICROSECOND = timedelta(microseconds=1)
MANY = 50
Stretch = tuple[int, int, datetime, datetime]  # the team, the number of the race, its first and its last instant


def follow_cars(teams: Collection[int]) -> None:
    """Open, join, widen and close the races that the teams' cars named since the last time."""
    follow(Device.objects.filter(team__in=teams))


def give_vehicles() -> None:
    """Give the races that say a car only the car's vehicle, because contract B shows the vehicle of each."""
    without = Run.objects.filter(kind=Kind.RACE, asset=None, device__isnull=False, deleted_at=None)
    for race in without.select_related("device__team"):
        with transaction.atomic():
            lock_device(race.device_id)
            if race.device is not None:
                without.filter(pk=race.pk).update(asset=_vehicle(race.device))


def follow(given: QuerySet[Device]) -> int:
    """The same for those of the devices that are cars; answers how many had something new to say."""
    devices = list(given.filter(contract=RACING.name).select_related("team").order_by("id"))
    said = 0
    known = dict(Inference.objects.filter(device__in=devices).values_list("device", "followed"))
    for device in devices if len(devices) <= MANY else _heard_since(devices, known):
        since = known[device.pk] - LONGEST_COMMIT if device.pk in known else BEGINNING
        if _has_named(device, since):
            _follow(device)
            said += 1
    return said


def _heard_since(devices: list[Device], known: Mapping[int, datetime]) -> list[Device]:
    """Of many cars, those heard since the last time; when one was heard is noted about once a second."""
    heard = last_heard(devices)
    return [
        device
        for device in devices
        if device.pk in heard
        and (device.pk not in known or heard[device.pk].last_seen >= known[device.pk] - LONGEST_COMMIT)
    ]


def _has_named(device: Device, since: datetime) -> bool:
    """Whether it sent a reading or spoke of a race since then."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM topic_value WHERE device_id = %(device)s AND received >= %(since)s)",
            {"device": device.pk, "since": since},
        )
        return bool(cursor.fetchone()[0]) or has_arrived(device, since)


def _follow(device: Device) -> None:
    now = timezone.now()
    with transaction.atomic():
        lock_device(device.pk)
        known = Inference.objects.filter(device=device).first()
        for stretch in _named(device, known.followed - LONGEST_COMMIT if known else BEGINNING):
            _join(device, stretch)
        _close(device, known.followed - VALUES_LATE if known else BEGINNING)
        Inference.objects.update_or_create(device=device, defaults={"followed": now})


def _named(device: Device, since: datetime) -> Iterator[Stretch]:
    """The races that readings received since name, each with its first and its last instant, owner by owner."""
    for owner in owners_of(device):
        for text, first, last in arrived(device, CHANNEL, since=since, owner=owner, width=EVER):
            if text is not None and text.isascii() and text.isdigit() and int(text) <= LARGEST_ID:
                yield owner.team_id, int(text), first, last


def _join(device: Device, stretch: Stretch) -> None:
    team_id, number, first, last = stretch
    part = part_of(CHANNEL, str(number))
    runs = list(Run.objects.filter(device=device, team=team_id, part=part).order_by("id"))
    named = Run.objects.filter(pk=number, team=team_id, kind=Kind.RACE).first()
    if runs or (named is not None and named.deleted_at is not None):
        standing = [run for run in runs if run.deleted_at is None]
        if len(standing) == 1:  # a deleted race stays deleted, and one that a person split is as they want it
            _widen(standing[0], first, last)
        return
    if team_id != device.team_id:
        return  # it came late, of a time before the device moved to another team
    try:
        with transaction.atomic():
            if named is not None and named.device_id is None:
                _widen(services.attach(named, device=device, part=part), first, last)
            else:
                _open(device, number, part=part, started_at=first)
    except Overlaps:
        return  # a run that a person opened by hand holds these readings


def _open(device: Device, number: int, *, part: str, started_at: datetime) -> None:
    services.open_race(
        team=device.team,
        device=device,
        asset=_vehicle(device),
        name=f"Race {number}",
        started_at=started_at,
        part=part,
    )


def _vehicle(device: Device) -> Asset:
    """What the car is mounted on, by default the vehicle of its own name, which somebody may have added."""
    vehicles = Asset.objects.filter(kind=VEHICLE, team=device.team_id).order_by("id")
    mounted = vehicles.filter(mounts__device=device).first()
    if mounted is None:
        named = vehicles.filter(name=device.name).first()
        mounted = named or Asset.objects.create(team=device.team, kind=VEHICLE, name=device.name)
        Mount.objects.create(asset=mounted, device=device)
    return mounted


def _widen(run: Run, first: datetime, last: datetime) -> None:
    try:
        services.stretch(services.stretch(run, first), last)
    except Overlaps:
        return


def _close(device: Device, since: datetime) -> None:
    """Close the open races of a car whose last word on `race` since then is `false`, or another number."""
    spoken = _last_word(device, since)
    if spoken is None:
        return
    word, at = spoken
    going_on = None if word == "false" else part_of(CHANNEL, word)
    races = Run.objects.filter(device=device, team=device.team_id, kind=Kind.RACE, deleted_at=None, ended_at=None)
    for race in races.filter(part__startswith=f"{CHANNEL}=").exclude(part=going_on):
        if at > max(race.started_at, race.rule_since or race.started_at):  # a person may have re-opened it since
            services.end_race(race, ended_at=at if going_on is None else _after_last(race) or at)


def _last_word(device: Device, since: datetime) -> tuple[str, datetime] | None:
    """What it said last on `race`, and since when it has said so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lower(payload), coalesce(since, received) FROM topic_value WHERE device_id = %s "
            "AND topic LIKE '%%/race' AND received >= %s ORDER BY received DESC LIMIT 1",
            [device.pk, since],
        )
        found: tuple[str, datetime] | None = cursor.fetchone()
    return found


def _after_last(race: Run) -> datetime | None:
    """The first instant after the race's last sample, whether that counts or is left out."""
    last = last_left_out_too(race)
    return None if last is None else last + ONE_MICROSECOND
