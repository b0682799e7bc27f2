"""`GET /api/v1/latest`: the latest number of channels of many devices, and the least and the greatest of the day."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

import msgspec

from releve.http.answer import answer
from releve.http.request import Send
from releve.protocol.problem import BadRequest, NotFound
from releve.query.described import Descriptions, descriptions
from releve.query.instant import LATEST_US
from releve.query.series.asked import channels_of, devices_of, given, instant_of, zone_of
from releve.storage.pool import Pool
from releve.storage.queries import query

if TYPE_CHECKING:
    from releve.storage.glance import Glance

MOST_DEVICES = 1_000  # their answer takes some 200 ms
PARAMETERS = ("device", "channel", "from", "zone")
_MOST_FIELDS = MOST_DEVICES + 100
_SECOND_US = 1_000_000


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        channels: Their names, at least one.
        devices: Their numbers; None for all of the caller's teams.
        from_us: Since when the least and the greatest are told, microseconds since 1970.
    """

    channels: Sequence[str]
    devices: Sequence[int] | None
    from_us: int

    @classmethod
    def of(cls, text: bytes, *, now: datetime) -> Self:
        """Read the query string.

        Args:
            text: As it was sent.
            now: When it was asked, with a zone.

        Raises:
            BadRequest: A parameter is missing, unknown or wrong; it is named.
        """
        found = given(text, PARAMETERS, most=_MOST_FIELDS)
        once = {name: values[0] for name, values in found.items()}
        if "zone" in once and "from" in once:
            raise BadRequest("says whose midnight low and high are told from; `from` stands in its place", field="zone")
        since_us = instant_of(once, "from")
        return cls(
            channels=channels_of(found.get("channel", [])),
            devices=devices_of(found["device"], most=MOST_DEVICES) if "device" in found else None,
            from_us=_midnight_us(now, zone_of(once)) if since_us is None else since_us,
        )


async def answer_latest(pool: Pool, send: Send, *, teams: Sequence[int], asked: Asked) -> None:
    """Answer what the devices say.

    Raises:
        BadRequest: The teams have more devices than are told of at once.
        NotFound: A device that was asked for is not of the teams.
    """
    await asyncio.to_thread(_load)
    from releve.storage.glance import Looked, glances  # noqa: PLC0415 - with numpy, which only those need who read

    owned = await _owned(pool, teams, asked)
    told = await descriptions(pool, {number: contract for number, contract, _ in owned}, teams)
    looks = {
        number: Looked(asked.from_us, LATEST_US, *([] if since_us is None else [since_us]))
        for number, _, since_us in owned
    }
    found = await glances(pool, looks, asked.channels)
    devices = [{"device": number, "channels": _shown(told[number], found[number])} for number, _, _ in owned]
    await answer(send, 200, {"from": asked.from_us, "devices": devices})


async def _owned(pool: Pool, teams: Sequence[int], asked: Asked) -> list[tuple[int, str, int | None]]:
    """The devices' numbers and contracts, and from when on the caller's team has owned each, None for ever."""
    limit = MOST_DEVICES + 1
    values = {"teams": list(teams), "devices": None if asked.devices is None else list(asked.devices), "limit": limit}
    rows = await pool.ask(query("find_devices_now"), values)
    if asked.devices is not None and len(rows) < len(asked.devices):
        raise NotFound("there is no such device, or it is not your team's")
    if len(rows) > MOST_DEVICES:
        raise BadRequest(f"there are more than {MOST_DEVICES:,} devices: name those that are asked for", field="device")
    return [(number, contract, since_us) for number, contract, since_us in rows]


def _shown(told: Descriptions, found: "Mapping[str, Glance]") -> dict[str, Any]:
    """What is told of a device's channels that have a number, in the units of its team."""
    channels = {}
    for name, each in found.items():
        of = told.of(name)
        low, high = of.shown(each.low), of.shown(each.high)
        if of.scale < 0:
            low, high = high, low
        channels[name] = {"unit": of.unit, "last": of.shown(each.last), "low": low, "high": high}
    return channels


def _midnight_us(now: datetime, zone: str) -> int:
    midnight = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp()) * _SECOND_US


def _load() -> None:
    """Import what reads; the first time takes long, and is not waited for on the event loop."""
    import releve.storage.glance  # noqa: F401, PLC0415 - see above
