"""Curves of runs over one grid, so that they can be subtracted; loads numpy, so only who compares imports it."""

import asyncio
from collections.abc import Mapping, Sequence
from math import floor
from typing import Any, NamedTuple

import numpy as np

from releve.history.array import Reals
from releve.history.compare import Curve, Extent
from releve.history.conversion import conversions_of, converted
from releve.history.sector import Best, Sectors, together
from releve.history.sector import channels as of_laps
from releve.protocol.described import Description
from releve.protocol.problem import BadRequest
from releve.query import counted
from releve.query.described import descriptions
from releve.query.run.compare import Comparison
from releve.query.run.run import Run
from releve.storage.pool import Pool

LARGEST_GRID = 10_000
USUAL_GRID = 500
_SLACK = 1e-9
_Told = Mapping[str, Description]


class _Line(NamedTuple):
    """A run's curve, and how long the run had gone on at each place, in seconds."""

    values: Reals
    elapsed_s: Reals


async def compared(pool: Pool, runs: Sequence[Run], comparison: Comparison) -> dict[str, Any]:
    """The curves, and how far each lies from the first run's.

    Raises:
        BadRequest: A run has no such channel, they share no stretch, or the grid is too fine.
    """
    told = [await _described(pool, run, comparison) for run in runs]
    extents = [await _extent(pool, run, comparison, each) for run, each in zip(runs, told, strict=True)]
    places = _grid(extents, comparison)
    lines = [await _line(pool, run, comparison, each, places) for run, each in zip(runs, told, strict=True)]
    bests = [await _best(pool, run) for run in runs]
    return {
        "align": comparison.align,
        "channel": comparison.channel,
        "reference": runs[0].id,
        "x": places,
        **_unit("x_unit", told[0].get(comparison.along or "")),
        "theoretical_best_s": together(bests),
        "runs": [
            {
                **_shown(run, line, lines[0], comparison),
                **_unit("unit", each.get(comparison.channel)),
                "laps": best.laps,
                "best_lap_s": best.best_s,
                "theoretical_best_s": best.theoretical_s,
            }
            for run, line, each, best in zip(runs, lines, told, bests, strict=True)
        ],
    }


def grid(low: float, high: float, step: float | None) -> list[float]:
    """Places from `low` up to `high`, one every `step`, or the usual number of them.

    >>> grid(0.0, 1.0, 0.5)
    [0.0, 0.5, 1.0]

    Raises:
        ValueError: They would be too many.
    """
    if high <= low:
        return [low]
    width = step or (high - low) / (USUAL_GRID - 1)
    count = floor((high - low) / width + _SLACK) + 1
    if count > LARGEST_GRID:
        raise ValueError(f"{count} places; at most {LARGEST_GRID}")
    return [low + place * width for place in range(count)]


async def _described(pool: Pool, run: Run, comparison: Comparison) -> _Told:
    found = await descriptions(pool, {run.device_id: run.contract}, [run.team_id])
    return found[run.device_id].of_all(comparison.channels)


async def _extent(pool: Pool, run: Run, comparison: Comparison, told: _Told) -> Extent:
    extent = Extent(comparison.channel, comparison.along)
    async for block in counted.blocks(pool, run.which, comparison.channels):
        await asyncio.to_thread(extent.add, converted(block, conversions_of(told)))
    if extent.first_us is None:
        needed = " and ".join(comparison.channels)
        raise BadRequest(f"run {run.id} has no reading with the numeric channel {needed}", field="channel")
    return extent


def _grid(extents: Sequence[Extent], comparison: Comparison) -> list[float]:
    low, high = max(each.low for each in extents), min(each.high for each in extents)
    if high < low:
        raise BadRequest(f"the runs share no stretch of {comparison.align}", field="align")
    try:
        return grid(low, high, comparison.step)
    except ValueError as error:
        raise BadRequest(str(error), field="step") from error


async def _line(pool: Pool, run: Run, comparison: Comparison, told: _Told, places: Sequence[float]) -> _Line:
    curve = Curve(comparison.channel, comparison.along, np.array(places))
    async for block in counted.blocks(pool, run.which, comparison.channels):
        await asyncio.to_thread(curve.add, converted(block, conversions_of(told)))
    return _Line(curve.values, curve.elapsed_s)


def _unit(name: str, described: Description | None) -> dict[str, str]:
    return {name: described.unit} if described and described.unit else {}


async def _best(pool: Pool, run: Run) -> Best:
    sectors = Sectors()
    async for block in counted.blocks(pool, run.which, of_laps()):
        await asyncio.to_thread(sectors.add, block)
    return await asyncio.to_thread(sectors.answer)


def _shown(run: Run, line: _Line, reference: _Line, comparison: Comparison) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": run.id,
        "name": run.name,
        "values": line.values.tolist(),
        "delta": (line.values - reference.values).tolist(),
    }
    if comparison.along is not None:
        elapsed = line.elapsed_s.tolist(), (line.elapsed_s - reference.elapsed_s).tolist()
        shown |= dict(zip(("elapsed_s", "time_delta_s"), elapsed, strict=True))
    return shown
