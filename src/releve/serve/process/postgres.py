"""The embedded PostgreSQL as a supervised part: first to start, last to stop."""

import asyncio
import signal

from releve.serve.process.part import Child, Part
from releve.storage.embedded import EmbeddedPostgres


def postgres_part(server: EmbeddedPostgres) -> Part:
    """PostgreSQL as a child of the supervisor; what a crash left behind is cleared before each start."""

    def child() -> Child:
        server.prepare()
        return Child(
            command=server.command,
            environment=server.environment,
            identity=server.identity,
            output=server.log_file,
        )

    async def is_ready(_pid: int) -> bool:
        return await asyncio.to_thread(server.is_ready)

    return Part(
        name="postgres",
        child=child,
        is_ready=is_ready,
        stop_signal=server.stop_signal,
        abort_signal=signal.SIGQUIT,  # its own way of stopping at once: the next start recovers
        grace_s=30,
    )
