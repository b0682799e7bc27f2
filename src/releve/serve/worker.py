"""One ingest worker: a process on its own listening sockets, which share their ports with the other workers'."""

import argparse

from releve.http.cross_origin import CrossOrigin
from releve.http.edge import Edge, hosts_of
from releve.serve.application import Application
from releve.serve.listener import Server, configuration, on_port
from releve.serve.process import logs
from releve.settings import Settings
from releve.storage import keys


def run(settings: Settings, *, index: int) -> None:
    """Serve until SIGTERM or SIGINT, then drain and return."""
    logs.configure(level=settings.log_level, log_format=settings.log_format, worker=index)
    application = Application(
        settings,
        keyring=keys.signing_keyring(settings.data_dir, settings.signing_keys),
        pepper=keys.pepper(settings.data_dir),
        index=index,
    )
    served = CrossOrigin(application, settings.origins) if settings.origins else application
    hosts = hosts_of(allowed=settings.allowed_hosts, public_url=settings.public_url, listening=settings.host)
    edge = Edge(served, hosts, is_https=settings.public_url.startswith("https://"))
    direct = application.direct(settings, hosts)
    server = Server(configuration(settings, edge, is_public=True, direct=direct))
    server.stopping = application.streams.close
    server.ready_file = settings.data_dir / "run" / f"worker-{index}.json"
    server.ready_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        server.run(sockets=[on_port(settings.host, port) for port in ports(settings)])
    finally:
        server.ready_file.unlink(missing_ok=True)


def ports(settings: Settings) -> list[int]:
    """Every HTTP port, the main one first."""
    return [settings.port, *(int(port) for port in settings.also_ports.split(",") if port.strip())]


def main() -> None:
    """Read the environment and serve."""
    parser = argparse.ArgumentParser(
        description="One ingest worker of Relevé; `releve up` starts as many as are wanted."
    )
    parser.add_argument("--index", type=int, default=0, help="the worker's number")
    run(Settings.from_environment(), index=parser.parse_args().index)


if __name__ == "__main__":
    main()
