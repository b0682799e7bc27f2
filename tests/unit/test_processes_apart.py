"""What the processes load: the one that takes readings never loads Django, nor what only people need."""

import subprocess
import sys

import pytest

LOADED = """
import sys, {module}
print(*(name for name in sys.modules if "." not in name or name.startswith("releve.")))
"""


def loaded_by(module):
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(module=module)], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["releve.serve.worker", "releve.serve.application", "releve.serve.bridge"])
def test_the_process_that_takes_readings_does_not_load_django(module):
    loaded = loaded_by(module)

    assert "releve.ingest" in loaded
    assert {"django", "rest_framework", "allauth", "whitenoise", "releve.control"} & loaded == set()


def test_background_work_loads_django_with_its_first_round_and_not_before():
    assert "django" not in loaded_by("releve.serve.maintenance")
