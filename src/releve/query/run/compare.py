"""`GET /api/v1/runs/compare`: 2 to 8 runs over one grid, aligned at their first reading or along a channel."""

import asyncio
from collections.abc import Mapping
from math import isfinite
from typing import Self

import msgspec

from releve.http.answer import answer
from releve.http.request import Send
from releve.protocol.problem import BadRequest
from releve.query.run.run import Run
from releve.storage.pool import Pool

FEWEST, MOST = 2, 8
START = "start"
NAME_LIMIT = 128
KNOWN = ("runs", "align", "channel", "step")


class Comparison(msgspec.Struct, frozen=True):
    """What was asked for.

    Attributes:
        runs: Numbers of the runs; the others are compared with the first.
        align: `start`, or the channel along which they are compared.
        channel: The channel that is compared.
        step: Between two places of the grid: seconds, or the channel's own unit; None for some 500 places.
    """

    runs: list[str]
    align: str
    channel: str
    step: float | None

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Self:
        """Read the query parameters.

        Raises:
            BadRequest: One of them is missing, unknown or wrong.
        """
        for name in asked:
            if name not in KNOWN:
                raise BadRequest(f"is not a parameter; there are {', '.join(KNOWN)}", field=name)
        runs = [number.strip() for number in asked.get("runs", "").split(",") if number.strip()]
        if not FEWEST <= len(runs) <= MOST or len(set(runs)) < len(runs):
            raise BadRequest(f"must name {FEWEST} to {MOST} different runs, such as runs=1,2", field="runs")
        return cls(runs, _name(asked, "align", START), _name(asked, "channel", "speed"), _step(asked))

    @property
    def along(self) -> str | None:
        """The channel along which they are compared, None for the time."""
        return None if self.align == START else self.align

    @property
    def channels(self) -> list[str]:
        """The channels that must be read."""
        return [self.channel, *([] if self.along is None else [self.along])]


async def answer_comparison(pool: Pool, send: Send, *, runs: list[Run], comparison: Comparison) -> None:
    """Answer the curves, and how far each lies from the first run's.

    Raises:
        BadRequest: A run has no such channel, they share no stretch, or the grid is too fine.
    """
    await asyncio.to_thread(_load)
    from releve.query.run.curve import compared  # noqa: PLC0415 - with numpy, which only those need who compare

    await answer(send, 200, await compared(pool, runs, comparison))


def _load() -> None:
    """Import what compares; the first time takes long, and is not waited for on the event loop."""
    import releve.query.run.curve  # noqa: F401, PLC0415 - see above


def _name(asked: Mapping[str, str], parameter: str, default: str) -> str:
    name = asked.get(parameter, default)
    if not 0 < len(name) <= NAME_LIMIT:
        raise BadRequest(f"must have 1 to {NAME_LIMIT} characters", field=parameter)
    return name


def _step(asked: Mapping[str, str]) -> float | None:
    if "step" not in asked:
        return None
    try:
        step = float(asked["step"])
    except ValueError as error:
        raise BadRequest("must be a number", field="step") from error
    if not (isfinite(step) and step > 0):
        raise BadRequest("must be more than 0", field="step")
    return step
