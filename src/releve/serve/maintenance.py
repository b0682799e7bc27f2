"""The composition root of the process that does the background work: its services, and an orderly end."""

import asyncio
import importlib
import json
import os
import signal
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from releve.maintenance.budget import Budget
from releve.maintenance.disk import Disks
from releve.maintenance.follow import Following
from releve.maintenance.forget import Forgetting
from releve.maintenance.holder import Holder
from releve.maintenance.journal import JournalWriting
from releve.maintenance.loop import Loop, Service
from releve.maintenance.presence import Burial
from releve.maintenance.prune import Pruning
from releve.maintenance.retention import Retention
from releve.maintenance.seal import Sealing
from releve.maintenance.takeover import TakingOver
from releve.serve.process import logs
from releve.serve.process.snapshot import Snapshot
from releve.settings import Settings
from releve.storage import archive
from releve.storage.embedded.location import cluster_of
from releve.storage.pool import Pool
from releve.task import Tasks

NAME = "maintenance"
NICENESS = 15  # nobody waits for it
ENDED_DAYS = 90  # that a sign-in which is over is kept
IDLE_DAYS = 7  # without use, after which a sign-in ends where its principal has very many
CLAIM_DAYS = 7  # that a certificate waits for an editor
REVOCATION_DAYS = 1  # beyond the end of what they are about
_STOPPING = (signal.SIGINT, signal.SIGTERM)


class Maintenance:
    """Every service, and what they counted.

    Args:
        settings: What the operator chose.
    """

    def __init__(self, settings: Settings) -> None:
        self._run_dir = settings.data_dir / "run"
        self._pool = Pool(settings.database_url, application="releve maintenance", time_zone=settings.time_zone)
        self._holder = Holder(settings.database_url)
        self._disks = Disks([settings.data_dir, cluster_of(settings.data_dir)])
        self._journal = JournalWriting(settings.database_url, settings.data_dir / "keys")
        self._sealing = Sealing(self._pool)
        self._taking_over = TakingOver(self._pool)
        is_embedded = cluster_of(settings.data_dir).exists()
        self._budget = Budget(self._pool, place=cluster_of(settings.data_dir) if is_embedded else None)
        folder = settings.data_dir / "archive"
        self._retention = Retention(
            self._pool, archive=partial(archive.write, folder) if archive.is_possible() else None
        )
        self._loops = [Loop(service, self._holder) for service in self._services(settings)]
        self._tasks = Tasks()
        self._snapshot = Snapshot(self._run_dir, NAME, self._counts)

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT."""
        stop = asyncio.Event()
        for number in _STOPPING:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        self._tasks.start("maintenance lock", self._holder.run)
        self._tasks.start("revocation journal", self._journal.run)
        for loop in self._loops:
            self._tasks.start(loop.service.name, loop.run)
        self._tasks.start("snapshot", self._snapshot.run)
        ready_file = self._run_dir / f"{NAME}.json"
        ready_file.write_text(json.dumps({"pid": os.getpid()}), encoding="utf-8")
        try:
            await stop.wait()
        finally:
            ready_file.unlink(missing_ok=True)
            await self._tasks.stop()
            self._snapshot.forget()
            await self._pool.close()

    def _services(self, settings: Settings) -> Iterator[Service]:
        days = {
            "prune_receipts": settings.receipt_retention_days,
            "prune_audit_events": settings.audit_retention_days,
            "prune_revocations": REVOCATION_DAYS,
            "prune_certificate_claims": CLAIM_DAYS,
            "end_superfluous_sign_ins": IDLE_DAYS,
            "prune_sign_ins": ENDED_DAYS,
        }
        yield Pruning(self._pool, days=days).service()
        yield Burial(self._pool).service()
        yield self._disks.service()
        yield self._sealing.service()
        yield self._taking_over.service()
        yield self._retention.service()
        yield self._budget.service()
        if every_s := settings.follow_runs_s:
            yield Following(_cut_runs, every_s=every_s, name="cut-runs").service()
        yield Forgetting(self._pool, _forget_devices).service()

    def _counts(self) -> Mapping[str, Any]:
        reasons = [*self._tasks.reasons(), *filter(None, (loop.reason() for loop in self._loops))]
        return {
            "restarts": [[NAME, task, count] for task, count in self._tasks.restarts.items()],
            "rounds": [[loop.service.name, *item] for loop in self._loops for item in loop.rounds.items()],
            "busy_s": [[loop.service.name, loop.busy_s] for loop in self._loops],
            "done_s": [[loop.service.name, loop.last_done_s] for loop in self._loops if loop.last_done_s],
            "disk": [[room.place, room.free] for room in self._disks.rooms],
            **self._history(),
            "deleted": [["rule", self._retention.deleted]],
            "growth": self._budget.bytes_a_day,
            "days_left": [["database", self._budget.days_left]] if self._budget.days_left is not None else [],
            "reasons": reasons,
            "warnings": [*self._disks.warnings(), *self._budget.warnings(), *self._journal.warnings()],
        }

    def _history(self) -> Mapping[str, Any]:
        """What was last seen of history by whoever seals it; nothing on the machines that do not."""
        sizes, progress = self._sealing.sizes, self._taking_over.progress
        if not sizes or not self._holder.is_held:
            return {}
        readings = [["fresh", sizes["fresh"]], ["sealed", sizes["sealed"]]]
        return {
            "history_readings": [*readings, ["old", progress.rows]] if progress else readings,
            "history_segments": sizes["segments"],
            "history_bytes": sizes["bytes"],
            "history_failed": self._sealing.failed + self._taking_over.failed + self._retention.failed,
            "take_over": progress._asdict() if progress else None,
        }


def _cut_runs() -> Mapping[str, int]:
    """Cut runs; Django is loaded by the first round, in its thread."""
    importlib.import_module("releve.control.wsgi")  # sets Django up
    keep = importlib.import_module("releve.control.runs.cut.keep")
    keep.with_fresh_connection(keep.cut)
    return {}


def _forget_devices() -> Mapping[str, int]:
    """Take away what deleted devices left; Django is loaded by the first such round."""
    importlib.import_module("releve.control.wsgi")  # sets Django up
    deleting = importlib.import_module("releve.control.runs.edit.deleting")
    keep = importlib.import_module("releve.control.runs.cut.keep")
    counts: Mapping[str, int] = keep.with_fresh_connection(lambda: deleting.forget_deleted(datetime.now(UTC)))
    return {what: count for what, count in counts.items() if count}


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    logs.configure(level=settings.log_level, log_format=settings.log_format, process=NAME)
    os.nice(NICENESS)
    Path(settings.data_dir, "run").mkdir(parents=True, exist_ok=True)
    asyncio.run(Maintenance(settings).run())


def main() -> None:
    """Read the environment and work."""
    run(Settings.from_environment())


if __name__ == "__main__":
    main()
