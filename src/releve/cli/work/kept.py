"""What the retention commands do, through the services that the pages and the API use too."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from django.db import transaction

from releve.cli.option import Refusal
from releve.cli.work.sealed import steps
from releve.control.fleet.models import Device
from releve.control.fleet.services import UnknownDevice, device_by_name
from releve.control.keeping import queries, services
from releve.control.keeping.models import Rule
from releve.control.teams.models import Team
from releve.protocol.keeping import Days
from releve.storage import archive, retention, sealing
from releve.storage.forecast import Going
from releve.storage.reader import ConnectionReader, now


class Wanted(NamedTuple):
    """What a rule is to say."""

    raw_days: int | None
    ladder_days: int | None
    is_archived: bool


@dataclass(frozen=True)
class Subject:
    """What a rule is about."""

    team: Team
    device: Device | None
    channel: str

    def __str__(self) -> str:
        """In words."""
        if self.device is None:
            return f"the team {self.team.name}"
        return f"{self.channel} of {self.device.name}" if self.channel else self.device.name

    @property
    def named(self) -> dict[str, Any]:
        """As the services name it."""
        return {"team": self.team, "device": self.device, "channel": self.channel}


def subject(*, team: str | None, device: str | None, channel: str) -> Subject:
    """What a command names.

    Raises:
        Refusal: It names nothing, or both, or something that is not there.
    """
    if (team is None) == (device is None):
        raise Refusal("say which: --team NAME, or --device NAME")
    if device is None:
        found = Team.objects.filter(name=team).first()
        if found is None:
            raise Refusal(f"there is no team called {team!r}")
        return Subject(found, None, channel)
    try:
        own = device_by_name(device)
    except UnknownDevice as error:
        raise Refusal(str(error)) from error
    return Subject(own.team, own, channel)


def rules() -> list[dict[str, Any]]:
    """Every rule of the installation."""
    found = Rule.objects.select_related("team", "device").order_by("team__name", "device__name", "channel")
    return [_shown(rule) for rule in found]


def set_rule(about: Subject, wanted: Wanted) -> dict[str, Any]:
    """Make or change a rule."""
    days = Days(wanted.raw_days, wanted.ladder_days)
    with _refusing():
        return _shown(services.set_rule(**about.named, days=days, is_archived=wanted.is_archived))


def going_with(about: Subject, wanted: Wanted) -> list[dict[str, Any]]:
    """What such a rule would delete; nothing is changed."""
    days = Days(wanted.raw_days, wanted.ladder_days)
    with _refusing(), transaction.atomic():
        services.draft_rule(**about.named, days=days, is_archived=wanted.is_archived)
        device = None if about.device is None else about.device.pk
        found = queries.would_go(device, about.team if device is None else None)
        transaction.set_rollback(True)
    return _going(found)


def going() -> list[dict[str, Any]]:
    """What the rules would delete now."""
    return _going(queries.would_go())


def remove(about: Subject) -> None:
    """Take a rule back.

    Raises:
        Refusal: There is none.
    """
    if not services.remove_rule(**about.named):
        raise Refusal(f"there is no rule of {about}; `releve retention list` lists them")


def run(url: str, folder: Path) -> list[dict[str, Any]]:
    """Do what the rules ask for, device by device; what was done."""
    names = dict(Device.objects.values_list("pk", "name"))
    write = partial(archive.write, folder) if archive.is_possible() else None
    found = []
    with psycopg.connect(url, autocommit=True) as connection:
        reader = ConnectionReader(connection)
        now_us = now(retention.present_us(reader))
        for device_id, kept in sorted(now(retention.stretches(reader)).items()):
            if now(retention.has_old_rows(reader, device_id, kept, now_us)):
                list(steps(connection, partial(sealing.seal, reader, device_id)))
            done: Counter[str] = Counter()
            for step in steps(connection, partial(retention.keep, reader, device_id, kept, now_us, write)):
                done.update(readings=step.readings, thinned=step.thinned, ladders=step.ladders)
            if any(done.values()):
                found.append({"device": names.get(device_id, f"(removed device {device_id})"), **done})
    return found


def _going(found: Mapping[int, Going]) -> list[dict[str, Any]]:
    names = dict(Device.objects.filter(pk__in=found).values_list("pk", "name"))
    return [{"device": names.get(device, str(device)), **each._asdict()} for device, each in found.items()]


def _shown(rule: Rule) -> dict[str, Any]:
    return {
        "team": rule.team.name,
        "device": None if rule.device is None else rule.device.name,
        "channel": rule.channel or None,
        "raw_days": rule.raw_days,
        "ladder_days": rule.ladder_days,
        "archive": rule.is_archived,
    }


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except services.BadRule as error:
        raise Refusal(f"{error.field}: {error}") from error
