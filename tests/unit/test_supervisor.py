"""The supervisor with real child processes: order, restart, reverse stop, and nobody left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from releve.serve.process.part import Child
from releve.serve.process.supervisor import Part, PartFailed, Supervisor

# Writes "<name> up <pid>" to a shared file, then "<name> down" when asked to end.
POLITE = """
import os, signal, sys
name, journal = sys.argv[1:]
def write(text):
    with open(journal, "a") as file:
        file.write(f"{name} {text}\\n")
def end(*_):
    write("down")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
write(f"up {os.getpid()}")
while True:
    signal.pause()
"""
STUBBORN = POLITE.replace("sys.exit(0)", "pass")


class Journal:
    """What the children wrote, and events a test can wait for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[tuple[str, dict]] = []
        path.touch()

    def log(self, event: str, /, **fields: object) -> None:
        self.events.append((event, fields))

    @property
    def lines(self) -> list[str]:
        return [line.removesuffix("\n") for line in self.path.read_text().splitlines(keepends=True)]

    def ups(self, name: str) -> list[int]:
        return [int(line.split()[2]) for line in self.lines if line.startswith(f"{name} up")]

    async def wait_for(self, condition) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - another process writes the file
                await asyncio.sleep(0.01)

    def part(self, name: str, script: str = POLITE, **details) -> Part:
        async def is_up(pid: int) -> bool:
            return pid in self.ups(name)

        child = Child(command=[sys.executable, "-c", script, name, str(self.path)])
        return Part(name=name, child=lambda: child, is_ready=is_up, **details)


@pytest.fixture
def journal(tmp_path) -> Journal:
    return Journal(tmp_path / "journal")


async def test_each_part_is_ready_before_the_next_starts_and_they_stop_in_reverse(journal):
    async def plan(supervisor):
        await supervisor.start(journal.part("database"))
        await supervisor.start(journal.part("worker"))
        assert list(supervisor.pids) == ["database", "worker"]
        os.kill(os.getpid(), signal.SIGTERM)

    code = await Supervisor(journal.log).run(plan)

    names = [" ".join(line.split()[:2]) for line in journal.lines]
    assert code == 0
    assert names == ["database up", "worker up", "worker down", "database down"]


async def test_a_part_that_dies_is_restarted_and_the_others_keep_running(journal):
    async def plan(supervisor):
        await supervisor.start(journal.part("database"), journal.part("worker"))
        os.kill(supervisor.pids["database"], signal.SIGKILL)
        await journal.wait_for(lambda: len(journal.ups("database")) == 2)
        supervisor.stop()

    await Supervisor(journal.log).run(plan)

    assert len(journal.ups("worker")) == 1
    assert ("part_died", {"part": "database", "ending": "SIGKILL", "restart_in_s": 0.1}) in journal.events


async def test_the_pause_before_a_restart_grows(journal):
    once = POLITE.replace("while True:\n    signal.pause()", "sys.stdin.close()")

    async def plan(supervisor):
        await supervisor.start(journal.part("worker"))
        script = journal.part("fleeting", once + "\nimport time; time.sleep(0.3)")
        await supervisor.start(script)
        await journal.wait_for(lambda: len(journal.ups("fleeting")) == 4)
        supervisor.stop()

    await Supervisor(journal.log).run(plan)

    pauses = [fields["restart_in_s"] for event, fields in journal.events if event == "part_died"]
    assert pauses[:3] == [0.1, 0.2, 0.4]


async def test_a_restart_that_fails_is_tried_again(journal):
    attempts = []

    def child() -> Child:
        attempts.append(1)
        if len(attempts) == 2:
            raise OSError("not now")
        return part.child()

    part = journal.part("database")
    flaky = Part(name="database", child=child, is_ready=part.is_ready)

    async def plan(supervisor):
        await supervisor.start(flaky)
        os.kill(supervisor.pids["database"], signal.SIGKILL)
        await journal.wait_for(lambda: len(journal.ups("database")) == 2)
        supervisor.stop()

    await Supervisor(journal.log).run(plan)

    assert ("part_not_restarted", {"part": "database", "reason": "not now"}) in journal.events


async def test_a_part_that_ends_while_starting_fails_the_start_and_stops_the_rest(journal):
    async def plan(supervisor):
        await supervisor.start(journal.part("database"))
        await supervisor.start(journal.part("worker", "import sys; sys.exit(3)"))

    with pytest.raises(PartFailed, match="worker ended while it was started: exit code 3"):
        await Supervisor(journal.log).run(plan)

    assert journal.lines[-1] == "database down"


async def test_a_part_that_is_never_ready_fails_the_start(journal):
    part = journal.part("worker", "import signal; signal.pause()", ready_within_s=0.3)

    with pytest.raises(PartFailed, match="worker was not ready within"):
        await Supervisor(journal.log).run(lambda supervisor: supervisor.start(part))


async def test_a_signal_during_the_start_stops_what_has_started(journal):
    async def plan(supervisor):
        await supervisor.start(journal.part("database"))
        asyncio.get_running_loop().call_later(0.2, supervisor.stop)
        await supervisor.start(journal.part("worker", "import signal; signal.pause()"))

    code = await Supervisor(journal.log).run(plan)

    assert code == 0
    assert journal.lines[-1] == "database down"


async def test_a_part_that_will_not_end_is_killed_after_its_grace(journal):
    async def plan(supervisor):
        await supervisor.start(journal.part("worker", STUBBORN, grace_s=0.3))
        supervisor.stop()

    await Supervisor(journal.log).run(plan)

    assert not is_alive(journal.ups("worker")[0])


async def test_asked_a_second_time_it_stops_at_once(journal):
    async def plan(supervisor):
        await supervisor.start(journal.part("database", STUBBORN), journal.part("worker", STUBBORN))
        asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    began = time.monotonic()
    code = await Supervisor(journal.log).run(plan)

    assert code == 1
    assert time.monotonic() - began < 5  # the graces are 20 s each


async def test_children_end_when_the_supervisor_is_killed(journal):
    program = [sys.executable, "-c", WHOLE_SUPERVISOR, POLITE, str(journal.path)]
    supervisor = await asyncio.create_subprocess_exec(*program)
    await journal.wait_for(lambda: len(journal.ups("database")) == len(journal.ups("worker")) == 1)

    supervisor.kill()
    await supervisor.wait()

    pids = journal.ups("database") + journal.ups("worker")
    await journal.wait_for(lambda: not any(is_alive(pid) for pid in pids))


async def test_ctrl_c_in_the_terminal_reaches_the_supervisor_alone(journal):
    program = [sys.executable, "-c", WHOLE_SUPERVISOR, POLITE, str(journal.path)]
    supervisor = await asyncio.create_subprocess_exec(*program, start_new_session=True, stderr=subprocess.DEVNULL)
    await journal.wait_for(lambda: len(journal.ups("database")) == len(journal.ups("worker")) == 1)

    os.killpg(supervisor.pid, signal.SIGINT)

    assert await supervisor.wait() == 0
    assert journal.lines[-2:] == ["worker down", "database down"]


WHOLE_SUPERVISOR = """
import asyncio, sys
from releve.serve.process.supervisor import Part, Supervisor
from releve.serve.process.part import Child
script, journal = sys.argv[1:]
def part(name):
    child = Child(command=[sys.executable, "-c", script, name, journal])
    async def is_up(pid):
        return f"{name} up {pid}\\n" in open(journal).read()
    return Part(name=name, child=lambda: child, is_ready=is_up)
async def plan(supervisor):
    await supervisor.start(part("database"))
    await supervisor.start(part("worker"))
sys.exit(asyncio.run(Supervisor(lambda *_, **__: None).run(plan)))
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
