"""A device's secret in place of a token: `Authorization: Bearer SECRET`, or HTTP Basic with the device's name.

A secret without a name could be any device's, so guesses at it are counted by address alone; a name's by name and
address, as at the sign-in. What was wrong a moment ago is wrong still: a device that sends an old secret again and
again costs nothing and locks nobody out.
"""

import base64
import binascii
import time
from contextlib import suppress
from typing import NoReturn

import structlog

from releve.protocol.problem import Throttled, Unauthenticated
from releve.protocol.secret import Secret
from releve.protocol.sender import Sender
from releve.storage.device_door import BEARER, DeviceDoor
from releve.storage.device_row import sender_of

BASIC = "Basic "
LONGEST = 1024
REMEMBERED = 10_000
WRONG_FOR_S = 60.0
NAMELESS = 10  # times the failures that one name is allowed: whole sites of devices stand behind one address
_log = structlog.get_logger()


class InvalidToken(Unauthenticated):
    """Token is invalid."""


class TooManyGuesses(Throttled):
    """Too many failed sign-ins; wait and try again."""

    title = "Too many failed sign-ins"

    def __init__(self, wait_s: int = 1) -> None:
        super().__init__()
        self.retry_after_s = max(1, wait_s)


class Secrets:
    """Knows devices by their secrets.

    Args:
        door: The database's side of it.
        pepper: The key of the hashes.
        failures_allowed: Failures of one name from one address before it must wait.
        failure_window_s: Window of the failures, and the wait.
    """

    def __init__(self, door: DeviceDoor, *, pepper: bytes, failures_allowed: int, failure_window_s: int) -> None:
        self._door = door
        self._pepper = pepper
        self._allowed = failures_allowed
        self._window_s = failure_window_s
        self._wrong: dict[str, float] = {}

    async def sender(self, credential: str, *, address: str) -> Sender:
        """The device whose secret it is.

        Raises:
            InvalidToken: It is nobody's, or more than one device's.
            TooManyGuesses: Too many others were tried from there.
            Unavailable: The database does not answer.
        """
        readings = _read(credential)
        memory = Secret(credential).hash(self._pepper)
        if self._wrong.get(memory, 0.0) > time.monotonic():
            raise InvalidToken("Token is invalid")
        count = 0
        for name, secret in readings:
            rows = await self._door.by_secret(Secret(secret).hash(self._pepper), name=name, address=address)
            if rows[0]["wait_s"] is not None:
                raise TooManyGuesses(rows[0]["wait_s"])
            count = len(rows)
            if count == 1 and rows[0]["id"] is not None:
                return sender_of(rows[0])
        await self._failed(readings[0][0], address=address)
        if len(self._wrong) >= REMEMBERED:
            self._wrong.clear()
        self._wrong[memory] = time.monotonic() + WRONG_FOR_S
        if count > 1:
            raise InvalidToken("more than one device has this secret; send it as HTTP Basic, with the device's name")
        raise InvalidToken("Token is invalid")

    def forget(self) -> None:
        """What was wrong may be right now."""
        self._wrong.clear()

    async def _failed(self, name: str | None, *, address: str) -> None:
        allowed = self._allowed if name is not None else self._allowed * NAMELESS
        is_too_many, _ = await self._door.failed(BEARER if name is None else name, address=address, allowed=allowed)
        _log.info("a device's secret is wrong", is_named=name is not None, address=address)
        if is_too_many:
            raise TooManyGuesses(self._window_s)


def _read(credential: str) -> list[tuple[str | None, str]]:
    """Name and secret, the name None where a secret was sent alone.

    RFC 7617 parts at the first colon; a device's name may hold colons, and then its secret begins after the last.

    Raises:
        InvalidToken: It can be no device's.
    """
    if len(credential) > LONGEST or "\0" in credential:
        raise InvalidToken("Token is invalid")
    if not credential.startswith(BASIC):
        with suppress(UnicodeError):  # a header is bytes; a secret is UTF-8 wherever else it is sent
            credential = credential.encode("latin-1").decode()
        return [(None, credential)]
    try:
        text = base64.b64decode(credential[len(BASIC) :].strip(), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidToken("HTTP Basic is `device:secret` in base 64") from error
    readings = dict.fromkeys((text.partition(":")[::2], text.rpartition(":")[::2]))
    return [(name, secret) for name, secret in readings if name and secret and "\0" not in text] or _refuse()


def _refuse() -> NoReturn:
    raise InvalidToken("HTTP Basic is `device:secret` in base 64")
