"""The commands of docs/howto/backup.md, taken out of the page and run: a dump while it runs, and its restoration."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from tests.journey.conftest import environment, free_port
from tests.journey.mqtt_client import Raw

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "backup.md"
BASH = shutil.which("bash") or "/bin/bash"
RESTART = '\n./releve up --data-dir "$N"\n'


def commands(heading):
    """The shell lines below a heading."""
    return re.search(rf"^## {heading}$.*?```sh\n(.*?)```", PAGE.read_text(), re.DOTALL | re.MULTILINE)[1]


def replaced(text, **words):
    for word, ours in words.values():
        assert word in text, word
        text = text.replace(word, ours)
    return text


@pytest.fixture
def folder(tmp_path):
    """Where the commands are typed: like a clone, with its environment and its launcher."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    launcher = tmp_path / "releve"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m releve "$@"\n')
    launcher.chmod(0o755)
    return tmp_path


def run(script, folder):
    done = subprocess.run(
        [BASH, "-euc", script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stderr


def send(server, bearer, number=0):
    return httpx.post(f"{server.url}/api/v1/readings", json={"n": number}, headers=bearer, timeout=30)


def lets_in(server, device):
    """Whether the device may connect over MQTT by its secret."""
    with Raw(server) as client:
        return client.sign_in(device).reason == 0


class Restoration:
    """An installation that is saved as the page says, goes on, and is restored elsewhere as the page says."""

    def __init__(self, start_server, folder, target):
        self.server = start_server()
        self._start_server = start_server
        self._folder = folder
        self._target = target
        self.said = ""  # by the server that the dump was restored under, which may notice it first
        self._saving = replaced(commands("While it runs"), data=("D=$PWD/data", f"D={self.server.data_dir}"))

    def save(self):
        """The dump and the keys."""
        run(self._saving, self._folder)

    def save_journal(self):
        """What is done every minute."""
        within_s = time.monotonic() + 30
        while not self._is_in_step():
            assert time.monotonic() < within_s
            time.sleep(0.05)
        (self._folder / "backup").mkdir()
        copying = replaced(commands("The journal of revocations"), to=("B=/srv/backup", f"B={self._folder / 'backup'}"))
        run(f"D={self.server.data_dir}\n{copying}", self._folder)

    def restore(self, *, with_journal):
        """On another machine, so to say."""
        self.server.stop()
        restoring = replaced(
            commands("Restore a dump").partition(RESTART)[0],
            place=("N=/srv/releve/restored", f"N={self._target}"),
            port=("8001", str(free_port())),
        )
        journal = re.search(r'^cp -p "\$B".*\n', restoring, re.MULTILINE)[0]
        if not with_journal:
            restoring = restoring.replace(journal, "")
        binaries = re.search(r"^BIN=.*$", self._saving, re.MULTILINE)[0]
        self.said = run(f"B={self._folder / 'backup'}\n{binaries}\n{restoring}", self._folder)
        return self._start_server(data_dir=self._target)

    def _is_in_step(self):
        ended = self.server.query("SELECT key FROM revocation")
        [journal] = (self.server.data_dir / "keys").glob("revocations-*")
        return all(str(key) in journal.read_text() for (key,) in ended)


@pytest.fixture
def restoration(start_server, folder, reachable_directory):
    return Restoration(start_server, folder, reachable_directory() / "restored")


def test_what_was_ended_after_the_dump_is_dead_after_the_restoration_and_all_others_go_on(restoration):
    server = restoration.server
    kept, lost, renewed = server.add_device(), server.add_device(), server.add_device()
    stayer, leaver = server.add_account("editor"), server.add_account("editor")
    bearers = {name: server.bearer(who) for name, who in {
        "kept": kept, "lost": lost, "renewed": renewed, "stayer": stayer, "leaver": leaver,
    }.items()}  # fmt: skip
    assert {send(server, bearer, 1).status_code for bearer in bearers.values()} == {200}
    readings = "SELECT count(*) FROM fresh_reading WHERE device_id = %s"

    restoration.save()
    send(server, bearers["kept"], 2)  # after the dump: it is gone with this machine
    server.json("device", "disable", lost["name"])
    new_secret = server.json("device", "new-secret", renewed["name"])["secret"]
    assert httpx.post(f"{server.url}/api/auth/sign-out/", headers=bearers["leaver"]).status_code in (200, 204)
    later = server.bearer(kept)  # a sign-in that the dump does not know
    restoration.save_journal()
    restored = restoration.restore(with_journal=True)

    assert restored.query(readings, kept["id"]) == [(1,)]
    assert {name: send(restored, bearer, 3).status_code for name, bearer in bearers.items()} == {
        "kept": 200, "lost": 401, "renewed": 401, "stayer": 200, "leaver": 401,
    }  # fmt: skip
    assert (lets_in(restored, kept), lets_in(restored, lost)) == (True, False)
    assert not lets_in(restored, renewed)
    assert lets_in(restored, {**renewed, "secret": new_secret})
    assert send(restored, later).status_code == 401
    assert restored.errors.read_text().count("unknown sign-in") == 1
    assert "is older than its journal" in restoration.said + restored.errors.read_text()
    assert "nobody else was signed out" in restored.command("doctor").stdout
    assert restored.tokens(kept)["access"]


def test_without_the_journal_people_sign_in_again_and_devices_go_on(restoration):
    server = restoration.server
    device, person = server.add_device(), server.add_account("editor")
    its, theirs = server.bearer(device), server.bearer(person)

    restoration.save()
    restored = restoration.restore(with_journal=False)

    assert (send(restored, its).status_code, send(restored, theirs).status_code) == (200, 401)
    assert lets_in(restored, device)
    assert send(restored, restored.bearer(person)).status_code == 200
    assert "all people sign in again, devices go on" in restoration.said + restored.errors.read_text()
    assert "all people had to sign in again" in restored.command("doctor").stdout
    [alert] = restored.query("SELECT detail FROM accounts_auditevent WHERE kind = 'restored' AND is_alert")
    assert alert[0]["people_signed_out"] == "1"
