"""First step of the path: whose token is this? Remembered until it ends or the revocation feed drops it."""

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime

from releve.access.revocation import RevocationFeed
from releve.access.secret import InvalidToken, Secrets
from releve.protocol import token as tokens
from releve.protocol.problem import Forbidden, Unauthenticated, Unavailable
from releve.protocol.sender import Sender
from releve.protocol.token import Keyring, TokenExpired, TokenInvalid, TokenType, looks_like_token
from releve.storage.pool import Pool

__all__ = ["Authenticator", "ExpiredToken", "InvalidToken"]
REMEMBERED = 200_000
USED = 10_000
LOOK_AGAIN_S = 3600.0


class ExpiredToken(Unauthenticated):
    """Token is expired."""


class Authenticator:
    """Turns tokens, and devices' own secrets, into senders; one seen before costs one dictionary look-up."""

    def __init__(self, database_url: str, *, pool: Pool, keyring: Keyring, secrets: Secrets | None = None) -> None:
        self._pool = pool
        self._keyring = keyring
        self._secrets = secrets
        self._senders: dict[str, tuple[Sender, float]] = {}
        self._tokens: defaultdict[str, set[str]] = defaultdict(set)
        self._epoch = 0
        self._used: set[str] = set()
        self.feed = RevocationFeed(database_url, revoked=self.forget, missed=self.forget_all)
        self._revoked_callbacks: list[Callable[[str | None], None]] = []

    def on_revoked(self, callback: Callable[[str | None], None]) -> None:
        """Also tell this one what is revoked; None means that everything must be looked up again."""
        self._revoked_callbacks.append(callback)

    async def sender(self, token: str, *, address: str | None = None) -> Sender:
        """The sender that an access token stands for; with an address a device's own secret may stand in its place.

        Raises:
            TooManyGuesses: Too many wrong secrets came from that address.
            ExpiredToken: It was valid once.
            InvalidToken: It is none of ours, of another type, or revoked.
            Unavailable: Revocations cannot be known just now, so nobody is let in.
        """
        if self.feed.is_cut:
            raise Unavailable("revocations cannot be checked; nothing is accepted until the database answers again")
        now_s = time.time()
        known = self._remembered(token, now_s)
        if known is not None:
            return known
        if address is not None and self._secrets is not None and not looks_like_token(token):
            return await self._by_secret(self._secrets, token, address, now_s)
        return await self._look_up(token, now_s)

    def known(self, token: str) -> Sender | None:
        """The sender that a token stands for, where `sender` would ask nobody; else None."""
        return None if self.feed.is_cut else self._remembered(token, time.time())

    def _remembered(self, token: str, now_s: float) -> Sender | None:
        known = self._senders.get(token)
        return known[0] if known is not None and known[1] > now_s else None

    async def _by_secret(self, secrets: Secrets, secret: str, address: str, now_s: float) -> Sender:
        epoch = self._epoch
        sender = await secrets.sender(secret, address=address)
        if epoch == self._epoch:
            self._remember(secret, sender, now_s)
        return sender

    def used(self) -> set[str]:
        """The sign-ins whose tokens were looked up since the last call; one in use is looked up again every hour."""
        used, self._used = self._used, set()
        return used

    async def with_device(self, sender: Sender, token: str, *, contract: str) -> Sender:
        """The sender with a device to send to; a person gets one of their own at the first sending.

        Raises:
            Forbidden: The person may have none.
        """
        if sender.device_id is not None:
            return sender
        await self._pool.add_own_device(int(sender.principal.partition(":")[2]), contract=contract)
        self.forget(sender.principal)
        sender = await self.sender(token)
        if sender.device_id is None:
            raise Forbidden("the device of your account is disabled")
        return sender

    def forget(self, principal: str) -> None:
        """Drop what is remembered of `device:<id>`, `account:<id>` or `signin:<hex>`."""
        self._epoch += 1
        self._forget_wrong_secrets()
        for token in self._tokens.pop(principal.replace("-", ""), ()):
            self._senders.pop(token, None)
        for callback in self._revoked_callbacks:
            callback(principal)

    def forget_all(self) -> None:
        """Drop everything that is remembered."""
        self._epoch += 1
        self._forget_wrong_secrets()
        self._senders.clear()
        self._tokens.clear()
        for callback in self._revoked_callbacks:
            callback(None)

    def _forget_wrong_secrets(self) -> None:
        if self._secrets is not None:
            self._secrets.forget()

    async def _look_up(self, token: str, now_s: float) -> Sender:
        try:
            claims = tokens.read(token, TokenType.ACCESS, datetime.fromtimestamp(now_s, UTC), self._keyring)
        except TokenExpired as error:
            raise ExpiredToken("Token is expired") from error
        except TokenInvalid as error:
            raise InvalidToken("Token is invalid") from error
        epoch = self._epoch
        if len(self._used) < USED:
            self._used.add(claims.sign_in.hex)
        find = self._pool.device if claims.principal.is_device else self._pool.person
        sender = await find(claims.principal.id, sign_in=claims.sign_in, expires_s=claims.expires_at.timestamp())
        if sender is None:
            raise InvalidToken("Token is invalid")
        if epoch == self._epoch:  # else a revocation came while we looked: true now, not to be remembered
            self._remember(token, sender, now_s)
        return sender

    def _remember(self, token: str, sender: Sender, now_s: float) -> None:
        if len(self._senders) >= REMEMBERED:
            self._senders.clear()
            self._tokens.clear()
        self._senders[token] = sender, min(sender.expires_s, now_s + LOOK_AGAIN_S)
        self._tokens[sender.principal].add(token)
        self._tokens[f"signin:{sender.sign_in}"].add(token)
        self._tokens[f"device:{sender.device_id}"].add(token)  # a person's own device is revoked by itself too
