"""The data plane's HTTP routes that read: who may ask is settled here, once for all of them."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import msgspec
from psycopg.rows import dict_row

from releve.access.authenticate import Authenticator
from releve.access.refusal import in_gyms_words
from releve.http.request import Request, Send, while_there
from releve.ingest.path import Path
from releve.protocol.problem import BadRequest, Forbidden, MethodNotAllowed, NotFound, Unauthenticated
from releve.protocol.sender import Sender
from releve.query.described import descriptions
from releve.query.device import commands, machine, quarantine, readings
from releve.query.export.answer import Export, Wish
from releve.query.latest import Asked as AskedOfLatest
from releve.query.latest import answer_latest
from releve.query.series import asked as series
from releve.query.series.reply import Replies
from releve.query.series.source import of_device
from releve.query.which import Which
from releve.storage.pool import Pool
from releve.storage.queries import query

Handler = Callable[[Request, Send], Awaitable[None]]
_DEVICES = ("api", "v1", "devices")
_LARGEST_ID = 2**31 - 1
NO_DEVICE = "there is no such device, or it is not your team's"


class Device(msgspec.Struct, frozen=True):
    """The device that a route is about, after the caller was found to be of its team."""

    id: int
    name: str
    team_id: int
    contract: str
    timezone: str
    counts_uptime: bool
    added_us: int
    owners: list[int]

    def as_sender(self, asking: Sender) -> Sender:
        """The device as the sender of its own quarantined readings, when the asking person replays them."""
        return Sender(
            principal=asking.principal,
            sign_in=asking.sign_in,
            name=self.name,
            device_id=self.id,
            team_id=self.team_id,
            contract=self.contract,
            zone=ZoneInfo(self.timezone),
            roles={},
            is_device=True,
            expires_s=asking.expires_s,
            counts_uptime=self.counts_uptime,
            added_us=self.added_us,
        )


class _DeviceRoutes:
    """Knows who asks, and for which device.

    Args:
        authenticator: Tells whose token it is.
        pool: Lends a connection.
    """

    def __init__(self, authenticator: Authenticator, pool: Pool) -> None:
        self._authenticator = authenticator
        self._pool = pool

    async def _edited(self, request: Request, method: str, device_id: str) -> tuple[Sender, Device]:
        """The asking person and the device, as long as they may change it."""
        sender = await self._sender(request, method)
        device = await self._own_device(device_id, sender)
        if not sender.may_edit(device.team_id):
            raise Forbidden("this takes the role editor")
        return sender, device

    async def _sender(self, request: Request, method: str) -> Sender:
        if request.method != method and not (method == "GET" and request.method == "HEAD"):
            raise MethodNotAllowed(f"{request.path} takes {method} only")
        token = request.token()
        if token is None:
            raise Unauthenticated
        return await self._authenticator.sender(token)

    async def _device(self, device_id: str, sender: Sender) -> Device:
        """The device, as long as it is or was of a team of the sender's; a stranger's is not found, not forbidden."""
        _refuse_device(sender)
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query("find_device"), {"device": whole(device_id)})
            row = await cursor.fetchone()
        if row is None or not any(sender.may_read(team) for team in (row["team_id"], *row["owners"])):
            raise NotFound(NO_DEVICE)
        return Device(**row)

    async def _own_device(self, device_id: str, sender: Sender) -> Device:
        """The device, as long as it is of a team of the sender's now."""
        device = await self._device(device_id, sender)
        if not sender.may_read(device.team_id):
            raise NotFound(NO_DEVICE)
        return device


class QueryRoutes(_DeviceRoutes):
    """Finds the handler of a path and answers with rows of the caller's teams only."""

    def __init__(self, authenticator: Authenticator, pool: Pool) -> None:
        super().__init__(authenticator, pool)
        self._replies = Replies(pool)
        self._of_device = {
            "readings": self._readings,
            "export": self._export,
            "series": self._series,
            "quarantine": self._quarantine,
            "commands": self._commands,
            "config": self._config,
        }

    def find(self, path: str) -> Handler | None:
        """The handler of a path, None when it is the control plane's."""
        match path.split("/")[1:]:
            case ["status", number]:
                return self._machine(number)
            case ["api", "v1", "series"]:
                return self._series_of_several
            case ["api", "v1", "latest"]:
                return self._latest
            case [*start, device, what] if tuple(start) == _DEVICES and what in self._of_device:
                return self._of_device[what](device)
        return None

    def _machine(self, number: str) -> Handler:
        async def handler(request: Request, send: Send) -> None:
            try:
                sender = await self._sender(request, "GET")
            except Unauthenticated as problem:
                problem.wire = in_gyms_words(problem)
                raise
            await while_there(request, machine.answer_status(self._pool, send, sender=sender, number=number))

        return handler

    def _readings(self, device_id: str) -> Handler:
        async def handler(request: Request, send: Send) -> None:
            sender = await self._sender(request, "GET")
            device = await self._device(device_id, sender)
            page = readings.Page.of(parameters(request), accept=request.text(b"accept"))

            teams = list(sender.roles)
            await while_there(
                request, readings.answer_page(self._pool, send, device_id=device.id, teams=teams, page=page)
            )

        return handler

    def _export(self, device_id: str) -> Handler:
        async def handler(request: Request, send: Send) -> None:
            sender = await self._sender(request, "GET")
            device = await self._device(device_id, sender)
            asked = Wish.of(parameters(request), accept=request.text(b"accept"), beside=readings.SPAN)
            span = readings.span_of(parameters(request))
            values = {"device": device.id, "teams": list(sender.roles), "from_us": span[0], "to_us": span[1]}
            spans = await self._pool.ask(query("owned_stretches"), values)
            which = Which(device_id=device.id, spans=[(since, until) for since, until in spans])
            told = await descriptions(self._pool, {device.id: device.contract}, list(sender.roles))
            await Export(self._pool, which, asked, told[device.id], name=f"device-{device.id}").reply(request, send)

        return handler

    def _series(self, device_id: str) -> Handler:
        async def handler(request: Request, send: Send) -> None:
            sender = await self._sender(request, "GET")
            device = await self._device(device_id, sender)
            asked = series.Asked.of(request.query, known=series.OF_DEVICE, accept=request.text(b"accept"))
            source = of_device(device.id, device.contract, list(sender.roles), asked)
            await self._replies.answer(request, send, asked=asked, sources=[source])

        return handler

    async def _series_of_several(self, request: Request, send: Send) -> None:
        sender = await self._sender(request, "GET")
        asked = series.Asked.of(request.query, known=series.OF_DEVICES, accept=request.text(b"accept"))
        devices = [await self._device(str(number), sender) for number in asked.devices]
        sources = [of_device(device.id, device.contract, list(sender.roles), asked) for device in devices]
        await self._replies.answer(request, send, asked=asked, sources=sources)

    async def _latest(self, request: Request, send: Send) -> None:
        sender = await self._sender(request, "GET")
        _refuse_device(sender)
        asked = AskedOfLatest.of(request.query, now=datetime.now(UTC))
        await while_there(request, answer_latest(self._pool, send, teams=list(sender.roles), asked=asked))

    def _quarantine(self, device_id: str) -> Handler:
        async def handler(request: Request, send: Send) -> None:
            sender = await self._sender(request, "GET")
            device = await self._device(device_id, sender)
            asked = parameters(request)

            async def work() -> None:
                async with self._pool.connection() as connection:
                    await quarantine.answer_page(
                        connection, send, device_id=device.id, teams=list(sender.roles), asked=asked
                    )

            await while_there(request, work())

        return handler

    def _commands(self, device_id: str) -> Handler:
        async def handler(request: Request, send: Send) -> None:
            if request.method == "POST":
                sender, device = await self._edited(request, "POST", device_id)
                body = await request.body()
                async with self._pool.connection() as connection:
                    await commands.answer_new(
                        connection, send, device_id=device.id, contract=device.contract, by=sender.name, body=body
                    )
                return
            sender = await self._sender(request, "GET")
            device = await self._device(device_id, sender)
            teams, asked = list(sender.roles), parameters(request)
            async with self._pool.connection() as connection:
                await commands.answer_page(connection, send, device_id=device.id, teams=teams, asked=asked, whole=whole)

        return handler

    def _config(self, device_id: str) -> Handler:
        async def handler(request: Request, send: Send) -> None:
            if request.method == "PUT":
                sender, device = await self._edited(request, "PUT", device_id)
                body = await request.body()
                async with self._pool.connection() as connection:
                    await commands.answer_new_config(connection, send, device_id=device.id, by=sender.name, body=body)
                return
            device = await self._own_device(device_id, await self._sender(request, "GET"))
            async with self._pool.connection() as connection:
                await commands.answer_config(connection, send, device_id=device.id)

        return handler


class ReplayRoutes(_DeviceRoutes):
    """Takes readings that were quarantined through the path once more, where readings are taken.

    Args:
        authenticator: Tells whose token it is.
        pool: Lends a connection.
        path: Takes them to the disk.
    """

    def __init__(self, authenticator: Authenticator, pool: Pool, path: Path) -> None:
        super().__init__(authenticator, pool)
        self._path = path

    def find(self, path: str) -> Handler | None:
        """The handler of a path, None when it is another's."""
        match path.split("/")[1:]:
            case [*start, device, "quarantine", "replay"] if tuple(start) == _DEVICES:
                return self._replay(device, None)
            case [*start, device, "quarantine", number, "replay"] if tuple(start) == _DEVICES:
                return self._replay(device, number)
        return None

    def _replay(self, device_id: str, number: str | None) -> Handler:
        async def handler(request: Request, send: Send) -> None:
            with self._path.timed("authenticate"):
                sender = await self._sender(request, "POST")
                device = await self._own_device(device_id, sender)
            if not sender.may_edit(device.team_id):
                raise Forbidden("replaying takes the role editor")
            chosen = None if number is None else whole(number)
            change = quarantine.Change.of(await request.body())
            replay = quarantine.Replay(self._pool, self._path, device.as_sender(sender))
            await replay.answer(send, chosen=chosen, change=change)

        return handler


def _refuse_device(sender: Sender) -> None:
    if sender.is_device:
        raise Forbidden("a device's sign-in sends readings; sign in as a person to read them")


def parameters(request: Request) -> Mapping[str, str]:
    """The query string's parameters; each may stand once.

    Raises:
        BadRequest: One stands twice, or it is not readable.
    """
    try:
        given = parse_qs(request.query.decode("ascii"), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError as error:
        raise BadRequest(f"the query string cannot be read: {error}") from error
    for name, values in given.items():
        if len(values) > 1:
            raise BadRequest("stands more than once", field=name)
        if "\0" in values[0]:
            raise BadRequest("text with a NUL character", field=name)
    return {name: values[0] for name, values in given.items()}


def whole(text: str) -> Any:
    """An id in a path.

    Raises:
        NotFound: It is no number that an id can be.
    """
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > _LARGEST_ID:
        raise NotFound
    return int(text)
