"""`GET /get_broker_data` of contract B: the last text of every topic of the caller's cars."""

import asyncio
from time import monotonic
from typing import Any

from releve.access.authenticate import Authenticator
from releve.http.answer import answer, answer_options, answer_problem
from releve.http.request import Request, Send
from releve.protocol.nobody import DEFAULT_TEAM, may_look
from releve.protocol.problem import Forbidden, MethodNotAllowed, Problem
from releve.storage.pool import Pool
from releve.storage.queries import query

PATH = "/get_broker_data"
WAIT_S = 4.5  # the contract's 5 s, with time left to answer
LOOK_EVERY_S = 0.25
NOTHING = {"message": "No data received from broker"}


class BrokerRoutes:
    """Answers at once from the last values; waits only while there is none at all.

    Args:
        authenticator: Tells whose token it is.
        pool: Lends a connection.
        anonymous_role: What a caller without a token may do.
    """

    def __init__(self, authenticator: Authenticator, pool: Pool, *, anonymous_role: str) -> None:
        self._authenticator = authenticator
        self._pool = pool
        self._anonymous_role = anonymous_role
        self.handlers = {PATH: self.last_values}

    async def last_values(self, request: Request, send: Send) -> None:
        """Topic to last payload, as text."""
        if request.method == "OPTIONS":
            await answer_options(send, "GET, HEAD")
            return
        if request.method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(f"{PATH} takes GET only")
        try:
            teams = await self._teams(request)
        except Problem as problem:
            await answer_problem(send, problem, {"message": str(problem)})
            return
        until_s = monotonic() + WAIT_S
        while not (values := await self._values(teams)):
            if monotonic() >= until_s:
                await answer(send, 504, NOTHING)
                return
            await asyncio.sleep(LOOK_EVERY_S)
        await answer(send, 200, {"data": values})

    async def _teams(self, request: Request) -> list[int] | None:
        """The teams whose cars the caller may see; None is the default team, where a caller without a token acts."""
        token = request.token()
        if token is None and may_look(self._anonymous_role):
            return None
        sender = await self._authenticator.sender(token or "")
        if sender.is_device:
            raise Forbidden("a device's sign-in sends readings; sign in as a person to read them")
        return list(sender.roles)

    async def _values(self, teams: list[int] | None) -> dict[str, Any]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                query("last_topic_values"), {"teams": teams, "default_team": DEFAULT_TEAM}
            )
            return dict(await cursor.fetchall())
