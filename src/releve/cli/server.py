"""Finds the running server of a data directory, for commands that talk to it over HTTP."""

from releve.cli.option import Refusal
from releve.serve import instance
from releve.settings import Settings


def address(settings: Settings, wished: str | None) -> str:
    """The wished address, else the running server's.

    Raises:
        Refusal: No server runs on the data directory.
    """
    if wished:
        return wished.rstrip("/")
    try:
        document = instance.running(settings.data_dir)
    except PermissionError as error:
        raise Refusal(f"{settings.data_dir} belongs to another user; run this as that user") from error
    if document is None:
        raise Refusal(
            f"no server is ready on {settings.data_dir}; start one with `releve up`, or name its address with --url"
        )
    return str(document["urls"][0]).rstrip("/")
