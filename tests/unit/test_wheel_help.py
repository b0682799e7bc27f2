"""Whoever installs the wheel has the help too."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheel_carries_the_pages_of_the_help(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)

    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = {name.partition("/data/share/releve/docs/")[2] for name in file.namelist()}
    written = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs" / "howto").glob("*.md")}
    assert written <= names
    assert "fr/tutoriel.md" in names
