"""A run of which readings were deleted says so, and tells no figure that would be of a shorter run."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from tests.homes import row

from releve.control.fleet.services import register_device
from releve.control.runs import several
from releve.control.runs.columns import reader, us
from releve.control.runs.models import HandStatistic, Kind, Run
from releve.history.pivot import block_of
from releve.protocol.keeping import DAY_US, Days, Keeping, Stretch
from releve.storage import retention, segments
from releve.storage.reader import now
from releve.storage.scan import EVER

HOUR_US = 3_600_000_000


@pytest.fixture
def car(team):
    return register_device(team=team, name="esp32", contract="racing")[0]


@pytest.fixture
def start():
    return (timezone.now() - timedelta(days=60)).replace(microsecond=0)


@pytest.fixture
def race(car, team, start):
    """A race of forty hours, a reading every hour."""
    rows = [
        row(us(start) + hour * HOUR_US, {"speed": float(hour), "distance": 10.0 * hour, "battery": 90 - hour})
        for hour in range(41)
    ]
    with reader() as own:
        now(segments.add(own, car.pk, block_of(rows)))
    end = start + timedelta(hours=40, seconds=1)
    return Run.objects.create(team=team, device=car, kind=Kind.RACE, started_at=start, ended_at=end, is_inferred=False)


def keep(car, keeping, *, days):
    """What rules delete when the race's start is so many days ago."""
    with reader() as own:
        now_us = now(retention.present_us(own)) - (60 - days) * DAY_US
        while now(retention.keep(own, car.pk, [Stretch(*EVER, keeping)], now_us)).is_more:
            pass


def summary(client, race):
    return client.get(f"/api/v1/runs/{race.pk}").json()["summary"]


def test_a_run_that_is_whole_says_nothing_of_the_kind(bob, race, signed_in):
    found = summary(signed_in(bob), race)

    assert found["deleted"] == []
    assert found["channels"]["speed"]["n"] == 41


def test_a_run_that_lost_its_beginning_tells_where_and_gives_no_figure_of_the_rest(bob, race, car, start, signed_in):
    HandStatistic.objects.create(run=race, values={"weather": "rain"})

    keep(car, Keeping(Days(1), {}), days=2 + 1 / 24)

    found = summary(signed_in(bob), race)
    (gone,) = found["deleted"]
    assert (gone["channel"], gone["since"]) == ("", start.isoformat().replace("+00:00", "Z"))
    assert gone["until"] > gone["since"]
    assert found["channels"] == {}
    assert found["laps"] == []
    assert found["statistics"] == {"weather": "rain"}
    assert found["completeness"]["gaps"] == []
    assert several.totals_of([race], ["speed"]) == {}


def test_a_run_that_lost_a_channel_still_tells_of_the_others(bob, race, car, signed_in):
    keep(car, Keeping(Days(), {"battery": Days(1)}), days=30)

    found = summary(signed_in(bob), race)
    assert [gone["channel"] for gone in found["deleted"]] == ["battery"]
    assert sorted(found["channels"]) == ["distance", "speed"]
    assert found["channels"]["speed"]["n"] == 41
    assert found["completeness"]["received"] == 41
    assert "battery" not in found["statistics"]


@pytest.mark.parametrize(
    ("language", "words"), [("en", "were deleted, as the team asked"), ("fr", "ont été supprimés")]
)
def test_the_runs_page_says_so_in_words(bob, race, car, language, words):
    bob.language = language
    bob.save()
    keep(car, Keeping(Days(1), {}), days=30)
    browser = Client(headers={"accept": "text/html", "accept-language": language})
    browser.force_login(bob)

    page = browser.get(f"/runs/{race.pk}/")

    assert page.status_code == 200
    assert words in page.content.decode()
