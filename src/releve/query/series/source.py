"""Where the readings of a chart come from: a device or a run, and which of them count."""

from collections.abc import Mapping, Sequence

import msgspec

from releve.protocol.described import Description, proposed
from releve.protocol.problem import BadRequest
from releve.query.described import descriptions
from releve.query.instant import LATEST_US
from releve.query.run.run import Run
from releve.query.series.asked import Asked
from releve.query.which import Left
from releve.storage.pool import Pool


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A device's readings of a span.

    Attributes:
        device_id: Whose.
        contract: What the device speaks, which says the units.
        from_us: The first instant, microseconds since 1970; 0 for the first reading.
        to_us: The instant behind the last; `LATEST_US` for behind the last reading.
        part: Whose readings, such as `machine_id=4`; empty for all of the device's.
        descriptions: What the device's team says of channels, by their names.
        left_out: What does not count.
        teams: Who asks: of a device, only what was measured while one of these owned it; of a run, its own.
        run_id: The run's number, None of a device.
        started_us: When the run began.
    """

    device_id: int
    contract: str
    from_us: int
    to_us: int
    part: str = ""
    descriptions: Mapping[str, Description] = msgspec.field(default_factory=dict)
    left_out: Sequence[Left] = ()
    teams: Sequence[int] = ()
    run_id: int | None = None
    started_us: int = 0

    def description(self, channel: str) -> Description:
        """What people are told of a channel."""
        return self.descriptions.get(channel) or proposed(self.contract, channel)


def of_device(device_id: int, contract: str, teams: Sequence[int], asked: Asked) -> Source:
    """All that a device measured in the span that is asked for, while one of the teams owned it."""
    to_us = LATEST_US if asked.to_us is None else asked.to_us
    return Source(
        device_id=device_id,
        contract=contract,
        from_us=asked.from_us or 0,
        to_us=to_us,
        part=asked.part,
        teams=teams,
    )


def of_run(run: Run, asked: Asked) -> Source:
    """What counts of a run, within the span that is asked for; a run without a device has no readings.

    Its team owns the device all the time of it, which the database sees to.

    Raises:
        BadRequest: Nothing of the run lies in that span.
    """
    from_us = max(run.from_us, asked.from_us or 0)
    to_us = min(run.to_us, LATEST_US if asked.to_us is None else asked.to_us)
    if from_us >= to_us:
        raise BadRequest("nothing of the run lies in this span", field="from" if asked.from_us else "to")
    return Source(
        device_id=run.device_id,
        contract=run.contract,
        from_us=from_us,
        to_us=to_us,
        part=run.part,
        left_out=run.left_out,
        teams=[run.team_id],
        run_id=run.id,
        started_us=run.from_us,
    )


async def with_descriptions(pool: Pool, sources: Sequence[Source]) -> list[Source]:
    """The sources with what their teams say of channels."""
    contracts = {each.device_id: each.contract for each in sources}
    found = await descriptions(pool, contracts, [team for each in sources for team in each.teams])
    return [msgspec.structs.replace(each, descriptions=found[each.device_id].said) for each in sources]
