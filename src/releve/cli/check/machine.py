"""Checks of the machine and the running server: clock, time zone, ports, and whether readings are acknowledged."""

import ctypes
import json
import os
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from releve import __version__
from releve.cli.check.finding import Finding, fail, ok, warn
from releve.serve import instance
from releve.serve.process import port
from releve.serve.process.port import PortProblem
from releve.settings import Settings

FIRST_PLAUSIBLE_YEAR, LAST_PLAUSIBLE_YEAR = 2025, 2100
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def clock(settings: Settings) -> Iterator[Finding]:
    """The machine's clock and the zone of devices that declare none."""
    now = datetime.now(UTC)
    if not FIRST_PLAUSIBLE_YEAR <= now.year <= LAST_PLAUSIBLE_YEAR:
        yield fail("clock", f"it is said to be {now:%Y-%m-%d %H:%M} UTC", "set the clock, and let NTP keep it")
    elif _is_unsynchronised():
        yield warn(
            "clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, not synchronised", "switch NTP on: `timedatectl set-ntp true`"
        )
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")
    try:
        zoneinfo.ZoneInfo(settings.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        yield fail(
            "time zone", f"{settings.time_zone!r} is unknown", "set RELEVE_TIME_ZONE to one such as Europe/Paris"
        )
    else:
        yield ok("time zone", settings.time_zone)


def server(settings: Settings) -> Iterator[Finding]:
    """Whether it runs and would acknowledge a reading; the ports are free when it does not."""
    if not settings.data_dir.exists() or not instance.is_served(settings.data_dir):
        yield warn("server", "not running", "`releve up` starts it")
        yield from _free_ports(settings)
        return
    document = instance.running(settings.data_dir)
    if document is None:
        yield warn("server", "on its way up", "try again in a moment")
        return
    yield from _version(document["version"], document["pid"])
    yield _processes(document["processes"])
    for url in document["urls"]:
        yield from _answer(url)


def _free_ports(settings: Settings) -> Iterator[Finding]:
    wished = [(settings.host, settings.port, "--port")]
    wished += [(settings.host, int(item), "--also-port") for item in settings.also_ports.split(",") if item.strip()]
    if settings.mqtt_port is not None:
        wished.append((settings.mqtt_host, settings.mqtt_port, "--mqtt-port"))
    for host, number, flag in wished:
        try:
            port.reserve(host, number, flag=flag).close()
        except PortProblem as problem:
            yield fail("ports", str(problem), f"end the other program, or start with {flag} N")
        else:
            yield ok("ports", f"{number} on {host} is free")


def _version(version: str, pid: int) -> Iterator[Finding]:
    if version == __version__:
        yield ok("server", f"version {version} runs as process {pid}")
    else:
        yield warn("server", f"version {version} runs, {__version__} is installed", "restart it")


def _processes(processes: dict[str, int]) -> Finding:
    """Whether each process of the server runs; one that died is started again, so it is gone for a moment only."""
    gone = [name for name, pid in processes.items() if not Path(f"/proc/{pid}").exists()]
    if gone:
        return fail("processes", f"{', '.join(gone)} does not run", "look at what the server printed: it says why")
    return ok("processes", ", ".join(f"{name} ({pid})" for name, pid in processes.items()))


def _answer(url: str) -> Iterator[Finding]:
    try:
        with urlopen(f"{url}/readyz", timeout=10) as answer:  # noqa: S310 - our own address
            document = json.loads(answer.read())
        yield ok("ports", f"{url} is ready: readings are acknowledged")
    except HTTPError as error:
        document = json.loads(error.read() or b"{}")
        reasons = "; ".join(document.get("reasons", [])) or str(error)
        yield fail("ports", f"{url} is not ready: {reasons}", "mend the reason; it goes green alone")
    except (URLError, OSError, ValueError) as error:
        yield fail("ports", f"{url} does not answer: {error}", "look at what the server printed, and restart it")
        return
    for warning in document.get("warnings", []):
        yield warn("server", warning, "see docs/runbooks/")


def _is_unsynchronised() -> bool:
    """What the kernel says; where it may not be asked nothing is known."""
    if not hasattr(os, "uname") or os.uname().sysname != "Linux":
        return False
    answer = ctypes.create_string_buffer(512)  # struct timex, all zero: only asks
    return int(ctypes.CDLL(None).adjtimex(answer)) == _TIME_ERROR
