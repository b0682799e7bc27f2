"""Runs as the API shows them."""

from typing import Any

from releve.control.runs.models import Change, Exclusion, Run
from releve.control.runs.queries import Summary
from releve.protocol.run.completeness import Completeness
from releve.protocol.run.figure import unit_of
from releve.protocol.run.race import Lap


def run_shown(run: Run) -> dict[str, Any]:
    """A run without its summary."""
    return {
        "id": run.pk,
        "team": {"id": run.team.pk, "name": run.team.name},
        "device": None if run.device is None else {"id": run.device.pk, "name": run.device.name},
        "asset": None if run.asset is None else {"id": run.asset.pk, "name": run.asset.name},
        "kind": run.kind,
        "name": run.name,
        "part": run.part,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "is_open": run.is_open,
        "is_inferred": run.is_inferred,
        "is_hand_cut": run.is_hand_cut,
        "change": run.revision or None,
    }


def summary_shown(summary: Summary) -> dict[str, Any]:
    """A run's summary."""
    return {
        "first": summary.extent.first,
        "last": summary.extent.last,
        "channels": {
            name: {**channel.shown(), **({"unit": unit} if (unit := summary.units.get(name)) else {})}
            for name, channel in summary.channels.items()
        },
        "completeness": _completeness(summary.completeness),
        "statistics": summary.statistics,
        **_units_of(summary),
        "by_hand": summary.by_hand,
        "laps": [_lap(lap) for lap in summary.laps],
        "deleted": [{"channel": each.channel, "since": each.since, "until": each.until} for each in summary.deleted],
    }


def _units_of(summary: Summary) -> dict[str, Any]:
    """The units of the statistics that are of a channel with one."""
    units = {name: unit for name in summary.statistics if (unit := unit_of(name, summary.units))}
    return {"units": units} if summary.units else {}


def change_shown(change: Change) -> dict[str, Any]:
    """A change of a run."""
    return {
        "id": change.pk,
        "kind": change.kind,
        "at": change.at,
        "by": change.by.email if change.by else None,
        "undone_at": change.undone_at,
        "detail": change.before.get("detail", {}),
    }


def exclusion_shown(exclusion: Exclusion) -> dict[str, Any]:
    """Readings left out."""
    return {
        "id": exclusion.pk,
        "since": exclusion.since,
        "until": exclusion.until,
        "reading": None if exclusion.reading_id is None else str(exclusion.reading_id),
        "reason": exclusion.reason,
        "by": exclusion.by.email if exclusion.by else None,
        "created_at": exclusion.created_at,
    }


def _completeness(found: Completeness) -> dict[str, Any]:
    return {
        "received": found.received,
        "expected": found.expected,
        "ratio": found.ratio,
        "rhythm_s": found.rhythm_s,
        "gaps": [{"since": gap.since, "until": gap.until, "length_s": gap.length_s} for gap in found.gaps],
    }


def _lap(lap: Lap) -> dict[str, Any]:
    return {
        "track": lap.track,
        "started_at": lap.started_at,
        "ended_at": lap.ended_at,
        "time_s": lap.time_s,
        "distance": lap.distance,
    }
