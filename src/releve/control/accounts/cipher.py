"""Encrypts what the database keeps for us and must not know: second factors and sessions, under `keys/factors`."""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from releve.storage import keys

MARK = (
    "fernet:"  # begins nothing that earlier versions stored: factors are letters and digits, sessions begin with a dot
)


class Unreadable(Exception):
    """It was encrypted under another key than the file `factors` holds."""


def encrypt(text: str) -> str:
    """What is stored of a text."""
    return MARK + _fernet().encrypt(text.encode()).decode()


def decrypt(stored: str) -> str:
    """The text; what an earlier version stored in clear is itself.

    Raises:
        Unreadable: The key is another one.
    """
    if not stored.startswith(MARK):
        return stored
    try:
        return _fernet().decrypt(stored.removeprefix(MARK)).decode()
    except InvalidToken as error:
        raise Unreadable(Unreadable.__doc__) from error


@cache
def _fernet() -> MultiFernet:
    """The first key encrypts and all decrypt."""
    return MultiFernet([Fernet(f"{key}=") for key in keys.factor_keys(settings.RELEVE.data_dir)])
