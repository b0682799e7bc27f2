"""People's sign-ins wait here, in the event loop, for their turn at a slow hash: no thread of the control plane waits.

Addresses take turns, so that somebody who guesses on thirty connections delays others by one hash, not by thirty.
And a turn rests before it is given on: a hash fills a hundred megabytes, which slows what runs on the other core by
half, whatever its niceness. So that devices keep most of their rate, hashes are computed half of the time at most.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from releve.http.request import Request, Send
from releve.protocol.attempt import subscriber_of
from releve.protocol.problem import Unavailable

Handler = Callable[[Request, Send], Awaitable[None]]
WAITING_OF_ONE = 8  # requests of one address
WAITING = 256
WAIT_S = 10.0
LONGEST_S = 1.0  # what took longer was not a hash: a slow client, or a letter to a mail server
_ROUTES = frozenset({"/auth/login", "/api/token", "/welcome"})
_PAGES = ("/account/", "/admin/")  # allauth's and Django's own doors


class Busy(Unavailable):
    """Too many people are signing in at this moment; try again."""

    title = "Too many sign-ins"
    retry_after_s = 2


class Turns:
    """Lets a few requests at a time through to where a password is checked.

    Args:
        at_once: How many are computed at the same time.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._rests = 2 * at_once - 1  # for each second at work, so that all together are at work half of the time
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def before(self, handler: Handler) -> Handler:
        """The handler, with a wait in front of what may compute a slow hash."""

        async def answer(request: Request, send: Send) -> None:
            if not is_slow(request):
                await handler(request, send)
                return
            await request.keep_body()  # nobody takes a turn and then lets us wait for the body
            async with self.turn(subscriber_of(request.address)):
                await handler(request, send)

        return answer

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn, and give it back after a rest.

        Raises:
            Busy: Too many wait already, or none came in time.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(address)
        loop = asyncio.get_running_loop()
        since_s = loop.time()
        try:
            yield
        finally:
            loop.call_later(self._rests * min(loop.time() - since_s, LONGEST_S), self._give_back)

    async def _wait(self, address: str) -> None:
        queue = self._waiting.setdefault(address, deque())
        if len(queue) >= WAITING_OF_ONE or sum(map(len, self._waiting.values())) >= WAITING:
            raise Busy
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await asyncio.wait_for(asyncio.shield(turn), WAIT_S)
        except BaseException as error:
            if turn.done():
                self._give_back()  # it came in the very moment that nobody wanted it any more
            else:
                turn.cancel()
            if isinstance(error, TimeoutError):
                raise Busy from error
            raise

    def _give_back(self) -> None:
        """Pass the turn on, to the address that has waited longest since its last one."""
        while self._waiting:
            address, queue = self._waiting.popitem(last=False)
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    if queue:
                        self._waiting[address] = queue  # behind all others
                    turn.set_result(None)
                    return
        self._free += 1


def is_slow(request: Request) -> bool:
    """Whether a password may be checked for it."""
    return request.method == "POST" and (request.path in _ROUTES or request.path.startswith(_PAGES))
