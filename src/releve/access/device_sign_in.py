"""Devices' sign-in, refresh and verification: all that ask at the same moment are let in by one statement.

A device never waits for a person: nothing here computes a slow hash or enters the control plane. What the control plane
says of a device it says in the same words, because it answers for names that could be a person's.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID, uuid4

import msgspec
import structlog

from releve.protocol import token as tokens
from releve.protocol.family import FIRST
from releve.protocol.problem import Broken, Problem, Unavailable
from releve.protocol.secret import Secret
from releve.protocol.token import Claims, Keyring, Principal, TokenInvalid, TokenType, WrongTokenType
from releve.storage.device_door import DeviceDoor, Judged, Knock

AT_ONCE = 256  # let in by one statement
ANSWERED_AT_ONCE = 4  # each takes a fifth of a millisecond of the loop
SHORT_GROUP = 8  # that no herd makes
Count = Callable[[str], None]
_log = structlog.get_logger("releve.audit")


class Pair(msgspec.Struct, frozen=True):
    """What a sign-in and a refresh answer; the refresh token is signed when it is asked for."""

    access: str
    signed: Callable[[], str]

    @property
    def refresh(self) -> str:
        """The refresh token."""
        return self.signed()


class MustWait(Exception):
    """Too many failed sign-ins; wait and try again."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = max(1, wait_s)
        super().__init__(self.__doc__)


@dataclass(frozen=True)
class Lives:
    """How long a device's sign-in and its access tokens live, in seconds."""

    sign_in_s: int
    access_s: int


class DeviceSignIn:
    """Signs devices in.

    Args:
        door: The database's side of it.
        keyring: Signs and verifies tokens.
        pepper: The key of the hashes of device secrets.
        lives: How long tokens live.
        failure_window_s: The wait after too many failures.
        count: Counts an event by its name, for `/metrics`.
        is_busy: Whether readings are on their way to the disk just now: a herd leaves them half of the time.
    """

    def __init__(
        self,
        door: DeviceDoor,
        *,
        keyring: Keyring,
        pepper: bytes,
        lives: Lives,
        failure_window_s: int,
        count: Count,
        is_busy: Callable[[], bool],
    ) -> None:
        self._door = door
        self._keyring = keyring
        self._pepper = pepper
        self._lives = lives
        self._window_s = failure_window_s
        self._count = count
        self._is_busy = is_busy
        self._waiting: list[tuple[Knock, asyncio.Future[Judged]]] = []
        self._letting_in: asyncio.Task[None] | None = None

    async def sign_in(self, name: str, secret: str, *, address: str, agent: str) -> Pair | None:
        """The tokens of a device; None when name and secret are no enabled device's, which is not counted yet.

        Raises:
            MustWait: The name has failed too often from there.
            Unavailable: The database does not answer.
        """
        hashed = Secret(secret).hash(self._pepper)
        judged = await self._judged(Knock(uuid4(), name, hashed, address, agent))
        if judged.wait_s is not None:
            raise MustWait(judged.wait_s)
        if judged.device_id is None:
            return None
        self._count("sign_ins")
        _log.info("signed-in", device=judged.device_id, address=address)
        return self._pair(judged.sign_in, judged.device_id, began=judged.now, now=judged.now, ends=judged.expires_at)

    async def failed(self, name: str, *, address: str, agent: str) -> None:
        """Count a failed sign-in, and keep it for the device's team.

        Raises:
            MustWait: It was already one too many.
            Unavailable: The database does not answer.
        """
        is_too_many, is_last = await self._door.failed(name, address=address, agent=agent)
        self._count("sign_in_failures")
        _log.info("sign-in-failed", address=address)
        if is_last:
            self._count("lockouts")
            _log.warning("locked-out", address=address)
        if is_too_many:
            raise MustWait(self._window_s)

    async def refresh(self, claims: Claims, *, address: str, agent: str) -> Pair | None:
        """New tokens for a device's refresh token; None when that is not its sign-in's newest, or ended."""
        device_id, generation = claims.principal.id, claims.generation or FIRST
        found = await self._door.refresh(
            claims.sign_in, device_id=device_id, generation=generation, address=address, agent=agent
        )
        if found is None:
            return None
        now, began, ends = found
        self._count("refreshes")
        _log.info("refreshed", device=device_id, address=address)
        return self._pair(claims.sign_in, device_id, began=began, now=now, ends=ends, generation=generation)

    async def stands(self, claims: Claims) -> bool:
        """Whether a device's access or refresh token would be taken now."""
        newest = await self._door.generation(claims.sign_in, device_id=claims.principal.id)
        return newest is not None and claims.generation in (None, newest)

    def read(self, text: str, *typs: TokenType) -> Claims | None:
        """The claims of a device's token of one of these types; None for whatever else, which others judge."""
        for typ in typs:
            try:
                claims = tokens.read(text, typ, datetime.now(UTC), self._keyring)
            except WrongTokenType:
                continue
            except TokenInvalid:
                return None
            return claims if claims.principal.is_device else None
        return None

    def _pair(
        self, sign_in: UUID, device_id: int, *, began: datetime, now: datetime, ends: datetime, generation: int = FIRST
    ) -> Pair:
        principal = Principal.device(device_id)
        access_ends = min(now.timestamp() + self._lives.access_s, ends.timestamp())
        return Pair(
            access=tokens.issue_access(
                principal,
                sign_in,
                issued_at=now,
                expires_at=datetime.fromtimestamp(access_ends, UTC),
                keyring=self._keyring,
            ),
            signed=lambda: tokens.issue_refresh(
                principal, sign_in, generation=generation, rotated_at=began, expires_at=ends, keyring=self._keyring
            ),
        )

    async def _judged(self, knock: Knock) -> Judged:
        """Judge with all the others that ask meanwhile."""
        answer: asyncio.Future[Judged] = asyncio.get_running_loop().create_future()
        self._waiting.append((knock, answer))
        if self._letting_in is None:
            self._letting_in = asyncio.create_task(self._let_in(), name="devices' sign-in")
        return await answer

    async def _let_in(self) -> None:
        """While one group commits the next one gathers."""
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                began_s = monotonic()
                await self._let_group_in(group)
                if len(group) > SHORT_GROUP and self._is_busy():
                    await asyncio.sleep(monotonic() - began_s)
        finally:
            self._letting_in = None

    async def _let_group_in(self, group: list[tuple[Knock, "asyncio.Future[Judged]"]]) -> None:
        judged: dict[UUID, Judged] = {}
        failure: Problem = Broken()
        try:
            judged = await self._door.sign_in([knock for knock, _ in group], life_s=self._lives.sign_in_s)
        except Unavailable as problem:
            failure = problem
        finally:  # whatever happened: nobody waits for ever
            _settle([(answer, judged.get(knock.sign_in, failure)) for knock, answer in group])


def _settle(found: "list[tuple[asyncio.Future[Judged], Judged | Problem]]") -> None:
    """Wake a few who wait, and the others when the loop comes round: readings go on while a herd is let in."""
    for answer, outcome in found[:ANSWERED_AT_ONCE]:
        if answer.done():
            continue
        if isinstance(outcome, Judged):
            answer.set_result(outcome)
        else:
            answer.set_exception(outcome)
    if rest := found[ANSWERED_AT_ONCE:]:
        asyncio.get_running_loop().call_soon(_settle, rest)
