"""How the tests are run: their kinds, `--quick`, the programs that some need, and the few that bear no company.

Every test gets the markers of its kind by where it lies and what it uses; only `slow`, `needs` and `alone` are written
at a test. With pytest-xdist the processes of one session share a folder, and by it what is made once.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent
WITH_PROCESSES = {ROOT / "tests" / name for name in ("journey", "postgres", "control")}
FIRST = (  # the files that take longest, longest first: whoever is free takes the next file, and all end together
    "test_up.py", "test_schema_fuzz.py", "test_import.py", "test_dockerfile.py", "test_up_external.py",
    "test_house_tools.py", "test_documentation_restore.py", "test_bridge.py", "test_mqtt_crash.py", "test_crash.py",
    "test_cli_account_device.py", "test_mqtt_access.py", "test_cli_simulate.py", "test_page_browser.py",
    "test_contract_b_mqtt.py", "test_revoked.py", "test_up_iam.py", "test_page_runs.py", "test_cli_makes_nothing.py",
    "test_readiness.py", "test_embedded.py", "test_contract_b_access.py", "test_run_export.py", "test_live_page.py",
    "test_processes.py",
)  # fmt: skip
LEFT_OUT_WHEN_QUICK = ("process", "browser", "slow")
# Packages of Debian, and by which program they are known to be there.
STARTED_BY_DEBIAN = {"mosquitto", "nginx"}  # on ports that are ours
PROGRAMS = {"chromium": "chromium", "mosquitto": "mosquitto", "mosquitto-clients": "mosquitto_pub", "nginx": "nginx"}
EVERYWHERE = f"{os.environ.get('PATH', '')}:/usr/sbin"
MEMORY = Path("/dev/shm")  # noqa: S108 - the folders made in it have random names
ROOM_BYTES = 2**31  # what the servers of a session may take
SHARED = pytest.StashKey[Path]()
EXTERNAL_URL = pytest.StashKey[str]()
CITUS_URL = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--quick` and `--simulate`."""
    parser.addoption(
        "--quick", action="store_true", help="Leave out what starts servers, drives a browser or is slow: a minute."
    )
    parser.addoption(
        "--simulate", type=int, default=0, metavar="N", help="Live N more universes of tests/simulation: 20 a second."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that the processes of this session share, and take what is for the tests alone."""
    given = getattr(config, "workerinput", None)
    if given is not None:
        config.stash[SHARED], config.stash[EXTERNAL_URL] = Path(given["shared"]), given["external_url"]
        config.stash[CITUS_URL] = given["citus_url"]
        return
    config.stash[EXTERNAL_URL] = os.environ.pop("RELEVE_TEST_DATABASE_URL", "")  # no setting is called that
    config.stash[CITUS_URL] = os.environ.pop("RELEVE_TEST_CITUS_URL", "")  # of a coordinator
    config.stash[SHARED] = Path(tempfile.mkdtemp(prefix="releve-test-", dir=_fast_folder()))
    config.stash[SHARED].chmod(0o711)  # PostgreSQL's user passes through when we are root


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist what it shares."""
    stash = node.config.stash
    node.workerinput |= {"shared": str(stash[SHARED]), "external_url": stash[EXTERNAL_URL]}
    node.workerinput["citus_url"] = stash[CITUS_URL]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the shared folder with the process that made it."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[SHARED])


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import what starts servers when it has to be quick."""
    return True if config.getoption("--quick") and collection_path in WITH_PROCESSES else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every test the markers of its kind, and leave some out when it has to be quick."""
    for item in items:
        if WITH_PROCESSES & set(item.path.parents):
            item.add_marker("process")
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    if config.getoption("--quick"):
        left_out = [item for item in items if any(map(item.get_closest_marker, LEFT_OUT_WHEN_QUICK))]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place(item.path))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Three for two cores: much of its time a test with servers waits for what takes no processor.

    Four are no quicker on two cores, and let requests wait for seconds.
    """
    cores = os.cpu_count() or 1
    return cores if config.getoption("--quick") else cores + cores // 2


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Install what a test needs, at the first that does."""
    wanted = [package for marker in item.iter_markers("needs") for package in marker.args]
    if item.get_closest_marker("browser") is not None:
        wanted.append("chromium")
    for package in wanted:
        reason = _missing(package, item.config.stash[SHARED])
        if reason:
            (pytest.fail if package == "chromium" else pytest.skip)(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run a test beside those of the other processes, or alone on the machine if it is marked so."""
    mode = fcntl.LOCK_SH if item.get_closest_marker("alone") is None else fcntl.LOCK_EX
    with _turn(item.config.stash[SHARED], mode):
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the figures that tests measured, in whichever process: `record_property("figure", "…")`."""
    figures = [
        f"{report.nodeid}: {value}"
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(figures))


@pytest.fixture(scope="session")
def shared_folder(pytestconfig: pytest.Config) -> Path:
    """A folder of this session's processes; lock what is in it."""
    return pytestconfig.stash[SHARED]


@pytest.fixture(scope="session")
def external_url(pytestconfig: pytest.Config) -> str:
    """Address of a PostgreSQL to use instead of one of our own; empty without."""
    return pytestconfig.stash[EXTERNAL_URL]


@pytest.fixture(scope="session")
def citus_url(pytestconfig: pytest.Config) -> str:
    """Address of a database on a coordinator of Citus that has our tables; without one its tests are skipped."""
    if not pytestconfig.stash[CITUS_URL]:
        pytest.skip("RELEVE_TEST_CITUS_URL names no coordinator of Citus")
    return pytestconfig.stash[CITUS_URL]


@pytest.fixture(scope="session")
def fast_folder() -> Path:
    """Memory where there is room, for what no doctor looks at."""
    return _fast_folder()


@contextmanager
def _turn(shared: Path, mode: int) -> Iterator[None]:
    """Hold the lock of what runs; whoever wants it alone keeps newcomers at the door meanwhile."""
    with (shared / "running").open("w") as running:
        with (shared / "door").open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            fcntl.flock(running, mode)
        yield


def _place(path: Path) -> int:
    """Where a file stands among those that are shared out: the long ones, those with servers, the others."""
    if path.name in FIRST:
        return FIRST.index(path.name)
    return len(FIRST) + (WITH_PROCESSES.isdisjoint(path.parents))


def _missing(package: str, shared: Path) -> str | None:
    """Install a program where we may; why it is missing if it still is."""
    program = PROGRAMS[package]
    if shutil.which(program, path=EVERYWHERE):
        return None
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"no {program} on this machine (on Debian: apt-get install {package})"
    with (shared / "install").open("a+") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        if shutil.which(program, path=EVERYWHERE):
            return None
        install = "apt-get update -q && apt-get install -q -y --no-install-recommends " + package
        surroundings = {"PATH": EVERYWHERE, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["/bin/sh", "-c", install], env=surroundings, stdout=log, stderr=log, check=False)
        if package in STARTED_BY_DEBIAN and shutil.which("systemctl"):
            subprocess.run(["/bin/systemctl", "disable", "--now", package], stdout=log, stderr=log, check=False)
        if shutil.which(program, path=EVERYWHERE):
            return None
        return f"{package} could not be installed:\n{(shared / 'install').read_text()[-1000:]}"


def _fast_folder() -> Path:
    """Memory where there is enough of it (containers often have 64 MB)."""
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if has_room else Path("/tmp")  # noqa: S108 - TMPDIR may be too deep for a socket
