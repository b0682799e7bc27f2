"""The commands of docs/howto/runs.md, taken out of the page and run against a real server."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "runs.md"
EXECUTED = "<!-- executed by tests/journey/test_documentation_runs.py -->"
TEAM = "Readers of the page on runs"


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_commands_of_the_page_open_close_correct_undo_and_export_a_run(server, tmp_path):
    (snippet,) = re.findall(rf"{EXECUTED}\n```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    device = server.add_device(team=TEAM)
    token = server.tokens(server.add_account("editor", team=TEAM))["access"]
    readings = [{"time": f"2026-06-01T12:00:{second}Z", "speed": float(second)} for second in (10, 20, 30, 42)]
    httpx.post(f"{server.url}/api/v1/readings", json=readings, headers=server.bearer(device)).raise_for_status()

    surroundings = {**os.environ, "U": server.url, "TOKEN": token, "DEVICE": str(device["id"])}
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", snippet],
        env=surroundings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    (export,) = tmp_path.glob("run-*.csv")
    speeds = [line.rpartition(",")[2] for line in export.read_text().splitlines()]
    assert speeds == ["speed", "10.0", "20.0", "30.0"]  # the last one was left out
    (run,) = server.query("SELECT name, ended_at FROM runs_run WHERE device_id = %s", device["id"])
    assert run == ("Friday", None)  # closing it was undone
