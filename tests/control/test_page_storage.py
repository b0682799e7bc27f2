"""The page of what is kept: what readings take, as a picture, and an administrator's rule with a look before."""

import pytest
from django.test import Client
from tests.control.test_storage import fill

from releve.control.accounts.models import AuditEvent, AuditKind
from releve.control.keeping.models import Rule

PAGE = "/team/storage/"


@pytest.fixture
def browser():
    def make(account, language="en"):
        account.language = language
        account.save()
        client = Client(headers={"accept": "text/html", "accept-language": language})
        client.force_login(account)
        return client

    return make


def test_a_member_sees_a_bar_a_day_and_each_device_and_makes_no_rule(bob, device, browser):
    fill(device, 10)

    page = browser(bob).get(PAGE).content.decode()

    assert page.count("<rect") == 30
    assert page.count('height="0.0"') >= 19
    assert device.name in page
    assert "everything is kept for ever" in page
    assert '<form method="post" action="/team/' not in page
    assert "style=" not in page.partition("<main")[2]


def test_an_administrator_looks_before_and_then_keeps_so(alice, team, device, browser):
    fill(device, 40)
    client = browser(alice)
    rule = {f"keep{team.pk}-raw_days": "30"}

    looked = client.post(f"/team/{team.pk}/keeping/", {**rule, "look": ""})
    before = Rule.objects.count()
    kept = client.post(f"/team/{team.pk}/keeping/", {**rule, "keep": ""}, follow=True)

    assert looked.status_code == 200
    assert f"{device.name}: 240 readings would be deleted" in looked.content.decode()
    assert before == 0
    assert "The rule counts from now on" in kept.content.decode()
    assert "readings for 30 days" in kept.content.decode()
    assert (Rule.objects.get().raw_days, Rule.objects.get().device) == (30, None)
    assert AuditEvent.objects.get(kind=AuditKind.KEEPING_CHANGED).detail["raw_days"] == "30"


def test_a_rule_that_makes_no_sense_is_said_at_its_field(alice, team, browser):
    sent = {f"keep{team.pk}-raw_days": "30", f"keep{team.pk}-ladder_days": "3", "keep": ""}

    answer = browser(alice).post(f"/team/{team.pk}/keeping/", sent)

    assert answer.status_code == 422
    assert "as many days as the readings are kept" in answer.content.decode()
    assert not Rule.objects.exists()


def test_others_make_no_rule(bob, erin, charlie, team, browser):
    statuses = [
        browser(each).post(f"/team/{team.pk}/keeping/", {"keep": ""}).status_code for each in (bob, erin, charlie)
    ]

    assert statuses == [403, 403, 404]


def test_the_page_speaks_french(alice, team, device, browser):
    fill(device, 40)

    looked = browser(alice, "fr").post(f"/team/{team.pk}/keeping/", {f"keep{team.pk}-raw_days": "30", "look": ""})

    text = looked.content.decode()
    for words in ("Données gardées", "mesures seraient supprimées", "Garder ainsi désormais", "Par jour"):
        assert words in text
