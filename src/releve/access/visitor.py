"""Who opens a live page: by a token in a header, by the browser's session, or nobody where that is enough."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from releve.access.authenticate import Authenticator
from releve.access.shared import Links, Shown
from releve.http.request import Scope
from releve.protocol.nobody import DEFAULT_TEAM, may_look
from releve.protocol.problem import Forbidden, NotFound, RepeatedHeader, Unauthenticated, Unavailable
from releve.protocol.sender import Sender
from releve.protocol.site import is_own
from releve.storage.device_row import FOR_EVER_S
from releve.storage.pool import Pool
from releve.storage.queries import query

SESSIONS_AT_ONCE = 2  # each takes a thread of the control plane, and a connection of its own
_OTHER_SITES = ("cross-site", "same-site")
Browsing = tuple[int, UUID, float]  # account, sign-in, and when that ends
SessionOf = Callable[[str], Awaitable[Browsing | None]]
Again = Callable[[], Awaitable[Sender | None]]


class Visitor(msgspec.Struct, frozen=True):
    """Whoever was let in.

    Attributes:
        sender: Whose teams are shown.
        again: Looks them up once more; None when they are nobody any more.
        shown: The one thing that a shared link shows; None for whoever has a name, who sees all of their teams'.
    """

    sender: Sender
    again: Again
    shown: Shown | None = None


class Visitors:
    """Lets people in.

    Args:
        authenticator: Knows access tokens.
        pool: Finds people.
        anonymous_role: What a caller without a token may do on the racing routes.
        session_of: Whose session a Cookie header stands for; the control plane is asked.
        links: Knows shared links.
        public_url: The address that people reach us at, if that is not the request's own.
        origins: Those of other sites whose pages may watch.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        pool: Pool,
        *,
        anonymous_role: str,
        session_of: SessionOf,
        links: Links,
        public_url: str,
        origins: frozenset[str] = frozenset(),
    ) -> None:
        self._authenticator = authenticator
        self._pool = pool
        self._anonymous_role = anonymous_role
        self._session_of = session_of
        self._links = links
        self._public = urlsplit(public_url).netloc
        self._origins = origins
        self._asking = asyncio.Semaphore(SESSIONS_AT_ONCE)

    async def who(self, scope: Scope) -> Visitor:
        """The visitor of an opening WebSocket.

        Raises:
            RepeatedHeader: A header that decides it stands twice.
            Unauthenticated: It is nobody, and nobody may look.
            Forbidden: It is a device, or a page of another site.
            Unavailable: That cannot be known just now.
        """
        return await self._somebody(scope) or await self._nobody()

    async def known(self, scope: Scope) -> Visitor:
        """The visitor of a stream over HTTP, who has a name.

        Raises:
            Problem: As `who`; nobody is let in, whatever a caller without a token may do elsewhere.
        """
        visitor = await self._somebody(scope)
        if visitor is None:
            raise Unauthenticated
        return visitor

    async def by_link(self, scope: Scope, number: int) -> Visitor:
        """The visitor who has opened a shared link in this browser.

        Raises:
            NotFound: They have not, or the link is over.
            Problem: As `who`.
        """
        headers = self._checked(scope)
        self._refuse_strangers(headers)
        cookies = headers.get("cookie", "")
        found = await self._links.opened(cookies, number)
        if found is None:
            raise NotFound("there is no such link, or it is over", field="share")

        async def again() -> Sender | None:
            still = await self._links.opened(cookies, number)
            return None if still is None else still[0]

        return Visitor(found[0], again, found[1])

    async def _somebody(self, scope: Scope) -> Visitor | None:
        """Whose token or session it is; None for nobody's."""
        headers = self._checked(scope)
        if "authorization" in headers:
            return await self._by_token(headers["authorization"])
        # A browser sends cookies, and reaches loopback, on behalf of any site: RFC 6455, section 10.2.
        if headers.get("origin") in self._origins:
            return None  # as over HTTP, where no cookie of ours is sent along
        self._refuse_strangers(headers)
        return await self._by_session(headers.get("cookie", ""))

    def _checked(self, scope: Scope) -> dict[str, str]:
        if self._authenticator.feed.is_cut:
            raise Unavailable
        return _headers(scope)

    def _refuse_strangers(self, headers: dict[str, str]) -> None:
        """Refuse what a page of another site has a browser ask with our cookies."""
        # A picture or a script of another site's page says no Origin, and yet brings our cookie: Fetch Metadata tells.
        is_strange = headers.get("sec-fetch-site", "") in _OTHER_SITES
        if is_strange or not is_own(headers.get("origin"), headers.get("host"), public=self._public):
            raise Forbidden("a page of another site may not watch; RELEVE_ALLOWED_ORIGINS names those that may")

    async def _by_token(self, authorization: str) -> Visitor:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated
        sender = await self._authenticator.sender(token.strip())
        if sender.is_device:
            raise Forbidden("a device's sign-in sends readings; sign in as a person to watch")

        async def again() -> Sender | None:
            try:
                return await self._authenticator.sender(token.strip())
            except Unauthenticated:
                return None

        return Visitor(sender, again)

    async def _by_session(self, cookies: str) -> Visitor | None:
        if not cookies:
            return None
        async with self._asking:
            browsing = await self._session_of(cookies)
        if browsing is None:
            return None
        account, sign_in, expires_s = browsing

        async def again() -> Sender | None:
            return await self._pool.person(account, sign_in=sign_in, expires_s=expires_s)

        sender = await again()
        return None if sender is None else Visitor(sender, again)

    async def _nobody(self) -> Visitor:
        if not may_look(self._anonymous_role):
            raise Unauthenticated
        sender = await self._anonymous()

        async def again() -> Sender | None:
            return await self._anonymous()

        return Visitor(sender, again)

    async def _anonymous(self) -> Sender:
        """Somebody without a name, who sees the default team."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query("find_team"), {"name": DEFAULT_TEAM})
            row = await cursor.fetchone()
        return Sender(
            principal="",
            sign_in="",
            name="",
            device_id=None,
            team_id=None,
            contract="generic",
            zone=ZoneInfo("UTC"),
            roles={} if row is None else {row[0]: self._anonymous_role},
            is_device=False,
            expires_s=FOR_EVER_S,
        )


def _headers(scope: Scope) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        text = name.decode("latin-1").lower()
        if text in headers and text in ("authorization", "host", "origin"):
            raise RepeatedHeader(f"the header {text.title()} stands more than once; send it once")
        headers[text] = f"{headers[text]}; {value.decode('latin-1')}" if text in headers else value.decode("latin-1")
    return headers
