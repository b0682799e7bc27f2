"""Neither log format takes what steers a terminal or turns a line around, whoever sent it."""

import json
import logging
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from releve.serve.process import logs

STEERING = ["\x1b[2J", "\x07", "\x9b31m", "\u202e", "\u2066", "\u200f", "\u2028", "\x7f", "\r", "\ud800", "\ufeff"]


@pytest.fixture
def restored():
    """What a test sets up for a whole process is undone."""
    handlers, level, chosen = logging.root.handlers[:], logging.root.level, structlog.get_config()
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    logging.getLogger("django.security.DisallowedHost").disabled = False
    structlog.contextvars.clear_contextvars()
    structlog.configure(**chosen)


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("steering", STEERING, ids=ascii)
def test_what_a_sender_wrote_is_spelled_out(capsys, log_format, steering):
    logs.configure(level="info", log_format=log_format)
    text = f"before{steering}after"

    structlog.get_logger().warning("refused", path=text, errors=[{"field": text}], problem=ValueError(text))
    logging.getLogger("another.library").warning("says %s", text)
    try:
        int(text)
    except ValueError:
        structlog.get_logger().exception("broke", path=text)
    said = capsys.readouterr().err

    assert steering not in said
    assert said.count("before") >= 6  # nothing is left out
    if log_format == "json":
        assert [json.loads(line)["level"] for line in said.splitlines()] == ["warning", "warning", "error"]


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_one_event_is_one_line_and_people_s_own_letters_stay(capsys, log_format):
    logs.configure(level="info", log_format=log_format)

    structlog.get_logger().info("signed in\nforged", name="Zoë\nforged 北京 عربى")
    said = capsys.readouterr().err

    assert len(said.splitlines()) == 1
    assert "Zoë" in said
    assert "عربى" in said


@pytest.mark.usefixtures("restored")
def test_a_line_that_cannot_be_written_harms_nobody(monkeypatch):
    with Path("/dev/full").open("w", encoding="utf-8") as full:  # what a full disk answers
        monkeypatch.setattr(sys, "stderr", full)
        logs.configure(level="info", log_format="json")

        structlog.get_logger().info("signed in")

        with pytest.raises(OSError, match="No space"):
            full.flush()
        monkeypatch.undo()
        with suppress(OSError):
            full.close()
