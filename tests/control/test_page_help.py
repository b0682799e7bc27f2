"""The help: the documentation itself, in the reader's language, searched, and with no markup but its own."""

import re

import pytest
from django.core.cache import cache
from django.test import Client

from releve.control.pages.help import library
from releve.control.pages.help.library import HelpPage
from releve.control.pages.help.render import html
from releve.control.pages.templatetags.help import OF_SECTION

PASSWORD = "correct horse battery staple"


@pytest.fixture
def browser(erin):
    cache.clear()
    client = Client(headers={"accept": "text/html"})
    assert client.post("/account/login/", {"login": erin.email, "password": PASSWORD}).status_code == 302
    return client


def read(browser, path, language="en"):
    answer = browser.get(path, headers={"accept-language": language})
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_is_served_and_every_link_between_them_leads_on(browser, language):
    addresses = set(re.findall(r'href="(/help/[^"#]+)"', read(browser, "/help/", language)))

    for address in addresses:
        inside = re.findall(r'href="(/help/[^"#]*)', read(browser, address, language))
        assert all(browser.get(link).status_code == 200 for link in set(inside)), address

    assert len(addresses) >= 30


def test_who_reads_french_gets_the_french_page_and_else_is_told(browser):
    assert "Ajouter un appareil" in read(browser, "/help/howto/add-a-device/", "fr")
    assert "Add a device" in read(browser, "/help/fr/ajouter-un-appareil/", "en")
    assert "en anglais.</p>" in read(browser, "/help/howto/backup/", "fr")
    assert "en anglais.</p>" not in read(browser, "/help/howto/team/", "fr")


def test_the_search_finds_words_whatever_their_case_and_accents(browser):
    page = read(browser, "/help/?q=SUPPRIMER+revelés+cache", "fr")
    assert "Aucune page" in page

    page = read(browser, "/help/?q=recupere+EDITEUR", "fr")
    assert 'href="/help/howto/add-a-device/"' in page.partition("</section>")[0]

    page = read(browser, "/help/?q=add+a+device")
    found = re.findall(r'href="/help/([^"]+)/"', page.partition("</section>")[0])
    assert found[1 if found[0] == "" else 0] == "howto/add-a-device"  # the one that is called so comes first


def test_a_search_never_becomes_markup(browser):
    assert "<script>alert" not in read(browser, "/help/?q=<script>alert(1)</script>")


@pytest.mark.parametrize("key", OF_SECTION.values())
def test_each_part_of_the_pages_links_to_its_own_how_to(key):
    assert key in library.pages()


def test_a_page_that_there_is_not_is_not_found(browser):
    for path in ("/help/howto/nothing/", "/help/../../etc/passwd/", "/help/decisions/0001-two-planes-in-one-process/"):
        assert browser.get(path).status_code == 404


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", '[x](a.md "><script>")'],
)
def test_no_html_and_no_script_goes_through(text):
    made = html(HelpPage(key="howto/x", title="x", text=f"# x\n\n{text}\n"))

    assert "<script" not in made
    assert "<img" not in made
    assert "href=" not in made


def test_a_link_into_the_repository_keeps_its_words_alone():
    made = html(
        HelpPage(key="howto/x", title="x", text="# x\n\n[the code](../../src/releve/task.py) [runs](runs.md#x)\n")
    )

    assert "the code" in made
    assert "task.py" not in made
    assert 'href="/help/howto/runs/#x"' in made
