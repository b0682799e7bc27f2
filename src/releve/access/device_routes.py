"""The sign-in routes of contracts A and C as far as devices call them; what may be a person's is handed on untouched.

A name without an `@` can be nobody but a device's. One with it is handed on unless it is a device's with its secret,
so that time and words tell nothing about which names exist.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from releve.access.device_sign_in import DeviceSignIn, MustWait, Pair
from releve.http.answer import CHALLENGE, answer
from releve.http.request import Header, Request, Send
from releve.protocol import strict_json
from releve.protocol.problem import BadJSON
from releve.protocol.token import TokenType

Handler = Callable[[Request, Send], Awaitable[None]]
BODY_BYTES = 16 * 1024
PASSWORD_LENGTH = 1024  # as the control plane takes
AGENT_LENGTH = 256
_DEVICE_NAME = re.compile(r"[A-Za-z0-9@._:-]{1,128}\Z", re.ASCII)
_PRIVATE: tuple[Header, ...] = ((b"cache-control", b"no-store"), (b"content-language", b"en"))
_WRONG = {
    "device_id": (403, {"detail": "Identifiants invalides"}),
    "username": (401, {"detail": "No active account found with the given credentials"}),
}
_ENDED = {"detail": "Token is invalid or expired", "code": "token_not_valid"}


class DeviceRoutes:
    """Answers `/auth/login` and `/api/token` for devices.

    Args:
        sign_in: Signs them in.
        otherwise: Answers everything else, the body as it came.
    """

    def __init__(self, sign_in: DeviceSignIn, *, otherwise: Handler) -> None:
        self._sign_in = sign_in
        self._otherwise = otherwise
        self.handlers: dict[str, Handler] = {
            "/auth/login": self.login,
            "/api/token": self.obtain,
            "/api/token/refresh": self.refresh,
            "/api/token/verify": self.verify,
        }

    async def login(self, request: Request, send: Send) -> None:
        """Contract A's sign-in: one token."""
        await self._enter(request, send, field="device_id")

    async def obtain(self, request: Request, send: Send) -> None:
        """Contract C's sign-in: a pair of tokens."""
        await self._enter(request, send, field="username")

    async def refresh(self, request: Request, send: Send) -> None:
        """A new access token for a device's refresh token."""
        fields = await self._fields(request)
        claims = self._sign_in.read(_text(fields, "refresh"), TokenType.REFRESH)
        pair = None
        if claims is not None:
            pair = await self._sign_in.refresh(claims, address=request.address, agent=_agent(request))
        if pair is None:
            await self._otherwise(request, send)
        else:
            await answer(send, 200, {"access": pair.access, "refresh": pair.refresh}, _PRIVATE)

    async def verify(self, request: Request, send: Send) -> None:
        """Whether a device's token would be taken."""
        fields = await self._fields(request)
        claims = self._sign_in.read(_text(fields, "token"), TokenType.ACCESS, TokenType.REFRESH)
        if claims is None:
            await self._otherwise(request, send)
        elif await self._sign_in.stands(claims):
            await answer(send, 200, {}, _PRIVATE)
        else:
            await answer(send, 401, _ENDED, (CHALLENGE, *_PRIVATE))

    async def _enter(self, request: Request, send: Send, *, field: str) -> None:
        fields = await self._fields(request)
        name, secret = _credentials(fields, field)
        if not name:
            await self._otherwise(request, send)
            return
        where = {"address": request.address, "agent": _agent(request)}
        may_be_a_persons = "@" in name
        try:
            pair = await self._sign_in.sign_in(name, secret, **where)
            if pair is None and not may_be_a_persons:
                await self._sign_in.failed(name, **where)
        except MustWait as wait:
            if may_be_a_persons:
                await self._otherwise(request, send)
            else:
                headers = ((b"retry-after", b"%d" % wait.wait_s), *_PRIVATE)
                await answer(send, 429, {"detail": str(wait)}, headers)
            return
        if pair is not None:
            await answer(send, 200, _answer(pair, field), _PRIVATE)
        elif may_be_a_persons:
            await self._otherwise(request, send)
        else:
            status, document = _WRONG[field]
            await answer(send, status, document, (CHALLENGE, *_PRIVATE) if status == 401 else _PRIVATE)  # noqa: PLR2004 - RFC 9110

    async def _fields(self, request: Request) -> dict[str, Any]:
        """The members of a plain body; none of anything else, which others answer."""
        length = request.headers.get(b"content-length", b"")
        is_plain = request.method == "POST" and length.isdigit() and int(length) <= BODY_BYTES
        if not is_plain or b"content-encoding" in request.headers or request.query:
            return {}
        try:
            fields = strict_json.decode(await request.keep_body())
        except BadJSON:
            return {}
        return fields if type(fields) is dict else {}


def _credentials(fields: dict[str, Any], field: str) -> tuple[str, str]:
    """Name and secret, empty where they could not be a device's."""
    name = fields.get("email") if field == "username" and "username" not in fields else fields.get(field)
    secret = fields.get("password")
    if type(name) is not str or type(secret) is not str or not 0 < len(secret) <= PASSWORD_LENGTH:
        return "", ""
    name = name.strip()
    return (name, secret) if _DEVICE_NAME.match(name) else ("", "")


def _answer(pair: Pair, field: str) -> dict[str, str]:
    return {"token": pair.access} if field == "device_id" else {"access": pair.access, "refresh": pair.refresh}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if type(value) is str else ""


def _agent(request: Request) -> str:
    agent = request.text(b"user-agent")
    if agent.isprintable():
        return agent[:AGENT_LENGTH]
    return "".join(character for character in agent if character.isprintable())[:AGENT_LENGTH]
