"""A device's secret: random, shown once, kept only as a keyed hash.

A random secret of 192 bits cannot be guessed from its hash, so the hash is fast (HMAC-SHA-256); the pepper keeps a
stolen table useless for secrets that a person chose.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True)
class Secret:
    """The secret in clear; it never appears in a representation, and so in no log."""

    text: str = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """Draw a secret that nobody can guess."""
        return cls(secrets.token_urlsafe(24))

    def hash(self, pepper: bytes) -> str:
        """What is kept of it: 64 hexadecimal digits."""
        return hmac.digest(pepper, self.text.encode(), "sha256").hex()

    def matches(self, kept: str, pepper: bytes) -> bool:
        """Whether the kept hash is this secret's, in the same time for yes and no."""
        return hmac.compare_digest(self.hash(pepper).encode(), kept.encode())
