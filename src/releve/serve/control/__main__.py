"""Starts the process that answers people, on the unix socket of the data directory or where it is told."""

import os

from releve.serve.control.application import NAME, ControlApplication
from releve.serve.control.plane import Plane
from releve.serve.hand_over.address import SOCKET, listening
from releve.serve.listener import Server, configuration, on_port
from releve.serve.process import logs
from releve.settings import Settings
from releve.storage import keys

WRITE_S = 90.0  # longer than a client has to take some of its answer: whoever is slow is cut there, not here
# Beside ingest: where cores are short, devices come first. Linux shares by session before it looks at niceness
# [sched(7), "The autogroup feature"]: this counts as the parts of a server are in one session, and among them only.
NICENESS = 10
KEEP_ALIVE_S = 60  # longer than the other side keeps a quiet connection


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain and return."""
    logs.configure(level=settings.log_level, log_format=settings.log_format, process=NAME)
    application = ControlApplication(
        settings,
        keyring=keys.signing_keyring(settings.data_dir, settings.signing_keys),
        pepper=keys.pepper(settings.data_dir),
        plane=Plane.loaded(),
    )
    run_dir = settings.data_dir / "run"
    run_dir.mkdir(parents=True, exist_ok=True)
    is_alone = settings.only == NAME
    if not is_alone:
        os.nice(NICENESS)
    listener = on_port(settings.host, settings.port) if is_alone else listening(run_dir / SOCKET)
    server = Server(configuration(settings, application, write_s=WRITE_S, keep_alive_s=KEEP_ALIVE_S, is_public=False))
    server.ready_file = run_dir / f"{NAME}.json"
    try:
        server.run(sockets=[listener])
    finally:
        server.ready_file.unlink(missing_ok=True)


def main() -> None:
    """Read the environment and serve."""
    run(Settings.from_environment())


if __name__ == "__main__":
    main()
