"""The keys of this process, read once: what signs tokens and what hashes device secrets."""

from functools import cache

from django.conf import settings

from releve.protocol.token import Keyring
from releve.storage import keys


@cache
def keyring() -> Keyring:
    """The token signing keys."""
    return keys.signing_keyring(settings.RELEVE.data_dir, settings.RELEVE.signing_keys)


@cache
def pepper() -> bytes:
    """The key of device secrets' hashes."""
    return keys.pepper(settings.RELEVE.data_dir)
