"""The servers that Relevé is measured beside: each an ASGI application in `bench/peer/`."""

from importlib.util import find_spec

from bench.installation import Installation
from bench.server import Server, free_port, uvicorn

NAMES = ("insert", "django", "fastapi")


def is_installed(name: str) -> bool:
    """Whether it can be run here; only FastAPI is no dependency of ours."""
    return name != "fastapi" or find_spec("fastapi") is not None


def server(name: str, installation: Installation) -> Server:
    """One peer, not yet started."""
    port = free_port()
    return Server(
        name=name,
        command=uvicorn(f"bench.peer.{name}:application", port),
        port=port,
        environment=installation.environment,
    )
