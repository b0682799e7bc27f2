"""Every transport calls `Path.keep` and nothing else: no other way leads from readings to the writers."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "releve"
FILES = sorted(SOURCE.rglob("*.py"))
TRANSPORTS = {
    "ingest/http.py",
    "ingest/mqtt/endpoint.py",
    "ingest/bridge/delivery.py",
    "ingest/bridge/stray.py",
    "ingest/rule_action/routes.py",
    "ingest/racing/sensor_data.py",
    "query/device/quarantine.py",
}


def name(file: Path) -> str:
    return str(file.relative_to(SOURCE))


def calls(file: Path) -> set[str]:
    """What is called in a file, by the last two words: `path.keep`, `group.add`."""
    called = (node.func for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call))
    return {
        ".".join(ast.unparse(function).split(".")[-2:]).lstrip("_")
        for function in called
        if isinstance(function, ast.Attribute)
    }


def test_nothing_but_the_path_hands_readings_to_the_writers():
    handing = {name(file) for file in FILES if calls(file) & {"group.add", "group.enter", "writer.commit"}}

    assert handing == {"ingest/path.py", "ingest/waveform.py", "ingest/batch.py"}


def test_every_transport_keeps_its_submissions_by_the_path():
    keeping = {name(file) for file in FILES if "path.keep" in calls(file)}

    assert keeping == TRANSPORTS


def test_below_asgi_the_same_path_is_taken_without_a_task_that_waits():
    assert {name(file) for file in FILES if "path.hand_in" in calls(file)} == {"ingest/direct.py"}


@pytest.mark.parametrize("file", sorted(TRANSPORTS - {"ingest/mqtt/endpoint.py", "ingest/bridge/delivery.py"}))
def test_no_transport_counts_outcomes_by_itself(file):
    assert "counters.ended" not in calls(SOURCE / file)


def test_last_values_are_kept_by_the_path_alone():
    keeping = {name(file) for file in FILES if "values.keep" in calls(file)}

    assert keeping == {"ingest/path.py"}
