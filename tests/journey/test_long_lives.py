"""The published clients live their thirty days, a day in half a second: who may go on goes on, who must not is stopped.

An access token lives 2 s here in place of 15 minutes, a refresh token 15 s in place of 30 days.
"""

import threading
import time

import httpx
import pytest
from tests.journey.conftest import end, start

LIVES = {
    "RELEVE_ACCESS_TOKEN_S": "2", "RELEVE_REFRESH_TOKEN_S": "15", "RELEVE_REFRESH_GRACE_S": "1",
}  # fmt: skip
LIFE_S = 15
EVERY_S = 1.5
PROFILE = {"temperature": 20.5, "humidite": 40, "accelerometre": 0.1}


@pytest.fixture(scope="module")
def lives(installation):
    running = start(installation(), **LIVES)
    yield running
    end(running)


class App:
    """A client of contract C."""

    def __init__(self, server, who):
        self.server = server
        name = who.get("email") or who["name"]
        body = {"username": name, "password": who.get("password") or who["secret"]}
        pair = httpx.post(f"{server.url}/api/token/", json=body).raise_for_status().json()
        self.first = self.newest = pair["refresh"]
        self.access = pair["access"]

    def refresh(self, text=None):
        answer = httpx.post(f"{self.server.url}/api/token/refresh/", json={"refresh": text or self.newest})
        if answer.status_code == 200:
            self.access = answer.json()["access"]
        return answer

    def send(self):
        bearer = {"Authorization": f"Bearer {self.access}"}
        return httpx.post(f"{self.server.url}/api/send/data/", json=PROFILE, headers=bearer).status_code


def alarms(server, person):
    rows = server.query("SELECT count(*) FROM accounts_auditevent WHERE is_alert AND account_id = %s", person["id"])
    return rows[0][0]


def test_an_esp32_a_pi_and_a_phone_live_on_and_raise_no_alarm(lives):
    machines = [App(lives, lives.add_device("profilometre")) for _ in range(2)]  # never sign in again, never refresh
    person, other = lives.add_account("editor"), lives.add_account("editor")
    tabs = App(lives, other)  # a client that stores what it is given
    ends_s = time.monotonic() + LIFE_S  # or a moment later: a busy machine takes seconds for a sign-in
    phone = App(lives, person)  # presents its first token for ever

    while time.monotonic() < ends_s - 2 * EVERY_S:
        assert [machine.send() for machine in machines] == [200, 200]
        refreshed = phone.refresh(phone.first)
        if time.monotonic() > ends_s:
            break  # so slow that its life is over
        assert refreshed.status_code == 200
        assert phone.send() == 200
        tabs.newest = tabs.refresh().json()["refresh"]
        assert tabs.send() == 200
        time.sleep(EVERY_S)

    assert alarms(lives, person) == 0
    assert [machine.send() for machine in machines] == [200, 200]


def test_two_tabs_that_refresh_at_once_both_go_on(lives):
    person = lives.add_account("viewer")
    app = App(lives, person)
    app.newest = app.refresh().json()["refresh"]
    answers = []

    tabs = [threading.Thread(target=lambda: answers.append(app.refresh())) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["refresh"] == answers[1].json()["refresh"]
    assert alarms(lives, person) == 0


def test_a_stolen_ancestor_stops_the_family_with_exactly_one_alarm(lives):
    person = lives.add_account("viewer")
    owner = App(lives, person)
    for _ in range(3):
        owner.newest = owner.refresh().json()["refresh"]

    stolen = [owner.refresh(owner.first) for _ in range(3)]

    assert [(answer.status_code, answer.json()["code"]) for answer in stolen] == [(401, "token_reuse")] * 3
    assert owner.refresh().status_code == 401
    assert owner.send() == 401
    assert alarms(lives, person) == 1


def test_a_thief_who_rotates_a_phones_token_is_found_out_by_the_phone(lives):
    person = lives.add_account("viewer")
    phone = App(lives, person)
    thief = App(lives, person)
    thief.newest = phone.refresh(phone.first).json()["refresh"]  # what the phone never stores, the thief does
    thief.newest = thief.refresh().json()["refresh"]

    found_out = phone.refresh(phone.first)

    assert (found_out.status_code, found_out.json()["code"]) == (401, "token_reuse")
    assert thief.refresh().status_code == 401
    assert alarms(lives, person) == 1
