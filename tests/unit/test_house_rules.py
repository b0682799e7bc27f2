"""The rules of the house that no linter knows."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FUNCTION = 70
FOLDERS = ("src", "tests", "bench", "docs")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
OURS = [path for path in FILES if "migrations" not in path.parts]
TEXTS = {".py", ".md", ".sql", ".html", ".js", ".css", ".lua", ".po", ".json"}
SHAPELESS = {"utils", "util", "common", "helpers", "helper", "misc"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", OURS, ids=name)
def test_a_file_says_in_its_first_line_what_it_is_for(path):
    lines = path.read_text("utf-8").splitlines()
    first = lines[0] if lines else '"""An empty file needs no words."""'

    assert re.match(r'r?"""\S.*[.?:](""")?( |$)', first), first


def test_a_function_has_at_most_seventy_lines():
    long = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in OURS
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]

    assert long == []


def test_nothing_is_called_utils_common_or_helpers():
    shapeless = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.stem in SHAPELESS]

    assert shapeless == []


def test_every_disabled_lint_rule_has_its_reason_beside_it():
    disabled = re.compile(r"# noqa: [A-Z0-9, ]+$", re.MULTILINE)
    sources = [path for path in OURS if path.is_relative_to(ROOT / "src")]

    assert [name(path) for path in sources if disabled.search(path.read_text("utf-8"))] == []


def test_a_test_file_has_a_name_of_its_own():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]

    assert sorted(names) == sorted(set(names))


def test_every_statement_of_the_schema_has_its_way_back():
    schema = ROOT / "src" / "releve" / "storage" / "schema"
    up = {path.name.removesuffix(".sql") for path in schema.glob("*.sql") if not path.name.endswith(".down.sql")}
    down = {path.name.removesuffix(".down.sql") for path in schema.glob("*.down.sql")}

    assert up
    assert up == down


def test_no_statement_of_the_data_plane_stands_in_python():
    """SQL lives in `.sql` files, where it can be read, found and run by itself."""
    plane = [
        path
        for package in ("access", "http", "ingest", "live", "query", "serve", "storage")
        for path in (ROOT / "src" / "releve" / package).rglob("*.py")
    ]
    statement = re.compile(r'"""?\s*(?:INSERT INTO|UPDATE \w+ SET|DELETE FROM|SELECT .+ FROM (?!pg_)\w)')

    assert [name(path) for path in plane if statement.search(path.read_text("utf-8"))] == []


def test_no_page_and_no_source_names_somebodys_machine_or_a_package_index():
    suspicious = re.compile(rb"/home/(?!you/|vous/)\w+/|/root/\w|index-url *=")
    texts = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in TEXTS]

    assert [name(path) for path in [*ROOT.glob("*.*"), *texts] if suspicious.search(bytes_of(path))] == []


def bytes_of(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
