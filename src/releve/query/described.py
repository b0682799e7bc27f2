"""What people are told of the channels of devices: what their teams say, above what the contracts propose."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from psycopg.rows import dict_row

from releve.protocol.described import ChannelKind, Description, described, proposed
from releve.storage.pool import Pool
from releve.storage.queries import query


class Descriptions(msgspec.Struct, frozen=True):
    """What is told of the channels of one device.

    Attributes:
        contract: What the device speaks.
        said: What its team says, by the channels' names.
    """

    contract: str
    said: Mapping[str, Description] = msgspec.field(default_factory=dict)

    def of(self, channel: str) -> Description:
        """What is told of a channel."""
        return self.said.get(channel) or proposed(self.contract, channel)

    def of_all(self, channels: Iterable[str]) -> dict[str, Description]:
        """What is told of channels, by their names."""
        return {channel: self.of(channel) for channel in channels}


async def descriptions(pool: Pool, contracts: Mapping[int, str], teams: Sequence[int]) -> dict[int, Descriptions]:
    """What is told of the channels of devices.

    Args:
        pool: Lends a connection.
        contracts: By the number of each device what it speaks.
        teams: Whose words count; those of a device's own team stand above the others'.
    """
    asked = {"devices": list(contracts), "teams": sorted(set(teams))}
    async with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("find_channel_descriptions"), asked)
        rows = await cursor.fetchall()
    said: dict[int, dict[str, Description]] = {device: {} for device in contracts}
    for row in rows:
        device, channel = row.pop("device_id"), row.pop("channel")
        kind = None if row["kind"] is None else ChannelKind(row["kind"])
        said[device][channel] = described(contracts[device], channel, {**row, "kind": kind})
    return {device: Descriptions(contract, said[device]) for device, contract in contracts.items()}
