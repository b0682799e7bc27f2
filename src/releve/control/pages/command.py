"""The commands that pages tell people to type on the server: with the data directory of this very installation."""

import shlex
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from releve.protocol.site import is_loopback
from releve.settings import Settings

_CLONE = Path(__file__).resolve().parents[4]
SOMEWHERE = "DIR"


def line(words: str, *, names_directory: bool = True) -> str:
    """A command as it is typed: without its directory it would meet another installation, or none.

    Args:
        words: The command's own words, such as `device add raspberry1`.
        names_directory: Whether the reader may know where the server keeps its data; if not, `DIR` stands for it.
    """
    program = "./releve" if (_CLONE / "releve").is_file() else "releve"
    directory = shlex.quote(str(settings.RELEVE.data_dir.absolute())) if names_directory else SOMEWHERE
    return f"{program} {words} --data-dir {directory}"


def needs_address() -> bool:
    """Whether the command needs the server's DATABASE_URL too: the database is not in the data directory."""
    return not (settings.RELEVE.data_dir / "postgres").exists()


def is_near(releve: Settings) -> bool:
    """Whether whoever sees a page sits at this machine: it listens for itself alone, behind no proxy."""
    public = urlsplit(releve.public_url).hostname
    return is_loopback(releve.host) and not releve.trusted_proxies and (public is None or is_loopback(public))
