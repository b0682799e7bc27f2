"""One worker process: both planes on its own listening sockets, which share their ports with the other workers'."""

import argparse
import gc
import json
import os
import socket
from pathlib import Path

import structlog
import uvicorn

from releve.http.cross_origin import CrossOrigin
from releve.http.protocol import bounded
from releve.http.websocket_protocol import RefusingProtocol
from releve.serve.application import Application
from releve.serve.follow import Follower
from releve.serve.process import logs
from releve.settings import Settings
from releve.storage import keys

BACKLOG = 2048
DRAIN_S = 10
_log = structlog.get_logger()


class _Server(uvicorn.Server):
    """uvicorn, telling the supervisor when it listens."""

    ready_file: Path

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            _spare_the_collector()
            draft = self.ready_file.with_suffix(".draft")
            draft.write_text(json.dumps({"pid": os.getpid()}), encoding="utf-8")
            draft.replace(self.ready_file)


def _spare_the_collector() -> None:
    """Keep what lives as long as the process out of every collection; the ingest path makes hardly any cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def run(settings: Settings, *, index: int) -> None:
    """Serve until SIGTERM or SIGINT, then drain and return."""
    logs.configure(level=settings.log_level, log_format=settings.log_format, worker=index)
    application = _application(settings, index)
    served = CrossOrigin(application, settings.origins) if settings.origins else application
    server = _Server(_config(settings, served))
    server.ready_file = settings.data_dir / "run" / f"worker-{index}.json"
    server.ready_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        server.run(sockets=[listening(settings.host, port) for port in ports(settings)])
    finally:
        server.ready_file.unlink(missing_ok=True)


def listening(host: str, port: int) -> socket.socket:
    """A socket of this worker alone on a port that all workers share.

    With one socket shared by all, one worker can take every kept-alive connection.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    listener.setblocking(False)
    return listener


def ports(settings: Settings) -> list[int]:
    """Every HTTP port, the main one first."""
    return [settings.port, *(int(port) for port in settings.also_ports.split(",") if port.strip())]


def _application(settings: Settings, index: int) -> Application:
    from releve.control.accounts import counters  # noqa: PLC0415 - Django is loaded in a worker only
    from releve.control.wsgi import application as control  # noqa: PLC0415 - see above

    # isort: split
    from releve.control.accounts.session import session_of  # noqa: PLC0415 - once Django is set up

    return Application(
        settings,
        keyring=keys.signing_keyring(settings.data_dir, settings.signing_keys),
        control=control,
        control_counts=counters.snapshot,
        session_of=session_of,
        follower=Follower(_keep_up, every_s=0 if index else settings.follow_runs_s),
        index=index,
    )


def _keep_up() -> object:
    from releve.control.runs.cut import keep  # noqa: PLC0415 - its models need a Django that is set up

    return keep.with_fresh_connection()


def _config(settings: Settings, application: Application | CrossOrigin) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="uvloop",
        http=bounded(header_s=settings.header_timeout_s, body_s=settings.body_timeout_s),
        ws=RefusingProtocol,
        ws_max_size=settings.mqtt_packet_limit_bytes,
        ws_per_message_deflate=False,  # a few bytes could claim as much memory as the largest message
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=DRAIN_S,
    )


def main() -> None:
    """Read the environment and serve."""
    parser = argparse.ArgumentParser(description="One worker of Relevé; `releve up` starts as many as are wanted.")
    parser.add_argument("--index", type=int, default=0, help="the worker's number")
    run(Settings.from_environment(), index=parser.parse_args().index)


if __name__ == "__main__":
    main()
