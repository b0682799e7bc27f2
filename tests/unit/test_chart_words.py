"""What charts say is said in both languages, and every word that they use is there."""

import re
from importlib import resources
from pathlib import Path

CHART = Path(str(resources.files("releve.control.pages"))) / "static" / "pages" / "chart"


def words() -> dict[str, dict[str, str]]:
    text = (CHART / "words.js").read_text("utf-8")
    parts = re.split(r"^  (en|fr): \{$", text, flags=re.MULTILINE)[1:]
    entry = re.compile(r'(?:"(\w+)"|(\w+)): "((?:[^"\\]|\\.)*)"')
    return {
        language: {quoted or name: said for quoted, name, said in entry.findall(block)}
        for language, block in zip(parts[::2], parts[1::2], strict=True)
    }


def test_english_and_french_have_the_same_words_with_the_same_places():
    said = words()

    assert set(said) == {"en", "fr"}
    assert set(said["en"]) == set(said["fr"])
    assert len(said["en"]) > 50
    for name, text in said["en"].items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", said["fr"][name])), name


def test_every_word_that_a_module_says_is_known():
    known = words()["en"]

    asked = {name for path in CHART.glob("*.js") for name in re.findall(r'\bsay\("(\w+)"', path.read_text("utf-8"))}

    assert len(asked) > 30
    assert asked - set(known) == set()


def test_no_module_of_a_chart_writes_html():
    writing = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")

    assert [path.name for path in CHART.glob("*.js") if writing.search(path.read_text("utf-8"))] == []
