"""The commands of docs/howto/backup.md, taken out of the page and run: a dump while it runs, and its restoration."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.journey.conftest import environment, free_port

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


def send(server, bearer, number):
    return httpx.post(f"{server.url}/api/v1/readings", json={"n": number}, headers=bearer, timeout=30)


def test_a_dump_is_restored_by_the_page_and_devices_go_on_with_the_tokens_that_they_have(
    start_server, own_data_dir, folder, reachable_directory
):
    server = start_server(data_dir=own_data_dir)
    device = server.add_device()
    bearer = server.bearer(device)
    assert send(server, bearer, 1).json()["outcome"] == "stored"
    saving = replaced(commands("While it runs"), data=("D=$PWD/data", f"D={own_data_dir}"))

    run(saving, folder)
    send(server, bearer, 2)  # after the dump: it is gone with this machine
    server.stop()
    target = reachable_directory() / "restored"
    restoring = replaced(
        commands("Restore a dump").partition(RESTART)[0],
        place=("N=/srv/releve/restored", f"N={target}"),
        port=("8001", str(free_port())),
    )
    binaries = re.search(r"^BIN=.*$", saving, re.MULTILINE)[0]
    run(f"{binaries}\n{restoring}", folder)

    restored = start_server(data_dir=target)
    assert restored.query("SELECT count(*) FROM reading WHERE device_id = %s", device["id"]) == [(1,)]
    assert send(restored, bearer, 3).json()["outcome"] == "stored"
    assert restored.tokens(device)["access"]
