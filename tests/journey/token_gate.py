"""A PostgreSQL that is signed in to as RDS is: over TLS, by a token of AWS IAM for a password.

A gate in front of a real PostgreSQL ends TLS, asks for the password in clear text, and holds the token against the
Signature Version 4 that it computes itself, its host, its user and its age. What passes is signed in to PostgreSQL
with the password behind the gate and relayed byte by byte.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import ssl
import struct
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, quote

from psycopg import conninfo

REGION = "eu-west-3"
ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # of AWS's own documentation
CREDENTIALS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_REGION": REGION}
USER = "telemetry"
_SSL_REQUEST, _CANCEL_REQUEST = 80877103, 80877102


class TokenGate:
    """The gate, in a thread of its own until `close`.

    Args:
        database_url: The PostgreSQL behind it, with its password.
        folder: Where the certificates are made; `authorities` is the one to trust.
        token_life_s: How old a token may be, in seconds, whatever it says itself.
    """

    def __init__(self, database_url: str, folder: Path, *, token_life_s: float = 900.0) -> None:
        self.behind = conninfo.conninfo_to_dict(database_url)
        self.token_life_s = token_life_s
        self.let_in: list[str] = []  # the application name of each connection
        self.turned_away: list[str] = []  # why
        self.authorities = folder / "server.pem"
        _make_certificate(folder)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(self.authorities, folder / "server.key")
        self._loop = asyncio.new_event_loop()
        self._relays: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._answer, "127.0.0.1", 0), self._loop)
        self._server = server.result(10)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Its address, as an operator writes it: without a password."""
        return f"postgresql://{USER}@localhost:{self.port}/{self.behind['dbname']}?sslrootcert={self.authorities}"

    def cut(self) -> None:
        """End every connection, as a failover does."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    def close(self) -> None:
        """End everything."""
        self._loop.call_soon_threadsafe(self._server.close)
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cut(self) -> None:
        relays = list(self._relays)
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._relays.add(task)
        try:
            await self._converse(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._relays.discard(task)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        code, _ = await _startup(reader)
        if code != _SSL_REQUEST:
            self.turned_away.append("without TLS")
            return
        writer.write(b"S")
        await writer.drain()
        await writer.start_tls(self._tls)
        code, rest = await _startup(reader)
        if code == _CANCEL_REQUEST:
            _, behind = await self._connect()
            behind.write(struct.pack("!II", len(rest) + 8, code) + rest)
            await behind.drain()
            behind.close()
            return
        named = dict(zip(*[iter(rest.rstrip(b"\0").decode().split("\0"))] * 2, strict=True))
        writer.write(_message(b"R", struct.pack("!I", 3)))  # AuthenticationCleartextPassword
        await writer.drain()
        _, password = await _read(reader)
        reason = self._objection(named["user"], password.rstrip(b"\0").decode())
        if reason is not None:
            self.turned_away.append(reason)
            text = f'SFATAL\0C28000\0MPAM authentication failed for user "{named["user"]}"\0\0'
            writer.write(_message(b"E", text.encode()))
            await writer.drain()
            return
        self.let_in.append(named.get("application_name", ""))
        behind_reader, behind_writer = await self._sign_in(named)
        writer.write(_message(b"R", struct.pack("!I", 0)))
        ways = [asyncio.create_task(_relay(*way)) for way in ((reader, behind_writer), (behind_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            behind_writer.transport.abort()

    def _objection(self, user: str, token: str) -> str | None:
        host, _, query = token.partition("/?")
        given = dict(parse_qsl(query))
        if host != f"localhost:{self.port}" or given.get("DBUser") != user or user != USER:
            return "a token for another place or user"
        if not hmac.compare_digest(given.pop("X-Amz-Signature", ""), _signature(host, given)):
            return "a wrong signature"
        signed = datetime.strptime(given["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        age_s = (datetime.now(UTC) - signed).total_seconds()
        return "a token that has ended" if age_s > min(self.token_life_s, float(given["X-Amz-Expires"])) else None

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = str(self.behind["host"]), int(self.behind.get("port") or 5432)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _sign_in(self, named: dict[str, str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """SCRAM-SHA-256 with the password behind the gate (RFC 5802, RFC 7677)."""
        reader, writer = await self._connect()
        pairs = {**named, "user": str(self.behind["user"])}
        body = b"".join(f"{key}\0{value}\0".encode() for key, value in pairs.items()) + b"\0"
        writer.write(struct.pack("!II", len(body) + 8, 196608) + body)
        assert (await _read(reader))[1].startswith(struct.pack("!I", 10))
        bare = f"n=,r={secrets.token_hex(12)}"
        first = f"n,,{bare}".encode()
        writer.write(_message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first))
        challenge = (await _read(reader))[1][4:].decode()
        asked = dict(part.split("=", 1) for part in challenge.split(","))
        salted = hashlib.pbkdf2_hmac(
            "sha256", str(self.behind["password"]).encode(), base64.b64decode(asked["s"]), int(asked["i"])
        )
        key = hmac.digest(salted, b"Client Key", "sha256")
        final = f"c=biws,r={asked['r']}"
        seen = f"{bare},{challenge},{final}".encode()
        mask = hmac.digest(hashlib.sha256(key).digest(), seen, "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, mask, strict=True))).decode()
        writer.write(_message(b"p", f"{final},p={proof}".encode()))
        assert (await _read(reader))[1].startswith(struct.pack("!I", 12))
        assert (await _read(reader))[1] == struct.pack("!I", 0)
        return reader, writer


def _signature(host: str, given: dict[str, str]) -> str:
    """Signature Version 4 of a presigned GET of /, by AWS's description of it."""
    day = given["X-Amz-Date"][:8]
    scope = f"{day}/{REGION}/rds-db/aws4_request"
    if given["X-Amz-Credential"] != f"{ACCESS_KEY}/{scope}":
        return "another's"
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in sorted(given.items()))
    request = f"GET\n/\n{query}\nhost:{host}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{given['X-Amz-Date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{SECRET_KEY}".encode()
    for part in (day, REGION, "rds-db", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind, length = struct.unpack("!cI", await reader.readexactly(5))
    return kind, await reader.readexactly(length - 4)


async def _startup(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    length, code = struct.unpack("!II", await reader.readexactly(8))
    return code, await reader.readexactly(length - 8)


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()


def _make_certificate(folder: Path) -> None:
    request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.pem")
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    subprocess.run(["openssl", *request, *subject], cwd=folder, check=True, capture_output=True)  # noqa: S607
    os.chmod(folder / "server.key", 0o600)  # noqa: PTH101
