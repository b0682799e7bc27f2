"""Attacks a server of its own while a good device of another team sends, and says what that device felt."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, where `http.py` hides the standard library's `http`.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import asyncio
import contextlib
import gzip
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
from bench.installation import temporary_folder
from bench.server import cpu_s

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.packet import Connect
from releve.storage.embedded import running_url

DESCRIPTION = """\
Attacks a server that it starts itself, one attack after the other, all from loopback and each bounded in time. All the
while a good device of another team, in a process of its own, sends a reading every 50 ms. One line an attack: what the
device waited (p50, p99, worst), how many of its readings were not answered 2xx, processor seconds of the server's
processes, and what they hold in memory more than before. It exits with 1 when p99 is above the promise of 500 ms,
when a reading of the good device was refused, or when memory does not return to within 50 MB.

The machine matters: two cores that other programs use add their own waiting, so read the first line, where nobody
attacks.
"""
PROMISED_S = 0.5
RETURNED_MB = 50
PAUSE_S = 0.05
OK = 200
MEMORY_PATIENCE_S = 30
MADE_UP = 300
V3 = Version.V3_1_1
LARGE_FILE = b"/static/drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"


@dataclass(frozen=True)
class Cast:
    """Who there is, and where."""

    url: str
    pids: tuple[int, ...]
    database_url: str
    villains: tuple[str, ...]  # tokens of devices
    villain_ids: tuple[int, ...]
    person: str  # the token of the person who reads the villains' team
    mqtt_port: int
    hoarder: tuple[str, str]  # name and secret of a device


@dataclass(frozen=True)
class Felt:
    """What one answer of the good device was like: when it came, how long it took, its status (0 for none)."""

    at_s: float
    took_s: float
    status: int


Attack = Callable[[Cast, float], Awaitable[str]]


def main() -> int:
    """Start, attack, print, judge."""
    asked = arguments()
    if asked.good:
        return good(*asked.good)
    with temporary_folder() as folder, running(folder / "data") as cast, sending(folder, cast) as felt:
        is_kept = True
        print(
            f"{'attack':<40} {'p50 ms':>7} {'p99 ms':>7} {'max ms':>7} {'not 2xx':>7} {'CPU s':>6} {'MB':>6}  answers"
        )
        asyncio.run(empty_members(cast, 0.0))  # what is loaded at the first time only is no leak
        for name, attack in ATTACKS.items():
            is_kept &= one(name, attack, cast, felt, seconds=asked.seconds)
    print("kept" if is_kept else "NOT KEPT")
    return 0 if is_kept else 1


def one(name: str, attack: Attack, cast: Cast, felt: Callable[[], list[Felt]], *, seconds: float) -> bool:
    """One line; whether it was as promised."""
    before_mb, before_cpu_s, began_s = memory_mb(cast.pids), cpu_s(cast.pids), time.time()
    happened = asyncio.run(attack(cast, seconds))
    ended_s = time.time()
    used_s = cpu_s(cast.pids) - before_cpu_s
    more_mb = returned_mb(cast, before_mb)
    mine = [each for each in felt() if began_s <= each.at_s <= ended_s + 0.5]
    took = sorted(each.took_s for each in mine) or [float("inf")]
    bad = sum(each.status != OK for each in mine)
    p50, p99, worst = (took[min(len(took) - 1, int(len(took) * part))] * 1000 for part in (0.5, 0.99, 1.0))
    print(
        f"{name:<40} {p50:7.0f} {p99:7.0f} {worst:7.0f} {bad:7d} {used_s:6.1f} {more_mb:6.0f}  {happened}", flush=True
    )
    return p99 <= PROMISED_S * 1000 and not bad and more_mb <= RETURNED_MB


def returned_mb(cast: Cast, before_mb: float) -> float:
    """How much more memory there is than before, once what was used for a moment had time to be given back."""
    deadline_s = time.monotonic() + MEMORY_PATIENCE_S
    while (more_mb := memory_mb(cast.pids) - before_mb) > RETURNED_MB and time.monotonic() < deadline_s:
        time.sleep(0.5)
    return more_mb


def memory_mb(pids: tuple[int, ...]) -> float:
    """Memory that the processes have to themselves [proc_pid_status(5)], in megabytes."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))
    return total / 1024


# The attacks


async def nothing(_cast: Cast, seconds: float) -> str:
    """What the machine itself adds."""
    await asyncio.sleep(seconds)
    return "nobody attacks"


async def empty_members(cast: Cast, seconds: float) -> str:
    """Gzip of two hundred thousand empty members, from anybody and from a device."""
    body = gzip.compress(b"") * 200_000
    gzipped = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    ways: list[tuple[str, dict[str, str]]] = [
        ("/api/token/", gzipped),
        ("/vehicle", gzipped),
        ("/api/v1/readings", gzipped | {"Authorization": f"Bearer {cast.villains[0]}"}),
    ]
    return await parallel(
        cast, seconds, [lambda c, way=way: c.post(way[0], content=body, headers=way[1]) for way in ways]
    )


async def bomb(cast: Cast, seconds: float) -> str:
    """Four kilobytes that inflate to two million elements, and the same as it is."""
    plain = b"[" + b"1," * 1_999_999 + b"1]"
    small = gzip.compress(plain)
    signed = {"Authorization": f"Bearer {cast.villains[0]}"}
    ways: list[tuple[bytes, dict[str, str]]] = [(small, signed | {"Content-Encoding": "gzip"}), (plain, signed)]
    return await parallel(
        cast, seconds, [lambda c, way=way: c.post("/api/v1/readings", content=way[0], headers=way[1]) for way in ways]
    )


async def quarantine(cast: Cast, seconds: float) -> str:
    """Sixty payloads of four megabytes in quarantine, all asked for at once and again."""
    with psycopg.connect(cast.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO quarantine (device_id, received, contract, transport, field, reason, digest, payload)"
            " SELECT %s, now(), 'generic', 'mqtt', '', 'abuse', sha256(n::text::bytea),"
            " convert_to(repeat('x', 4000000), 'UTF8')"
            " FROM generate_series(1, 60) AS n ON CONFLICT DO NOTHING",
            [cast.villain_ids[0]],
        )
    address = f"/api/v1/devices/{cast.villain_ids[0]}/quarantine?limit=1000"
    return await parallel(cast, seconds, [lambda c: c.get(address, headers=bearer(cast.person))] * 4)


async def wide_table(cast: Cast, seconds: float) -> str:
    """Readings of 256 names of their own each, as many as a device may have, read back as CSV."""
    async with client(cast) as sender:
        for first in range(0, 400, 100):
            batch = [
                {"time": 1_780_000_000 + number, **{f"c{number}_{n}": n for n in range(256)}}
                for number in range(first, first + 100)
            ]
            await sender.post("/api/v1/readings", json=batch, headers=bearer(cast.villains[-1]))
    address = f"/api/v1/devices/{cast.villain_ids[-1]}/readings?limit=100000"
    headers = bearer(cast.person) | {"Accept": "text/csv"}
    return await parallel(cast, seconds, [lambda c: c.get(address, headers=headers)] * 4)


async def guesses(cast: Cast, seconds: float) -> str:
    """Thirty connections that sign in with made-up names."""

    def guess(c: httpx.AsyncClient) -> Awaitable[httpx.Response]:
        name = f"{secrets.token_hex(6)}@example.com"
        return c.post("/api/token/", json={"username": name, "password": "guess"})

    return await parallel(cast, seconds, [guess] * 30)


async def storm(cast: Cast, seconds: float) -> str:
    """Twenty connections of ten devices that send batches as fast as they are answered."""
    return await parallel(cast, seconds, [flooding(token) for token in cast.villains[:10]] * 2)


async def flood(cast: Cast, seconds: float) -> str:
    """Twenty connections of one device."""
    return await parallel(cast, seconds, [flooding(cast.villains[0])] * 20)


async def slow_readers(cast: Cast, seconds: float) -> str:
    """Sixteen sockets that ask for a static file and read nothing."""
    host, _, port = cast.url.removeprefix("http://").rpartition(":")
    with contextlib.ExitStack() as stack:
        for _ in range(16):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            one.connect((host, int(port)))
            one.sendall(b"GET " + LARGE_FILE + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return await parallel(cast, seconds, [lambda c: c.get("/account/login/")] * 2)


async def hoard(cast: Cast, seconds: float) -> str:
    """One device and one person under 300 made-up client ids each, and the device signs in again and again."""
    name, secret = cast.hoarder
    async with client(cast) as own:
        pages = (await own.post("/api/v1/mqtt/token", headers=bearer(cast.person))).raise_for_status().json()["token"]
    credentials = [(name, secret)] * MADE_UP + [("page", pages)] * MADE_UP
    async with contextlib.AsyncExitStack() as open_links:
        said = [await mqtt_reason(cast, open_links, number, *each) for number, each in enumerate(credentials)]
        body = {"username": name, "password": secret}
        signed = await parallel(cast, seconds, [lambda c: c.post("/api/token/", json=body)] * 4)
    let_in = [sum(reason == 0 for reason in part) for part in (said[:MADE_UP], said[MADE_UP:])]
    return f"{let_in[0]} and {let_in[1]} of {MADE_UP} links each let in, sign-ins {signed}"


async def mqtt_reason(cast: Cast, open_links: contextlib.AsyncExitStack, number: int, name: str, password: str) -> int:
    """Connect over MQTT 3.1.1 and stay; the return code of the CONNACK, -1 where there was none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", cast.mqtt_port)
    open_links.callback(writer.close)
    writer.write(encode(Connect(f"made-up-{number}", V3, username=name, password=password.encode()), V3))
    with contextlib.suppress(asyncio.IncompleteReadError, OSError):
        return (await reader.readexactly(4))[3]
    return -1


ATTACKS: dict[str, Attack] = {
    "nobody": nothing,
    "1 readers that read nothing": slow_readers,
    "2 gzip of 200,000 empty members": empty_members,
    "2 2,000,000 elements, 4 KB of gzip": bomb,
    "3 60 quarantined of 4 MB, at once": quarantine,
    "3 100,000 columns as CSV": wide_table,
    "4 30 connections that guess": guesses,
    "5 20 senders of batches": storm,
    "5 one device floods": flood,
    "6 600 links, one sign-in after another": hoard,
}


def flooding(token: str) -> Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]:
    """Sends a batch of 256 of its own, each time another."""

    def send(c: httpx.AsyncClient) -> Awaitable[httpx.Response]:
        base_us = time.time_ns() // 1000
        batch = [{"time": base_us - number, "x": number} for number in range(256)]
        return c.post("/api/v1/readings", json=batch, headers=bearer(token))

    return send


async def parallel(
    cast: Cast, seconds: float, ways: list[Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]]
) -> str:
    """Each way again and again on a connection of its own, once at least; the statuses and how often each came."""
    until_s = time.monotonic() + seconds
    counts: dict[str, int] = {}

    async def again(way: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]) -> None:
        async with client(cast) as own:
            while True:
                try:
                    status = str((await way(own)).status_code)
                except httpx.HTTPError as error:
                    status = type(error).__name__
                counts[status] = counts.get(status, 0) + 1
                if time.monotonic() > until_s:
                    return

    await asyncio.gather(*(again(way) for way in ways))
    return ", ".join(f"{count} times {status}" for status, count in sorted(counts.items()))


def client(cast: Cast) -> httpx.AsyncClient:
    """A client of one connection."""
    return httpx.AsyncClient(base_url=cast.url, timeout=60, limits=httpx.Limits(max_connections=1))


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


# The good device


def good(url: str, token_file: str, log: str) -> int:
    """Send until killed; a line an answer."""
    token = Path(token_file).read_text("ascii")
    number = 0
    with httpx.Client(base_url=url, timeout=60) as own, Path(log).open("w", buffering=1) as felt:
        while True:
            number += 1
            began_s = time.perf_counter()
            try:
                status = own.post("/api/v1/readings", json={"x": number}, headers=bearer(token)).status_code
            except httpx.HTTPError:
                status = 0
            felt.write(json.dumps([time.time(), time.perf_counter() - began_s, status]) + "\n")
            time.sleep(PAUSE_S)


@contextlib.contextmanager
def sending(folder: Path, cast: Cast) -> Iterator[Callable[[], list[Felt]]]:
    """The good device at work; what it felt so far."""
    log, token = folder / "felt", folder / "token"
    token.write_text(added(folder / "data", "device", "good", team="good"), "ascii")
    process = subprocess.Popen([sys.executable, __file__, "--good", cast.url, str(token), str(log)])
    try:
        while not (log.exists() and log.stat().st_size):
            time.sleep(0.05)
        yield lambda: [Felt(*json.loads(line)) for line in log.read_text("ascii").splitlines()]
    finally:
        process.kill()
        process.wait()


# The server


@contextlib.contextmanager
def running(data_dir: Path) -> Iterator[Cast]:
    """`releve up`, and everybody who is not good."""
    command = [sys.executable, "-m", "releve", "up", "--data-dir", str(data_dir)]
    settings = {"RELEVE_PORT": "0", "RELEVE_MQTT_PORT": "0", "RELEVE_LOG_LEVEL": "error"}
    with (data_dir.with_name("log")).open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment() | settings)
    with process:
        try:
            for line in process.stdout or ():
                if line.lstrip().startswith("Stop "):
                    break
            yield cast_of(data_dir)
        finally:
            process.terminate()


def cast_of(data_dir: Path) -> Cast:
    """Make the villains."""
    document = json.loads((data_dir / "run" / "server.json").read_text("utf-8"))
    villains = [added(data_dir, "device", f"villain{number}", team="villains") for number in range(11)]
    person = added(data_dir, "account", "villain@example.com", team="villains")
    url = running_url(data_dir) or ""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT id FROM fleet_device WHERE name LIKE 'villain%' ORDER BY id").fetchall()
    pids = tuple(pid for name, pid in document["processes"].items() if name != "postgres")
    hoarder = json.loads(said(data_dir, "device", "add", "hoarder", "--team", "villains", "--json"))
    return Cast(
        url=document["urls"][0],
        pids=pids,
        database_url=url,
        villains=tuple(villains),
        villain_ids=tuple(row[0] for row in rows),
        person=person,
        mqtt_port=int(document["mqtt_urls"][0].rpartition(":")[2]),
        hoarder=("hoarder", hoarder["secret"]),
    )


def added(data_dir: Path, what: str, name: str, *, team: str) -> str:
    """Add a device or a person; the access token."""
    options = ["--role", "admin"] if what == "account" else ["--contract", "generic"]
    made: Any = json.loads(said(data_dir, what, "add", name, "--team", team, *options, "--json"))
    url = json.loads((data_dir / "run" / "server.json").read_text("utf-8"))["urls"][0]
    secret = made.get("secret") or made["password"]
    reply = httpx.post(f"{url}/api/token/", json={"username": name, "password": secret}, timeout=60)
    return str(reply.raise_for_status().json()["access"])


def said(data_dir: Path, *arguments: str) -> str:
    """What a command printed."""
    command = [sys.executable, "-m", "releve", *arguments, "--data-dir", str(data_dir)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def environment() -> dict[str, str]:
    """Ours, without what would set Relevé up differently."""
    return {name: text for name, text in os.environ.items() if not name.startswith(("RELEVE_", "DATABASE_URL"))}


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each attack lasts (8)")
    parser.add_argument("--good", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
