"""conftest.py at the root: what a quick run leaves out, what runs alone, and when a program is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[2] / "conftest.py"
MARKERS = "[pytest]\nmarkers =\n    process\n    browser\n    slow\n    alone\n    needs\n"
TIMED = """
import pathlib, pytest, time

def run(name):
    began = time.monotonic()
    time.sleep(0.1)
    pathlib.Path(__file__).with_name(name + ".time").write_text(f"{began} {time.monotonic()}")

@pytest.mark.parametrize("n", range(6))
def test_beside(n): run(f"beside{n}")

@pytest.mark.alone
@pytest.mark.parametrize("n", range(2))
def test_alone(n): run(f"alone{n}")
"""
WHEN = """
import os, pathlib, time

def test_it():
    workers = os.environ["PYTEST_XDIST_WORKER_COUNT"]
    pathlib.Path(__file__).with_suffix(".when").write_text(f"{time.monotonic()} {workers}")
"""
PUBLISHES = """
import pytest, shutil

@pytest.mark.needs("mosquitto-clients")
def test_it_publishes(): assert shutil.which("mosquitto_pub")

@pytest.mark.needs("mosquitto-clients")
def test_it_publishes_again(): assert shutil.which("mosquitto_pub")
"""


class Project:
    """A folder with the real conftest.py and tests of its own, and a PATH with nothing but what the test puts there."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.root.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copy(CONFTEST, self.root)
        (self.root / "pytest.ini").write_text(MARKERS)

    def add(self, path: str, text: str) -> None:
        whole = self.root / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(text)

    def add_apt(self, script: str) -> None:
        program = self.bin / "apt-get"
        program.write_text(f'#!/bin/sh\necho "$*" >>"{self.bin}/journal"\ncase $1 in install) {script} ;; esac\n')
        program.chmod(0o755)

    def installations(self) -> int:
        return [line.split()[0] for line in (self.bin / "journal").read_text().splitlines()].count("install")

    def run(self, *arguments: str) -> str:
        surroundings = {"PATH": str(self.bin), "HOME": str(self.root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-ra",
            "-p",
            "no:cacheprovider",
            "-p",
            "xdist.plugin",
            *arguments,
        ]
        options = {"cwd": self.root, "env": surroundings, "timeout": 120}
        return subprocess.run(command, capture_output=True, text=True, check=False, **options).stdout


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


def test_a_quick_run_leaves_out_what_starts_servers_is_slow_or_drives_a_browser(project):
    project.add("tests/journey/test_server.py", "import a_module_that_is_not_even_imported")
    project.add("tests/postgres/test_rows.py", "def test_rows(): pass")
    project.add(
        "tests/unit/test_pure.py",
        "import pytest\ndef test_pure(): pass\n@pytest.mark.slow\ndef test_slow(): pass\n"
        "@pytest.fixture\ndef chromium(): pass\ndef test_page(chromium): pass\n",
    )

    assert "1 passed, 2 deselected" in project.run("--quick")


def test_what_lies_among_the_servers_tests_is_marked_by_its_folder(project):
    project.add("tests/postgres/test_rows.py", "def test_rows(): pass")
    project.add("tests/unit/test_pure.py", "def test_pure(): pass\ndef test_pure_too(): pass")

    assert "1 passed, 2 deselected" in project.run("-m", "process")
    assert "2 passed, 1 deselected" in project.run("-m", "not process")


def test_a_test_that_measures_a_time_runs_alone_on_the_machine(project):
    project.add("test_timed.py", TIMED)

    assert "8 passed" in project.run("-n", "3", "--dist=load")

    times = {path.stem: tuple(map(float, path.read_text().split())) for path in project.root.glob("*.time")}
    alone = {name: span for name, span in times.items() if name.startswith("alone")}
    overlaps = [
        (name, other)
        for name, (began, ended) in alone.items()
        for other, (other_began, other_ended) in times.items()
        if other != name and other_began < ended and began < other_ended
    ]
    assert len(alone) == 2
    assert overlaps == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")
def test_a_program_is_installed_once_by_the_first_test_that_needs_it(project):
    project.add("test_other.py", "def test_other(): pass")
    project.add_apt(
        f'printf "#!/bin/sh\\n" >"{project.bin}/mosquitto_pub"; /bin/chmod +x "{project.bin}/mosquitto_pub"'
    )

    assert "1 passed" in project.run()
    assert not (project.bin / "journal").exists()

    project.add("test_publish.py", PUBLISHES)
    assert "3 passed" in project.run("-n", "2", "--dist=load")
    assert project.installations() == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")
def test_a_program_that_cannot_be_installed_is_told_with_the_reason(project):
    project.add("test_publish.py", PUBLISHES)
    project.add_apt("echo no route to the mirror; exit 1")

    told = project.run()

    assert "2 skipped" in told
    assert "mosquitto-clients could not be installed" in told
    assert "no route to the mirror" in told


def test_without_apt_a_missing_program_is_named_with_its_package(project):
    project.add("test_publish.py", PUBLISHES)

    assert "no mosquitto_pub on this machine (on Debian: apt-get install mosquitto-clients)" in project.run()


def test_a_browser_that_is_missing_fails_its_tests(project):
    project.add("test_page.py", "import pytest\n@pytest.fixture\ndef chromium(): pass\ndef test_page(chromium): pass")

    told = project.run()

    assert "1 error" in told or "1 failed" in told
    assert "no chromium on this machine" in told


def test_the_files_that_take_longest_come_first_and_those_without_servers_last(project):
    paths = (
        "tests/journey/test_up.py",
        "tests/postgres/test_embedded.py",
        "tests/control/test_b.py",
        "tests/test_a.py",
    )
    for path in reversed(paths):
        project.add(path, WHEN)

    project.run("--numprocesses=1", "--dist=loadfile", "--no-loadscope-reorder")

    began = [float((project.root / path).with_suffix(".when").read_text().split()[0]) for path in paths]
    assert began == sorted(began)


def test_three_processes_for_two_cores_share_the_tests_and_four_at_most(project):
    project.add("test_a.py", WHEN)

    project.run("--numprocesses=auto", "--maxprocesses=4")

    workers = (project.root / "test_a.when").read_text().split()[1]
    assert int(workers) == min(4, os.cpu_count() + os.cpu_count() // 2)


def test_a_quick_run_that_waits_for_no_server_has_one_process_a_core(project):
    project.add("test_a.py", WHEN)

    project.run("--quick", "--numprocesses=auto", "--maxprocesses=4")

    workers = (project.root / "test_a.when").read_text().split()[1]
    assert int(workers) == min(4, os.cpu_count())
