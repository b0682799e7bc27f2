"""`/metrics` in Prometheus' text format: this worker's counts and the other processes', summed."""

from collections.abc import Iterable, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from releve.ingest.counters import BOUNDS_S, GROUP_BOUNDS

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_log = structlog.get_logger()


class _Snapshots(Collector):
    def __init__(self, snapshots: list[Mapping[str, Any]], token_ends_s: Mapping[str, float]) -> None:
        self._snapshots = snapshots
        self._token_ends_s = token_ends_s
        self._workers = [snapshot for snapshot in snapshots if "steps" in snapshot]  # the others take no readings

    def collect(self) -> Iterable[Metric]:
        """One family per thing that is counted."""
        yield self._labelled("releve_readings", "Readings by how they ended.", "outcomes", ("transport", "outcome"))
        yield self._labelled("releve_problems", "Submissions refused whole.", "problems", ("transport", "problem"))
        yield self._labelled("releve_sign_in_events", "Sign-ins and what became of them.", "sign_ins", ("event",))
        steps = HistogramMetricFamily(
            "releve_step_seconds", "Time that a submission spent in a step of the path.", labels=["step"]
        )
        for step in self._workers[0]["steps"]:
            histograms = [snapshot["steps"][step] for snapshot in self._workers if step in snapshot["steps"]]
            steps.add_metric([step], *_summed(histograms, BOUNDS_S))
        yield steps
        yield self._histogram("releve_commit_readings", "Readings per commit.", "groups", GROUP_BOUNDS)
        yield self._histogram("releve_commit_seconds", "Time per commit.", "group_s", BOUNDS_S)
        depth = sum(snapshot["depth"] for snapshot in self._workers)
        yield GaugeMetricFamily("releve_backlog_readings", "Readings waiting for their commit.", value=depth)
        ends = GaugeMetricFamily(
            "releve_device_token_end_seconds",
            "When the token of a device ends that has 30 days or less, seconds since 1970.",
            labels=["device"],
        )
        for device, end_s in self._token_ends_s.items():
            ends.add_metric([device], end_s)
        yield ends
        yield GaugeMetricFamily("releve_workers", "Workers that answered.", value=len(self._workers))
        yield self._labelled(
            "releve_task_restarts", "Starts of a background task after it failed.", "restarts", ("process", "task")
        )
        yield self._labelled(
            "releve_maintenance_rounds", "Rounds of background work by how they ended.", "rounds", ("service", "result")
        )
        yield self._labelled(
            "releve_maintenance_busy_seconds", "Time spent in background work.", "busy_s", ("service",)
        )
        yield self._labelled("releve_deleted_readings", "Readings that were deleted, and by what.", "deleted", ("by",))
        yield self._newest("releve_maintenance_done_seconds", "When background work last ended well.", "done_s")
        yield self._newest("releve_disk_free_ratio", "Free part of the disk, 0 to 1.", "disk", label="place")
        yield self._newest(
            "releve_disk_full_days", "Days until the disk is full at the rate of this week.", "days_left", label="place"
        )
        yield self._gauge("releve_history_growth_bytes", "Bytes that history grows by in a day.", "growth")
        text = "Readings: fresh (rows), sealed (in segments), old (rows of an earlier release); rows are estimated."
        yield self._newest("releve_history_readings", text, "history_readings", label="home")
        yield self._gauge("releve_history_segments", "Segments that readings are sealed in.", "history_segments")
        yield self._gauge("releve_history_bytes", "Bytes of all segments' columns.", "history_bytes")
        yield self._gauge(
            "releve_history_failed_devices",
            "Devices whose readings could not be sealed, or deleted by a rule, lately.",
            "history_failed",
        )

    def _labelled(self, name: str, text: str, key: str, labels: tuple[str, ...]) -> Metric:
        family = CounterMetricFamily(name, text, labels=labels)
        totals: dict[tuple[str, ...], float] = {}
        for snapshot in self._snapshots:
            for *values, count in snapshot.get(key, ()):
                totals[tuple(values)] = totals.get(tuple(values), 0) + count
        for values, count in sorted(totals.items()):
            family.add_metric(values, count)
        return family

    def _newest(self, name: str, text: str, key: str, *, label: str = "service") -> Metric:
        family = GaugeMetricFamily(name, text, labels=(label,))
        values = {named: value for snapshot in self._snapshots for named, value in snapshot.get(key, ())}
        for named, value in sorted(values.items()):
            family.add_metric((named,), value)
        return family

    def _gauge(self, name: str, text: str, key: str) -> Metric:
        values = [float(snapshot[key]) for snapshot in self._snapshots if snapshot.get(key) is not None]
        return GaugeMetricFamily(name, text, value=max(values, default=0.0))

    def _histogram(self, name: str, text: str, key: str, bounds: tuple[float, ...]) -> Metric:
        family = HistogramMetricFamily(name, text)
        family.add_metric([], *_summed([snapshot[key] for snapshot in self._workers], bounds))
        return family


def render(snapshots: list[Mapping[str, Any]], token_ends_s: Mapping[str, float]) -> bytes:
    """The metrics of all workers together, from a snapshot of each, and the devices' tokens that end soon."""
    registry = CollectorRegistry()
    registry.register(_Snapshots(snapshots, token_ends_s))
    return generate_latest(registry)


def siblings(folder: Path, *, own: Path) -> list[Mapping[str, Any]]:
    """The snapshots that the other processes of this machine last wrote."""
    found = []
    for path in sorted(folder.glob("*.metrics.json")):
        if path != own:
            try:
                found.append(msgspec.json.decode(path.read_bytes()))
            except (OSError, msgspec.DecodeError) as error:
                _log.warning("a process's metrics cannot be read", path=path.name, error=str(error))
    return found


def _summed(histograms: list[Any], bounds: tuple[float, ...]) -> tuple[list[tuple[str, float]], float]:
    counts = [sum(column) for column in zip(*(counts for counts, _ in histograms), strict=True)]
    labels = [*(str(float(bound)) for bound in bounds), "+Inf"]
    return list(zip(labels, accumulate(counts), strict=True)), sum(total for _, total in histograms)
