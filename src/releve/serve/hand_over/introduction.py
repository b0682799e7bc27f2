"""What goes along with a request that is handed over: who really asks, and proof that it comes from one of us.

One header carries it. Clients' own headers of that name are taken away, and the control process answers nobody who
cannot prove that the request was handed over.
"""

import hmac
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from releve.http.request import Header, Scope

HEADER = b"x-releve-hand-over"
NOBODY = "-"


class Introduction(msgspec.Struct, frozen=True, array_like=True):
    """Who asks.

    Attributes:
        proof: Known to the processes of one installation alone.
        address: The client's own address, `-` when it is unknown.
        port: Its port.
        scheme: `http` or `https`, as the client reached us.
        version: The HTTP version that the client spoke.
        request_id: What the answer and the log call the request.
        question: What a process of ours asks for itself; empty for a client's request.
    """

    proof: str
    address: str
    port: int
    scheme: str
    version: str
    request_id: str
    question: str = ""


def proof_of(pepper: bytes) -> str:
    """What only the processes of one installation can know."""
    return hmac.new(pepper, b"releve hand-over", sha256).hexdigest()


def written(scope: Scope, *, proof: str, request_id: str) -> bytes:
    """The header's value for a client's request."""
    address, port = scope.get("client") or (NOBODY, 0)
    said = Introduction(proof, address, port, scope.get("scheme", "http"), scope["http_version"], request_id)
    return msgspec.json.encode(said)


def asking(question: str, *, proof: str) -> bytes:
    """The header's value for a question of our own."""
    return msgspec.json.encode(Introduction(proof, NOBODY, 0, "http", "1.1", NOBODY, question))


def read(scope: Scope, *, proof: str) -> Introduction | None:
    """The introduction of a request, None when nobody of ours wrote it."""
    values = [value for name, value in scope["headers"] if name == HEADER]
    try:
        introduction = msgspec.json.decode(values[0], type=Introduction) if len(values) == 1 else None
    except msgspec.DecodeError:
        return None
    return introduction if introduction is not None and hmac.compare_digest(introduction.proof, proof) else None


def opened(scope: Scope, introduction: Introduction) -> dict[str, Any]:
    """The request as the client sent it to us."""
    return {
        **scope,
        "headers": [(name, value) for name, value in scope["headers"] if name != HEADER],
        "client": None if introduction.address == NOBODY else (introduction.address, introduction.port),
        "scheme": introduction.scheme,
        "http_version": introduction.version,
    }


def head_of(method: str, target: bytes, headers: Iterable[Header]) -> bytes:
    """The head of a request as it is sent."""
    lines = [b"%b %b HTTP/1.1" % (method.encode("ascii"), target), *(b"%b: %b" % header for header in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n"
