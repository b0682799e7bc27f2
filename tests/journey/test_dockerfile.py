"""The Dockerfile without Docker: its lines are replayed in an empty folder, and what they make is started."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.journey.conftest import environment, free_port, until_ready

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("/src", "/opt/releve", "/data", "/etc/passwd", "/etc/group")


def instructions():
    """The Dockerfile's lines, joined and without comments: (instruction, the rest)."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def ignored(path):
    """Whether .dockerignore keeps it out of the build: all but what it names."""
    names = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    return path.split("/")[0] not in names


class Image:
    """What the Dockerfile makes, below a folder that stands for the root of the file system."""

    def __init__(self, folder):
        self.folder = folder
        self.variables = {}
        self.user = self.command = self.entrypoint = self.health = None
        for place in ("/etc", "/opt"):
            (folder / place.lstrip("/")).mkdir()
        for instruction, rest in instructions():
            getattr(self, f"_{instruction.lower()}", lambda _: None)(rest)

    def here(self, text):
        """A text with the image's places below the folder."""
        pattern = "|".join(map(re.escape, PLACES))
        return re.sub(rf"(?<![\w/.])(?:{pattern})(?=[/\s:'\"]|$)", lambda found: f"{self.folder}{found[0]}", text)

    def _workdir(self, rest):
        self.directory = Path(self.here(rest))
        self.directory.mkdir(exist_ok=True)

    def _copy(self, rest):
        if rest.startswith("--from=build"):
            return  # it is there already: both stages share the folder, and its path is the same in both
        *sources, target = shlex.split(rest)
        for source in sources:
            assert not ignored(source), source
            place = self.directory / target
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, place)

    def _run(self, rest):
        line = self.here(rest)
        if os.geteuid() != 0:
            line = line.replace("-o 10001 -g 10001 ", "")
        done = subprocess.run(
            ["/bin/sh", "-euc", line], cwd=self.directory, env=self.surroundings(), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]

    def _env(self, rest):
        self.variables |= dict(part.split("=", 1) for part in shlex.split(rest))

    def _user(self, rest):
        self.user = rest

    def _entrypoint(self, rest):
        self.entrypoint = json.loads(rest)

    def _cmd(self, rest):
        self.command = json.loads(rest)

    def _healthcheck(self, rest):
        self.health = json.loads(rest.partition("CMD ")[2])

    def surroundings(self, **more):
        """The environment of a process of the image; a venv of this Python stands for the base image's."""
        own = {name: self.here(value) for name, value in self.variables.items()}
        path = f"{self.folder}/opt/releve/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**environment(), **own, "PATH": path, **more}


@pytest.fixture(scope="module")
def image(reachable_directory):
    return Image(reachable_directory())


@pytest.mark.slow
@pytest.mark.process
def test_what_its_lines_make_starts_is_healthy_and_takes_readings(image):
    port, mqtt = str(free_port()), str(free_port())
    owned = image.folder / "data"
    if os.geteuid() == 0:
        assert (owned.stat().st_uid, owned.stat().st_mode & 0o777) == (10001, 0o700)
        shutil.rmtree(owned)  # this Python may be out of that user's reach, so the server runs as ourselves
        owned.mkdir(mode=0o711)
    surroundings = image.surroundings(RELEVE_PORT=port, RELEVE_MQTT_PORT=mqtt)
    errors = image.folder / "errors"
    with errors.open("w") as log:
        process = subprocess.Popen(
            [*image.entrypoint, *image.command], stdout=subprocess.PIPE, stderr=log, text=True, env=surroundings,
            cwd=image.folder,
        )  # fmt: skip
    with process:
        summary = "".join(until_ready(process))
        assert process.poll() is None, errors.read_text()[-3000:]
        assert "Code" in summary
        health = [part.replace(":5000/", f":{port}/") for part in image.health]
        assert subprocess.run(health, env=surroundings, check=False, timeout=60).returncode == 0
        add = [*image.entrypoint, "device", "add", "car1", "--json"]
        made = json.loads(subprocess.run(add, env=surroundings, check=True, capture_output=True, text=True).stdout)
        url = f"http://127.0.0.1:{port}"
        login = {"username": made["name"], "password": made["secret"]}
        access = httpx.post(f"{url}/api/token/", json=login, timeout=30).json()["access"]
        header = {"Authorization": f"Bearer {access}"}
        sent = httpx.post(f"{url}/api/v1/readings", json={"speed": 1.5}, headers=header, timeout=30)
        assert sent.json()["outcome"] == "stored"
        assert httpx.get(f"{url}/welcome/", timeout=30).status_code == 200
        assert (owned / "postgres" / "PG_VERSION").exists()
        process.terminate()
        assert process.wait(60) == 0
    pages = next((image.folder / "opt/releve").rglob("releve/control/pages"))
    assert {".mo", ".html", ".css", ".sql"} <= {path.suffix for path in pages.rglob("*")}


def test_it_serves_what_the_old_clients_call_as_somebody_who_is_not_root():
    given = {}
    for instruction, rest in instructions():
        given.setdefault(instruction, []).append(rest)

    variables = dict(part.split("=", 1) for rest in given["ENV"] for part in shlex.split(rest))
    assert variables["RELEVE_PORT"] == "5000"
    assert variables["RELEVE_MQTT_PORT"] == "1883"
    assert variables["RELEVE_HOST"] == variables["RELEVE_MQTT_HOST"] == "0.0.0.0"  # noqa: S104 - of a container
    assert given["EXPOSE"] == ["5000 1883"]
    assert given["VOLUME"] == [variables["RELEVE_DATA_DIR"]]
    assert given["USER"] == ["10001:10001"]
    assert len(given["FROM"]) == 2
    assert len(given["HEALTHCHECK"]) == 1


def test_every_setting_of_the_compose_file_is_one_and_no_secret_stands_in_it():
    text = (ROOT / "compose.yaml").read_text()

    assert "${POSTGRES_PASSWORD:?" in text
    assert not re.search(r"postgresql://[^:@\s]+:[^@\s]+@", text)
    assert "/data" in text
    assert "condition: service_healthy" in text
