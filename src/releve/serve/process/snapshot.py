"""What a process counted, written down for whoever is asked for the metrics of them all."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import structlog

EVERY_S = 1.0
STALE_S = 5.0
_log = structlog.get_logger()


class Snapshot:
    """Writes the counts of this process, about once a second.

    Args:
        run_dir: The run folder of the data directory.
        process: What the process is called.
        counts: Its counts as plain JSON values.
    """

    def __init__(self, run_dir: Path, process: str, counts: Callable[[], Mapping[str, Any]]) -> None:
        self.path = run_dir / f"{process}.metrics.json"
        self.counts = counts
        self._process = process

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            self.write()
            await asyncio.sleep(EVERY_S)

    def write(self) -> None:
        """Write them now; a reader sees the old ones or the new, never a part."""
        draft = self.path.with_suffix(f".{os.getpid()}")
        try:
            draft.write_bytes(msgspec.json.encode({**self.counts(), **self._about()}))
            draft.replace(self.path)
        except OSError as error:
            _log.warning("metrics cannot be written for the other processes", error=str(error))

    def _about(self) -> dict[str, Any]:
        return {"process": self._process, "written_s": time.monotonic()}

    def forget(self) -> None:
        """Take them away, at an orderly end."""
        self.path.unlink(missing_ok=True)


def age_s(counts: Mapping[str, Any]) -> float:
    """How long ago counts were written, by the clock that all processes of a machine share."""
    return time.monotonic() - float(counts.get("written_s", float("-inf")))
