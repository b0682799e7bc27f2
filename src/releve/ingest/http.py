"""The data plane's HTTP routes that take readings in: `/data`, `/api/send/data` and `/api/v1/readings`."""

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from releve.access.authenticate import Authenticator
from releve.access.refusal import in_gyms_words, not_valid
from releve.http.answer import answer
from releve.http.request import Header, Request, Send
from releve.ingest.path import Path
from releve.ingest.verdict import spelt_all, verdict, wants_minimum
from releve.protocol.contract import GENERIC, GYM, PROFILOMETRE, Contract
from releve.protocol.decode import Arrival
from releve.protocol.format import Shape, format_of, json, split
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import BadReading, MethodNotAllowed, Unauthenticated
from releve.protocol.sender import Sender

KEY_LIMIT = 256
APPLIED: Header = (b"preference-applied", b"return=minimal")
IMPORTED = b"releve-imported"  # says that a request holds history, as `releve import` does


class IngestRoutes:
    """Answers the routes that take readings in.

    Args:
        authenticator: Tells whose token it is.
        path: Takes the readings to the disk.
        batch_limit: Most readings in one request.
    """

    def __init__(self, authenticator: Authenticator, path: Path, *, batch_limit: int) -> None:
        self._authenticator = authenticator
        self._path = path
        self._batch_limit = batch_limit
        json.first(batch_limit + 1)  # made now, and not while everybody waits for the first large batch
        self.handlers = {
            "/data": self.gym,
            "/api/send/data": self.profilometre,
            "/api/v1/readings": self.readings,
        }

    async def gym(self, request: Request, send: Send) -> None:
        """Contract A: one reading of a gym machine."""
        try:
            receipt, sender = await self._accept_one(request, GYM)
        except Unauthenticated as problem:
            problem.wire = in_gyms_words(problem)
            raise
        await self._answer(send, 200, {"message": "Données reçues", "device": sender.name, **verdict(receipt)})

    async def profilometre(self, request: Request, send: Send) -> None:
        """Contract C: one reading of a profilometre or a phone; exactly 200, for a repeat too."""
        try:
            receipt, sender = await self._accept_one(request, PROFILOMETRE)
        except Unauthenticated as problem:
            problem.wire = not_valid(problem)
            raise
        await self._answer(send, 200, {"message": "Data received", "device": sender.name, **verdict(receipt)})

    async def readings(self, request: Request, send: Send) -> None:
        """Our own: one object, an array, or one object per line; a verdict per reading, in order."""
        sender = await self._sender(request, GENERIC)
        shape = await self._shape(request)
        submission = await self._path.read(shape, contract=GENERIC, sender=sender, arrival=_arrival(request))
        receipts = await self._path.keep(submission)
        if shape.is_batch:
            is_taken = any(receipt.outcome is not Outcome.REFUSED for receipt in receipts)
            is_minimal = wants_minimum(request.headers.get(b"prefer", b""))
            applied = (APPLIED,) if is_minimal else ()
            document = msgspec.Raw(spelt_all(receipts, is_minimal=is_minimal))
            await self._answer(send, 200 if is_taken else BadReading.status, document, applied)
        else:
            await self._answer(send, 200, verdict(receipts[0]))

    async def _answer(self, send: Send, status: int, document: Any, headers: Iterable[Header] = ()) -> None:
        with self._path.timed("answer"):
            await answer(send, status, document, headers)

    async def _accept_one(self, request: Request, contract: Contract) -> tuple[Receipt, Sender]:
        sender = await self._sender(request, contract)
        body = await request.body()
        submission = self._path.read_one(body, contract=contract, sender=sender, arrival=_arrival(request))
        return (await self._path.keep(submission))[0], sender

    async def _shape(self, request: Request) -> Shape:
        form = format_of(request.headers.get(b"content-type", b""))
        return split(await request.body(), form, limit=self._batch_limit)

    async def _sender(self, request: Request, contract: Contract) -> Sender:
        if request.method != "POST":
            raise MethodNotAllowed(f"{request.path} takes POST only")
        token = request.credential()
        if token is None:
            raise Unauthenticated
        with self._path.timed("authenticate"):
            sender = await self._authenticator.sender(token, address=request.address)
            if sender.device_id is None:
                sender = await self._authenticator.with_device(sender, token, contract=contract.name)
        self._path.admit(sender)  # before its body costs anything
        return sender


def _arrival(request: Request) -> Arrival:
    return Arrival(
        received_us=time.time_ns() // 1000,
        transport="http",
        key=message_key(request),
        is_imported=request.headers.get(IMPORTED) == b"1",
    )


def message_key(request: Request) -> str | None:
    """The sender's own message id for the whole request, from the header Idempotency-Key.

    Raises:
        BadReading: It is empty or too long.
    """
    key = request.headers.get(b"idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= KEY_LIMIT:
        raise BadReading(f"has 1 to {KEY_LIMIT} characters", field="Idempotency-Key")
    return key.decode("latin-1")
