"""Which readings a live stream has, after it was found that its viewer may see them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from psycopg.rows import dict_row

from releve.access.shared import Shown
from releve.live.told import Told
from releve.live.wish import Wish
from releve.protocol.problem import NotFound
from releve.protocol.run.part import part_values, split_part
from releve.protocol.sender import Sender
from releve.storage.pool import Pool
from releve.storage.queries import query

ALWAYS_US = 2**62
NEWEST_DEVICES = 200  # whose last values open a stream that names none
MACHINE = "machine"


class Stretch(NamedTuple):
    """Some of a device's readings.

    Attributes:
        part: Whose, such as `machine_id=7`; empty for all of the device's.
        from_us: The first instant, microseconds since 1970.
        to_us: The instant behind the last.
    """

    part: str = ""
    from_us: int = 0
    to_us: int = ALWAYS_US

    def has(self, told: Told) -> bool:
        """Whether a reading is one of them."""
        return self.from_us <= told.time_us < self.to_us and (not self.part or _is_of(told.fields, self.part))


class Device(NamedTuple):
    """A device whose readings are wanted."""

    id: int
    name: str
    team_id: int


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What one stream has.

    Attributes:
        devices: Whose last values it opens with.
        stretches: What of each device is wanted; None for everything of every device that the viewer may see.
        channels: Which channels are shown; none for all.
    """

    devices: Sequence[Device]
    stretches: Mapping[int, Sequence[Stretch]] | None
    channels: tuple[str, ...] = ()

    def has(self, told: Told) -> bool:
        """Whether the reading is wanted."""
        if self.stretches is None:
            return True
        return any(stretch.has(told) for stretch in self.stretches.get(told.device_id, ()))


async def chosen(pool: Pool, wish: Wish, sender: Sender, shown: Shown | None = None) -> Choice:
    """What is wanted, as long as the viewer may see all of it now.

    Args:
        pool: Lends connections.
        wish: What was asked for.
        sender: Who asks.
        shown: All that they may see, where a shared link let them in.

    Raises:
        NotFound: Something is not there, or is not a team's of theirs; a stranger's is not told from what is not there.
        Unavailable: The database does not answer.
    """
    if shown is not None:
        _refuse_the_rest(wish, shown)
    if wish.is_of_all:
        teams = [team for team in sender.roles if sender.may_read(team)]
        rows = await _rows(pool, "live_newest_devices", {"teams": teams, "limit": NEWEST_DEVICES})
        return Choice(devices=[Device(**row) for row in rows], stretches=None, channels=tuple(wish.channels))
    found = _Found(sender)
    if wish.devices:
        found.add_devices(wish.devices, await _rows(pool, "live_devices", {"devices": list(wish.devices)}))
    if wish.assets:
        found.add_assets(wish.assets, await _rows(pool, "live_assets", {"assets": list(wish.assets)}))
    if wish.runs:
        found.add_runs(wish.runs, await _rows(pool, "live_runs", {"runs": list(wish.runs)}))
    devices = list(found.devices.values())
    return Choice(devices=devices, stretches=found.stretches, channels=tuple(wish.channels))


def _refuse_the_rest(wish: Wish, shown: Shown) -> None:
    """See to it that a link shows its own thing only."""
    is_more = set(wish.devices) - set(shown.devices) or set(wish.runs) - set(shown.runs) or wish.assets
    if wish.is_of_all or is_more:
        raise NotFound("the link does not show that", field="share")


class _Found:
    """What was found for a viewer so far."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.devices: dict[int, Device] = {}
        self.stretches: dict[int, list[Stretch]] = {}

    def add_devices(self, wanted: Sequence[int], rows: Sequence[dict[str, Any]]) -> None:
        """Devices that were named."""
        known = {row["id"]: row for row in rows if self._sender.may_read(row["team_id"])}
        for number in wanted:
            if number not in known:
                raise NotFound("there is no such device, or it is not your team's", field="device")
            self._add(Device(**known[number]), Stretch())

    def add_assets(self, wanted: Sequence[int], rows: Sequence[dict[str, Any]]) -> None:
        """What devices are mounted on: of a machine, what each of its devices says of it."""
        known = {row["id"] for row in rows if self._sender.may_read(row["team_id"])}
        for number in wanted:
            if number not in known:
                raise NotFound("there is no such asset, or it is not your team's", field="asset")
        for row in rows:
            if row["device_id"] is not None:
                part = f"machine_id={row['key']}" if row["kind"] == MACHINE else ""
                self._add(Device(row["device_id"], row["name"], row["team_id"]), Stretch(part))

    def add_runs(self, wanted: Sequence[int], rows: Sequence[dict[str, Any]]) -> None:
        """Stretches of devices' readings."""
        known = {row["id"]: row for row in rows if self._sender.may_read(row["team_id"])}
        for number in wanted:
            row = known.get(number)
            if row is None:
                raise NotFound("there is no such run, or it is not your team's", field="run")
            if not self._sender.may_read(row["device_team_id"]):
                continue  # it waits for its device, or that is another team's by now: nothing more comes
            until_us = ALWAYS_US if row["to_us"] is None else row["to_us"]
            device = Device(row["device_id"], row["name"], row["device_team_id"])
            self._add(device, Stretch(row["part"], row["from_us"], until_us))

    def _add(self, device: Device, stretch: Stretch) -> None:
        self.devices[device.id] = device
        self.stretches.setdefault(device.id, []).append(stretch)


async def _rows(pool: Pool, name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    async with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query(name), values)
        return await cursor.fetchall()


def _is_of(fields: Mapping[str, Any], part: str) -> bool:
    """Whether a reading is of a part, which a number is however it is written.

    >>> _is_of({"machine_id": 7.0}, "machine_id=7"), _is_of({"machine_id": True}, "machine_id=1")
    (True, False)
    """
    name, number, _ = part_values(part)
    value = fields.get(name)
    if isinstance(value, str):
        return value == split_part(part)[1]
    return number is not None and type(value) in (int, float) and value == float(number)
