"""The Raspberry Pi's program of the tutorial, taken out of the page and run with a sensor that fails once."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.journey.mqtt_client import eventually

DOCS = Path(__file__).resolve().parents[2] / "docs"
PROGRAM = re.compile(r"```python\n(import collections.*?)^```", re.MULTILINE | re.DOTALL)
SENSOR = """
readings = iter([{"n": 1}, {"n": float("nan")}, {"n": 3}, {"n": {"no": 1}}, {"n": 5}])


def measure():
    return next(readings)


"""


@pytest.mark.parametrize("page", ["tutorial.md", "fr/tutoriel.md"])
def test_the_pi_drops_a_reading_that_can_never_be_stored_and_goes_on(server, page):
    device = server.add_device()
    (program,) = PROGRAM.findall((DOCS / page).read_text("utf-8"))
    where = f'URL, NAME, SECRET = "{server.url}", "{device["name"]}", "{device["secret"]}"'
    program = re.sub(r"^URL, NAME, SECRET = .*$", where, program, flags=re.MULTILINE)
    program = re.sub(r"^def measure\(\):.*?(?=^while True)", SENSOR, program, flags=re.MULTILINE | re.DOTALL)

    pi = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL)
    try:
        stored = eventually(
            lambda: (
                server.query(
                    "SELECT channels::jsonb->>'n' FROM fresh_reading WHERE device_id = %s ORDER BY time", device["id"]
                )
                == [("1",), ("3",), ("5",)]
            ),
            within_s=60,
        )
    finally:
        pi.kill()
        pi.wait()

    assert stored
