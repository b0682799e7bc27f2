"""Where a batch of history goes: to the running server, or through the same rules without being sent."""

import time
from datetime import tzinfo
from threading import Event
from typing import Any, Protocol

import httpx
import msgspec

from releve.protocol.contract import GENERIC
from releve.protocol.decode import Arrival, read_one
from releve.protocol.instant import iso
from releve.protocol.problem import BadReading
from releve.protocol.reading import Quarantined, Reading
from releve.protocol.sender import Sender
from releve.protocol.waveform import Waveform

ROUTE = "/api/v1/readings"
TIMEOUT_S = 60.0
TRIES = 8
LONGEST_PAUSE_S = 10.0
AGAIN = "run the same command again, nothing counts twice"
_decode = msgspec.json.Decoder().decode
Verdict = dict[str, Any]


class NotTaken(Exception):
    """The server took no batch any more; the message says what to do."""


class Target(Protocol):
    """Takes batches of readings."""

    def take(self, batch: list[bytes]) -> list[Verdict]:
        """The verdict of each reading, in order; one reading is one JSON text."""

    def stop(self) -> None:
        """Wait for nothing more: nobody will ask for another verdict."""


class Rehearsal:
    """Holds readings to the server's own rules and sends nothing."""

    def __init__(self, zone: tzinfo) -> None:
        self._sender = Sender(
            principal="rehearsal",
            sign_in="",
            name="",
            device_id=0,
            team_id=None,
            contract=GENERIC.name,
            zone=zone,
            roles={},
            is_device=True,
            expires_s=0.0,
        )

    def take(self, batch: list[bytes]) -> list[Verdict]:
        """What the server would say, but for repeats."""
        return list(map(self._verdict, batch))

    def stop(self) -> None:
        """It waits for nothing."""

    def _verdict(self, payload: bytes) -> Verdict:
        arrival = Arrival(received_us=time.time_ns() // 1000, transport="http")
        try:
            item = read_one(payload, contract=GENERIC, sender=self._sender, arrival=arrival, key=None)
        except BadReading as problem:
            return {"outcome": "refused", "field": problem.field, "reason": problem.detail}
        if isinstance(item, Quarantined):
            return {"outcome": "quarantined", "field": item.field, "reason": item.reason}
        if isinstance(item, Waveform):
            item = item.first
        if not isinstance(item, Reading):
            return {"outcome": "refused", "field": item.field, "reason": item.reason}
        return {"outcome": "accepted", "time": iso(item.instant.time_us)}


class Uploads:
    """Sends batches to the running server; one that is not answered is sent again, which counts nothing twice."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Releve-Imported": "1"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S)
        self._was_there = False
        self._stopped = Event()

    def take(self, batch: list[bytes]) -> list[Verdict]:
        """Store a batch.

        Raises:
            NotTaken: The server refuses it as a whole, does not answer for a while, or was not there to begin with.
        """
        if not batch:
            return []
        body = b"[%b]" % b",".join(batch)
        why = ""
        for attempt in range(TRIES):
            if attempt and self._stopped.wait(min(2.0 ** (attempt - 1), LONGEST_PAUSE_S)):
                break
            try:
                reply = self._client.post(ROUTE, content=body)
            except httpx.TransportError as error:
                why = f"the server does not answer ({error})"
                if isinstance(error, httpx.ConnectError) and not self._was_there:
                    break  # nobody is restarting: it was not started
                continue
            self._was_there = True
            if reply.status_code in {429, 503}:
                why = f"the server is busy ({reply.status_code})"
                continue
            return _verdicts(reply)
        raise NotTaken(f"{why}; {AGAIN}")

    def stop(self) -> None:
        """Try no batch again."""
        self._stopped.set()

    def close(self) -> None:
        """End the connection."""
        self._client.close()


def _verdicts(reply: httpx.Response) -> list[Verdict]:
    try:
        document = _decode(reply.content)
    except msgspec.DecodeError as error:
        raise NotTaken(f"{reply.url} answered {reply.status_code}, and not as a Relevé does") from error
    if type(document) is not dict:
        raise NotTaken(f"{reply.url} answered {reply.status_code}, and not as a Relevé does")
    if "readings" in document:
        verdicts: list[Verdict] = document["readings"]
        return verdicts
    raise NotTaken(f"refused ({reply.status_code}): {document.get('detail', document)}; {AGAIN}")
