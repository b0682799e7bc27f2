"""Every link in the documentation leads somewhere, and what the pages say of the repository is so."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "bench").glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"[\w/]+\.(py|sql)")
METHOD = re.compile(r"[A-Z]\w*[a-z]\w*\.\w+")
CLASS = re.compile(r"[A-Z][a-z]+([A-Z][a-z]+)*")
OTHERS_WORDS = {"Authorization", "Host"}  # headers
TEST = re.compile(r"`(test_\w+)` in `(tests/[\w/]+\.py)`")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and GitLab make them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page):
    links = [link for link in LINK.findall(prose(page)) if not re.match(r"[a-z]+:", link)]

    broken = [link for link in links if not leads_somewhere(page, link)]

    assert broken == []


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and target.is_relative_to(ROOT) and (not anchor or anchor in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_begins_with_its_one_title(page):
    titles = re.findall(r"^# .+$", prose(page), re.MULTILINE)

    assert len(titles) == 1
    assert page.read_text("utf-8").startswith(titles[0])


@pytest.mark.parametrize("folder", ["decisions", "runbooks"])
def test_the_index_of_a_folder_names_every_page(folder):
    index = prose(ROOT / "docs" / folder / "README.md")
    pages = {page.name for page in (ROOT / "docs" / folder).glob("*.md")} - {"README.md"}

    assert pages == set(re.findall(r"\]\(([\w-]+\.md)\)", index))


def test_decisions_are_numbered_without_a_gap_and_say_context_decision_and_consequences():
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert re.findall(r"^## (.+)$", page.read_text("utf-8"), re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]


def test_what_the_pages_of_the_architecture_name_is_in_the_code():
    """Files by their path, whatever folder it begins in; functions and classes by their names."""
    files = [str(file) for folder in ("src", "tests", "bench") for file in (ROOT / folder).rglob("*")]
    names = defined()
    missing = []
    for page in (ROOT / "docs" / "architecture").glob("*.md"):
        for word in re.findall(r"`([^`\n]+)`", prose(page)):
            if FILE.fullmatch(word):
                is_there = any(file.endswith(f"/{word}") for file in files)
            elif METHOD.fullmatch(word):
                is_there = word.split(".")[1] in names.get(word.split(".")[0], ())
            elif CLASS.fullmatch(word):
                is_there = word in names or word in OTHERS_WORDS
            else:
                continue
            if not is_there:
                missing.append((name(page), word))

    assert missing == []


def defined() -> dict[str, set[str]]:
    """The classes, type names and functions of our code, each with what it defines in turn."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                inner = {each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
                found.setdefault(node.name, set()).update(inner)
    return found


def test_every_promise_names_tests_that_exist():
    named = TEST.findall(prose(ROOT / "docs" / "architecture" / "promises.md"))

    missing = [test for test, path in named if f"def {test}(" not in text_of(ROOT / path)]

    assert len(named) > 15
    assert missing == []


def text_of(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def test_the_licence_is_the_one_that_the_package_declares():
    licence = (ROOT / "LICENSE").read_text("utf-8")
    declared = (ROOT / "pyproject.toml").read_text("utf-8")

    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert 'license = "Apache-2.0"' in declared


def test_the_lock_files_pin_every_package_by_hash_and_name_no_index():
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text("utf-8")

        assert "://" not in text
        assert "--index-url" not in text
        assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:])
