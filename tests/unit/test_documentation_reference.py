"""The reference cannot go stale: what stands in the code is generated from it, and the words beside it are complete."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from releve.protocol.clock import Rule
from releve.protocol.outcome import Outcome

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def checked():
    """`docs/generate.py --check` in a process of its own, because it sets Django up."""
    return subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("page", ["configuration.md", "problems.md", "metrics.md", "cli.md"])
def test_the_generated_part_of_a_page_is_what_the_code_says(checked, page):
    assert page not in checked.stderr


def test_nothing_else_is_wrong_with_the_generated_pages(checked):
    assert (checked.returncode, checked.stderr) == (0, "")


def test_every_problem_says_what_to_do():
    text = (REFERENCE / "problems.md").read_text("utf-8")
    listed = set(re.findall(r"^\| \[`([\w-]+)`\]", text, re.MULTILINE))
    advised = set(re.findall(r"^### ([\w-]+)$", text, re.MULTILINE))

    assert listed
    assert listed == advised


def test_every_metric_that_is_asked_for_by_name_exists():
    listed = set(re.findall(r"^\| `(releve_\w+)` \|", (REFERENCE / "metrics.md").read_text("utf-8"), re.MULTILINE))
    known = listed | {f"{name}_{part}" for name in listed for part in ("bucket", "sum", "count")}

    for page in (ROOT / "docs").rglob("*.md"):
        asked = set(re.findall(r"\breleve_[a-z_]+(?=[{\[\s)`])", page.read_text("utf-8")))
        assert {name for name in asked if looks_like_a_metric(name)} <= known, page.name


def looks_like_a_metric(name: str) -> bool:
    parts = (
        *("readings", "problems", "sign_in_events", "step", "commit", "backlog", "workers"),
        *("task", "maintenance", "disk"),
    )
    return name.removeprefix("releve_").startswith(parts)


def test_every_setting_that_is_named_anywhere_exists():
    listed = set(re.findall(r"`((?:RELEVE_|DATABASE_)\w+)`", (REFERENCE / "configuration.md").read_text("utf-8")))

    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        named = set(re.findall(r"\bRELEVE_[A-Z_]*[A-Z]\b", page.read_text("utf-8")))
        assert named <= listed | {"RELEVE_TEST_DATABASE_URL", "RELEVE_TEST_CITUS_URL"}, page.name


def test_every_outcome_and_clock_rule_is_explained():
    text = (REFERENCE / "outcomes.md").read_text("utf-8")

    assert [name for name in [*Outcome, *Rule] if f"`{name}`" not in text] == []
