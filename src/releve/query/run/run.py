"""A run as the data plane reads it: where its readings are, and which of them count."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from psycopg.rows import dict_row

from releve.query.which import Left, Which
from releve.storage.pool import Pool
from releve.storage.queries import query

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run and the exclusions that touch it.

    Attributes:
        id: Its number.
        team_id: The team that it belongs to.
        name: What people call it.
        device_id: Whose readings; 0 for nobody's.
        contract: What that device speaks; empty of none.
        from_us: When it began.
        to_us: When it ended, or far ahead of now.
        part: Which of the device's readings, such as `machine_id=4`; empty for all.
        left_out: What does not count.
    """

    id: int
    team_id: int
    name: str
    device_id: int
    contract: str
    from_us: int
    to_us: int
    part: str
    left_out: Sequence[Left]

    @property
    def which(self) -> Which:
        """Its readings."""
        span = (self.from_us, self.to_us)
        return Which(device_id=self.device_id, spans=[span], part=self.part, left_out=self.left_out)

    def within(self, span: tuple[int, int]) -> Which:
        """Those of them that lie in a span, microseconds since 1970, its end excluded."""
        from_us, to_us = max(self.from_us, span[0]), min(self.to_us, span[1])
        return msgspec.structs.replace(self.which, spans=[(from_us, to_us)] if from_us < to_us else [])


async def find(pool: Pool, number: int) -> Run | None:
    """A run by its number, None when there is none."""
    async with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("find_run"), {"run": number})
        row = await cursor.fetchone()
        if row is None:
            return None
        await cursor.execute(query("find_exclusions"), row)
        left_out = [
            Left(_us(each["since"]), _us(each["until"]), each["reading_id"], each["part"])
            for each in await cursor.fetchall()
        ]  # fmt: skip
    return Run(
        id=row["id"],
        team_id=row["team_id"],
        name=row["name"] or f"{row['kind']} {row['id']}",
        device_id=row["device_id"] or 0,
        contract=row["contract"],
        from_us=row["started_us"],
        to_us=row["ended_us"],
        part=row["part"],
        left_out=left_out,
    )


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND
