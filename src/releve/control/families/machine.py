"""A gym machine as its people see it: in use or free, the set and the rest of now, the sets of a day, the records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, QuerySet
from django.http import Http404

from releve.control.accounts.models import Account
from releve.control.families.present import presents
from releve.control.families.series import CHANNELS, Collector, Series, series_of
from releve.control.fleet.models import Asset, Device
from releve.control.fleet.queries import assets_of
from releve.control.runs import columns
from releve.control.runs.columns import FAR, instant, us
from releve.control.runs.models import Kind, Run
from releve.control.runs.owner import owners_of
from releve.history import working
from releve.history.block import Block, joined
from releve.history.working import Phase, Working
from releve.protocol.run.part import part_of

MACHINE: Final = "machine"
WINDOW = timedelta(minutes=5)  # what tells whether somebody works; longer than any rest that is told
LONGEST_SET = timedelta(minutes=30)  # of which the page of one machine reads everything
MOST_SERIES = 5_000


@dataclass(frozen=True, kw_only=True)
class Present:
    """A machine at this moment.

    Attributes:
        asset: Which.
        phase: What it does; None where it was never worked on.
        since: When that began, on the server's clock.
        since_s: How long ago that was.
        set: The set under way, or the last one.
        heard: The latest reading's instant, None where nothing was heard lately.
    """

    asset: Asset
    phase: Phase | None
    since: datetime | None
    since_s: float | None
    set: Series | None
    heard: datetime | None


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What a device has lately sent of a machine: its readings that count, and its clock."""

    block: Block
    window: datetime
    present: datetime

    @property
    def working(self) -> Working | None:
        return working.working(self.block, now_us=us(self.present), since_us=us(self.window))


def machines_of(account: Account) -> QuerySet[Asset]:
    """The machines of the account's teams."""
    return assets_of(account).filter(kind=MACHINE)


def machine_for(account: Account, asset_id: int) -> Asset:
    """One machine of the account's teams.

    Raises:
        Http404: There is none, or it is another team's; which of them is not said.
    """
    found = machines_of(account).filter(pk=asset_id).first()
    if found is None:
        raise Http404
    return found


def present_of(asset: Asset, now: datetime) -> Present:
    """One machine at this moment, with its set in figures."""
    last = _series_runs(asset).order_by("-started_at").first()
    window = now - WINDOW
    if last is not None and last.started_at > now - LONGEST_SET:
        window = min(window, last.started_at)
    seen = _newest(_seen([asset], window, now, CHANNELS).get(asset.pk, []))
    found = None if seen is None else seen.working
    if seen is not None and found is not None:
        return replace(_told(asset, seen, found, None, now), set=_set(seen, found, last))
    latest = next(iter(series_of([last])), None) if last is not None else None
    return replace(_told(asset, seen, None, latest.ended_at if latest else None, now), set=latest)


def presents_of(assets: Sequence[Asset], now: datetime) -> list[Present]:
    """Many machines at this moment; the set of one that rests for long is not looked up."""
    seen = _seen(assets, now - WINDOW, now, working.CHANNELS)
    ends = dict(
        Run.objects.filter(asset__in=assets, kind=Kind.SERIES, deleted_at=None)
        .values_list("asset")
        .annotate(last=Max("ended_at"))
    )
    newest = {asset.pk: _newest(seen.get(asset.pk, [])) for asset in assets}
    return [
        _told(asset, each, None if each is None else each.working, ends.get(asset.pk), now)
        for asset in assets
        for each in (newest[asset.pk],)
    ]


def series_between(asset: Asset, since: datetime, until: datetime) -> list[Series]:
    """The machine's sets that began in a span, in the order of time."""
    runs = _series_runs(asset).filter(started_at__gte=since, started_at__lt=until).order_by("-started_at")
    return series_of(list(runs[:MOST_SERIES]))


def _series_runs(asset: Asset) -> QuerySet[Run]:
    found = Run.objects.filter(asset=asset, team=asset.team, kind=Kind.SERIES, deleted_at=None)
    return found.select_related("device")


def _told(asset: Asset, seen: _Seen | None, found: Working | None, ended: datetime | None, now: datetime) -> Present:
    """The machine by what was just heard, else by the end of its last set."""
    if seen is None or found is None:
        phase, since_s = (None, None) if ended is None else (Phase.FREE, max(0.0, (now - ended).total_seconds()))
    else:
        since_us = found.begun_us if found.rest_since_us is None else found.rest_since_us
        phase, since_s = found.phase, max(0.0, (seen.present - instant(since_us)).total_seconds())
    return Present(
        asset=asset,
        phase=phase,
        since=None if since_s is None else now - timedelta(seconds=since_s),
        since_s=since_s,
        set=None,
        heard=None if seen is None else instant(int(seen.block.time_us[-1])),
    )


def _set(seen: _Seen, found: Working, last: Run | None) -> Series | None:
    collector = Collector()
    collector.add(seen.block.within(found.begun_us, found.ended_us + 1))
    return collector.answer(_run_of(last, found))


def _run_of(last: Run | None, told: Working) -> Run | None:
    """The run that the set is, once background work has cut it so far."""
    if last is None or last.started_at > instant(told.ended_us):
        return None
    return last if last.ended_at is None or last.ended_at > instant(told.begun_us) else None


def _newest(seen: Sequence[_Seen]) -> _Seen | None:
    """Of several devices that report for one machine, the one that was heard last."""
    return max(seen, key=lambda each: int(each.block.time_us[-1]), default=None)


def _seen(assets: Iterable[Asset], window: datetime, now: datetime, names: Sequence[str]) -> dict[int, list[_Seen]]:
    """By the machine's number, what each of its devices has sent since, as far as the machine's team owned it."""
    pairs = [(asset, mount.device) for asset in assets for mount in asset.mounts.all()]
    clocks = presents({device for _, device in pairs}, now)
    places = list(_places(pairs, window, now, clocks))
    blocks: dict[int, list[Block]] = {}
    for run, block, counts in columns.judged_of(places, names):
        counted = block if counts is None else block.take(counts)
        if len(counted):
            blocks.setdefault(id(run), []).append(counted)
    found: dict[int, list[_Seen]] = {}
    for run in places:
        if own := blocks.get(id(run)):
            seen = _Seen(block=joined(own), window=run.started_at, present=clocks[run.device_id or 0])
            found.setdefault(run.asset_id or 0, []).append(seen)
    return found


def _places(
    pairs: Sequence[tuple[Asset, Device]], window: datetime, now: datetime, clocks: Mapping[int, datetime]
) -> Iterator[Run]:
    """Where to look, as if it were a run: what devices that are still the team's sent of the machine since."""
    owners = {device.pk: owners_of(device)[-1:] for _, device in pairs if device.pk in clocks}
    for asset, device in pairs:
        for owner in owners.get(device.pk, ()):
            if owner.team_id == asset.team_id and owner.until == FAR and asset.key is not None:
                since = max(window + (clocks[device.pk] - now), owner.since)
                part = part_of("machine_id", asset.key)
                yield Run(team=asset.team, device=device, asset=asset, part=part, kind=Kind.SERIES, started_at=since)
