"""Whoever runs Relevé sees a device's token end before the device falls silent."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from releve.access.ending import EndingTokens
from releve.cli.check import database
from releve.cli.check.finding import State
from releve.control.accounts.models import SignIn
from releve.control.accounts.origin import Origin
from releve.control.accounts.sign_in import start
from releve.control.fleet.services import disable_device, register_device
from releve.ingest import metrics
from releve.ingest.counters import Counters
from releve.storage.pool import Pool


@pytest.fixture
def ending(team, charlie):
    """A device whose token ends in 20 days, others that are well, and one of another team."""

    def make(name, days, owner=team):
        device = register_device(team=owner, name=name)[0]
        start(device, Origin(), timezone.now())
        SignIn.objects.filter(device=device).update(expires_at=timezone.now() + timedelta(days=days))
        return device

    device = make("old-pi", 20)
    make("fresh-pi", 31)
    start(make("twice-signed-in", 20), Origin(), timezone.now())
    disable_device(make("disabled-pi", 20))
    register_device(team=team, name="by-secret")
    make("charlies-pi", 20, owner=charlie.memberships.get().team)
    return device


def test_the_devices_page_names_the_teams_devices_whose_token_ends_within_30_days(ending, alice, charlie):
    for account, own in ((alice, "old-pi"), (charlie, "charlies-pi")):
        browser = Client(headers={"accept": "text/html"})
        browser.force_login(account)

        page = browser.get("/").content.decode()
        notice = page[page.index("Tokens that end soon") :].partition("</section>")[0]

        assert notice.count("<li>") == 1
        assert f">{own}</a> · ends" in notice


def test_a_token_that_has_ended_is_still_named(ending, alice):
    SignIn.objects.filter(device=ending).update(expires_at=timezone.now() - timedelta(days=3))
    browser = Client(headers={"accept": "text/html"})
    browser.force_login(alice)

    assert ">old-pi</a> · ended" in browser.get("/").content.decode()


def test_doctor_names_them(ending):
    finding = next(database.device_tokens(connection.connection))

    assert finding.state is State.WARN
    assert "old-pi (" in finding.detail
    for name in ("fresh-pi", "twice-signed-in", "disabled-pi", "by-secret"):
        assert name not in finding.detail


@pytest.mark.django_db(transaction=True)
def test_a_metric_names_them_and_a_person_sees_the_teams_own(ending, alice):
    ends = connection.settings_dict
    url = psycopg.conninfo.make_conninfo(
        dbname=ends["NAME"], user=ends["USER"], password=ends["PASSWORD"], host=ends["HOST"], port=ends["PORT"]
    )

    everybodys, alices = asyncio.run(_both(url, {alice.memberships.get().team_id}))

    assert set(everybodys) == {"old-pi", "charlies-pi"}
    assert set(alices) == {"old-pi"}
    text = metrics.render([Counters().snapshot()], alices).decode()
    assert float(text.partition('releve_device_token_end_seconds{device="old-pi"} ')[2].partition("\n")[0]) > 1e9


async def _both(url, teams):
    pool = Pool(url, application="test")
    tokens = EndingTokens(pool)
    try:
        return await tokens.by_device(None), await tokens.by_device(teams)
    finally:
        await pool.close()
