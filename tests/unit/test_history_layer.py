"""Columns are for those who use them: the process that takes readings starts without numpy."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "releve.protocol.contract",
        "releve.serve.worker",
        "releve.cli",
        "releve.history",
        "releve.query.routes",
        "releve.query.run.routes",
        "releve.query.openapi",
    ],
)
def test_what_does_not_use_columns_does_not_load_numpy(module):
    program = f"import {module}, sys; print(sorted({{'numpy', 'pcodec', 'zstandard'}} & set(sys.modules)))"

    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert found.stdout.strip() == "[]"
