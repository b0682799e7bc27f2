"""The snippets of docs/howto/mqtt.md, taken out of the page and run against a real server."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.journey.mqtt_client import port_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "mqtt.md"
EXECUTED = "<!-- executed by tests/journey/test_documentation_mqtt.py -->"
DEVICE = "pi-garage"
WITHIN_S = 60


def snippets(language, mark=""):
    """The page's blocks of a language, of those that stand behind the mark."""
    return re.findall(rf"{mark}\n```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def device(server):
    """The device that the page adds."""
    return server.json("device", "add", DEVICE, "--contract", "generic")


def run(program, server, device):
    """Run a snippet as it stands, but for the port that this server has."""
    done = subprocess.run(
        [*program[:-1], program[-1].replace("1883", str(port_of(server)))],
        env={**os.environ, "SECRET": device["secret"]},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def temperatures(server, device):
    rows = server.query(
        "SELECT (channels::jsonb ->> 'temperature')::float FROM fresh_reading WHERE device_id = %s", device["id"]
    )
    return {value for (value,) in rows}


def test_every_snippet_that_the_page_says_is_executed_is_executed_here():
    assert len(snippets("sh", EXECUTED)) == 2
    assert len(snippets("python", EXECUTED)) == 1
    assert PAGE.read_text("utf-8").count(EXECUTED) == 3


@pytest.mark.needs("mosquitto-clients")
@pytest.mark.parametrize("number", [0, 1])
def test_the_snippet_of_mosquitto_pub_stores_what_it_sends(server, device, number):
    snippet = snippets("sh", EXECUTED)[number]

    run(["sh", "-eu", "-c", snippet], server, device)

    sent = {float(value) for value in re.findall(r'"temperature": ([\d.]+)', snippet)}
    assert sent
    assert sent <= temperatures(server, device)


def test_the_snippet_of_paho_stores_what_it_sends_and_says_so(server, device):
    (snippet,) = snippets("python", EXECUTED)

    said = run([sys.executable, "-W", "error", "-c", snippet], server, device)

    assert said == "committed\n"
    assert float(re.search(r'"temperature": ([\d.]+)', snippet)[1]) in temperatures(server, device)


def test_every_python_snippet_is_python_and_every_json_snippet_is_json():
    for snippet in snippets("python"):
        compile(snippet, str(PAGE), "exec")
    for snippet in snippets("json"):
        json.loads(snippet)
    assert len(snippets("python")) >= 2
