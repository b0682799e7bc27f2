"""`GET /api/v1/runs/compare`: 2 to 8 runs over one grid, aligned at their first reading or along a channel."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Self

import msgspec

from releve.http.answer import answer
from releve.http.request import Send
from releve.protocol.problem import BadRequest
from releve.query.run.curve import Curve, delta, grid
from releve.query.run.run import Run, pages, rows
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


async def answer_comparison(pool: Pool, send: Send, *, runs: list[Run], comparison: Comparison) -> None:
    """Answer the curves, and how far each lies from the first run's.

    Raises:
        BadRequest: A run has no such channel, they share no stretch, or the grid is too fine.
    """
    asked = {"channel": comparison.channel, "along": comparison.along}
    extents = [await _extent(pool, run, asked) for run in runs]
    places = _grid(extents, comparison)
    curves = [
        await _curve(pool, run, asked, places, first_us=extent[0]) for run, extent in zip(runs, extents, strict=True)
    ]
    document = {
        "align": comparison.align,
        "channel": comparison.channel,
        "reference": runs[0].id,
        "x": places,
        "runs": [
            _shown(run, curve, curves[0], comparison) for run, curve in zip(runs, curves, strict=True)
        ],
    }  # fmt: skip
    await answer(send, 200, document)


async def _extent(pool: Pool, run: Run, asked: dict[str, Any]) -> tuple[int, float, float]:
    """The instant of the first point, and the stretch that the points cover."""
    first_us, last_us, low, high = (await rows(pool, run, "run_extent", **asked))[0]
    if first_us is None:
        needed = " and ".join(name for name in (asked["channel"], asked["along"]) if name)
        raise BadRequest(f"run {run.id} has no reading with the numeric channel {needed}", field="channel")
    if asked["along"] is None:
        return first_us, 0.0, (last_us - first_us) / 1e6
    return first_us, low, high


def _grid(extents: list[tuple[int, float, float]], comparison: Comparison) -> list[float]:
    low, high = max(low for _, low, _ in extents), min(high for _, _, high in extents)
    if high < low:
        raise BadRequest(f"the runs share no stretch of {comparison.align}", field="align")
    try:
        return grid(low, high, comparison.step)
    except ValueError as error:
        raise BadRequest(str(error), field="step") from error


async def _curve(pool: Pool, run: Run, asked: dict[str, Any], places: list[float], *, first_us: int) -> Curve:
    curve = Curve(places)
    async for page in pages(pool, run, "page_run_points", **asked):
        for time_us, _, along, value in page:
            elapsed_s = (time_us - first_us) / 1e6
            curve.add(elapsed_s if asked["along"] is None else along, value, elapsed_s)
    return curve


def _shown(run: Run, curve: Curve, reference: Curve, comparison: Comparison) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": run.id,
        "name": run.name,
        "values": curve.values,
        "delta": delta(curve.values, reference.values),
    }
    if comparison.along is not None:
        shown |= {"elapsed_s": curve.elapsed_s, "time_delta_s": delta(curve.elapsed_s, reference.elapsed_s)}
    return shown


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
