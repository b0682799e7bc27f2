"""People who are signed in are warned on every page before the disk is full, in their language."""

import pytest
from django.test import Client

from releve.control.pages import room
from releve.storage.room import Room

PASSWORD = "correct horse battery staple"


@pytest.fixture
def browser(alice):
    client = Client()
    client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    return client


@pytest.fixture
def free(monkeypatch):
    def make(percent):
        monkeypatch.setattr(Room, "at", classmethod(lambda cls, place: cls(str(place), percent, 100)))

    return make


@pytest.mark.parametrize(
    ("percent", "language", "says"),
    [
        (9, "en", "Only 9 % of the disk"),
        (4, "en", "Only 4 % of the disk"),
        (4, "fr", "Il ne reste que 4 % de libre"),
    ],
)
@pytest.mark.parametrize("page", ["/runs/", "/account/password/change/"])
def test_a_page_warns_when_little_of_the_disk_is_free(browser, free, page, percent, language, says):
    free(percent)

    shown = browser.get(page, headers={"accept-language": language}).content.decode()

    assert says in shown
    assert ("notice error" in shown) == (percent < 5)


def test_nothing_is_said_while_there_is_room_nor_to_strangers(browser, free):
    free(10)
    assert "of the disk" not in browser.get("/runs/").content.decode()

    free(4)
    assert "of the disk" not in Client().get("/account/login/").content.decode()


def test_the_fuller_of_two_disks_is_named(tmp_path, monkeypatch):
    sizes = {tmp_path: 50, tmp_path / "postgres": 3}
    monkeypatch.setattr(Room, "at", classmethod(lambda cls, place: cls(str(place), sizes[place], 100)))

    assert room.fullest(tmp_path).place == str(tmp_path / "postgres")
