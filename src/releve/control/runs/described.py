"""The channels of runs as their teams describe them: how numbers are converted, and their units."""

from collections.abc import Iterable, Sequence

from releve.control.fleet import channels
from releve.control.fleet.models import ChannelDescription
from releve.control.runs.models import Run
from releve.history.conversion import Conversion
from releve.protocol.described import Description

_PLAIN = Description()


def conversions_of(runs: Sequence[Run]) -> dict[int, dict[str, Conversion]]:
    """By the numbers of runs, what becomes of the numbers of channels; no contract proposes any conversion."""
    asked = ChannelDescription.objects.filter(
        device__in={run.device_id for run in runs}, team__in={run.team_id for run in runs}
    )
    said: dict[tuple[int, int], dict[str, Conversion]] = {}
    for device, team, channel, scale, offset in asked.values_list("device", "team", "channel", "scale", "offset"):
        found = Conversion(_PLAIN.scale if scale is None else scale, _PLAIN.offset if offset is None else offset)
        if found != Conversion():
            said.setdefault((device, team), {})[channel] = found
    return {run.pk: said.get((run.device_id or 0, run.team_id), {}) for run in runs}


def describe(run: Run, names: Iterable[str]) -> dict[str, Description]:
    """Channels as the run's team sees them."""
    if run.device is None:
        return dict.fromkeys(names, _PLAIN)
    return channels.describe(run.device, names, team=run.team)
