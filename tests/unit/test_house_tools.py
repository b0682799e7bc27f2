"""The tools that hold the rules, each run as a test."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {
    "ruff check": ("ruff", "check"),
    "ruff format": ("ruff", "format", "--check"),
    "import-linter": ("lint-imports",),
    "mypy": ("mypy",),
}
SLOW = {"mypy"}  # a minute without its cache


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, id=name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name, command in TOOLS.items()
    ],
)
def test_a_tool_finds_nothing(command):
    program, *arguments = command
    found = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert found.returncode == 0, found.stdout + found.stderr
