"""Every word that a page says to people has its French, in the catalogue that is compiled."""

import ast
import gettext
import re
from importlib import resources
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

PAGES = Path(str(resources.files("releve.control.pages")))
CATALOGUE = PAGES / "locale" / "fr" / "LC_MESSAGES"
FUNCTIONS = {"_", "gettext", "gettext_lazy", "ngettext"}
WITH_CONTEXT = {"pgettext", "pgettext_lazy"}
A_TEXT = r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\""
Word = tuple[str, str]  # its context, and itself


def of_a_template(path: Path) -> set[Word]:
    said = templatize(path.read_text("utf-8"))
    calls = re.findall(rf" (p?n?gettext)\(u?({A_TEXT})(?:, *u?({A_TEXT}))?", said)
    found = set()
    for name, first, *_rest in calls:
        texts = [ast.literal_eval(text) for text in (first, _rest[2]) if text]
        found.add((texts[0], texts[1]) if name == "pgettext" else ("", texts[0]))
    return found


def of_a_module(path: Path) -> set[Word]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if node.func.id in FUNCTIONS and texts:
            found.add(("", texts[0]))
        elif node.func.id in WITH_CONTEXT and len(texts) > 1:
            found.add((texts[0], texts[1]))
    return found


@pytest.fixture(scope="module")
def french() -> set[Word]:
    with (CATALOGUE / "django.mo").open("rb") as file:
        keys = gettext.GNUTranslations(file)._catalog
    texts = {key[0] if isinstance(key, tuple) else key for key in keys}
    return {tuple(text.split("\x04")) if "\x04" in text else ("", text) for text in texts}


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.html")), ids=lambda path: path.name)
def test_what_a_template_says_is_said_in_french_too(path, french):
    assert of_a_template(path) - french == set()


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.py")), ids=lambda path: str(path.relative_to(PAGES)))
def test_what_a_page_says_is_said_in_french_too(path, french):
    assert of_a_module(path) - french == set()


def test_the_catalogue_is_compiled_from_its_source(french):
    """The folder holds both; whoever changes the one runs `msgfmt` for the other."""
    source = (CATALOGUE / "django.po").read_text("utf-8")
    lines = re.findall(r'^msgid "(.+)"$', source, re.MULTILINE)

    assert len(lines) == len(french - {("", "")})
    assert {line.replace('\\"', '"') for line in lines} == {text for _, text in french} - {""}
