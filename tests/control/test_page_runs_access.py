"""The pages of runs: who sees and changes what, that a change holds to the state that was seen, and what pages say."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from releve.control.accounts.models import AuditEvent
from releve.control.fleet.models import Asset
from releve.control.fleet.services import register_device
from releve.control.pages.urls import urlpatterns
from releve.control.runs.edit import services
from releve.control.runs.models import Change, Exclusion, Run

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROUTES = [pattern for pattern in urlpatterns if str(pattern.pattern).startswith("runs/")]
ON_A_RUN = [pattern for pattern in ROUTES if "run_id" in str(pattern.pattern)]
CHANGES = [pattern for pattern in ROUTES if pattern.name not in {"run-list", "run-page", "run-compare"}]


@pytest.fixture
def browse():
    def make(account) -> Client:
        client = Client(headers={"accept": "text/html"})
        client.force_login(account)
        return client

    return make


@pytest.fixture
def car(team):
    return register_device(team=team, name="esp32", contract="racing")[0]


@pytest.fixture
def race(team, car):
    with connection.cursor() as cursor:
        cursor.execute("SELECT releve_ensure_partition(%s)", [START])
        for second in [*range(20), *range(40, 60)]:
            channels = f'{{"speed": {second}.5, "distance": {2 * second}, "battery": {100 - second}, "track": 1}}'
            time = START + timedelta(seconds=second)
            cursor.execute("INSERT INTO reading VALUES (%s, %s, 1, %s, %s)", [car.pk, time, timezone.now(), channels])
    end = START + timedelta(seconds=60)
    return services.open_run(
        team=team, device=car, asset=None, kind="race", name="Friday", started_at=START, ended_at=end
    )


def address(pattern, race) -> str:
    given = {"run_id": race.pk, "change_id": race.revision, "exclusion_id": 1}
    return "/" + re.sub(r"<int:(\w+)>", lambda found: str(given[found[1]]), str(pattern.pattern))


def state(client, race) -> str:
    page = client.get(f"/runs/{race.pk}/").content.decode()
    return re.search(r'name="state" value="([^"]+)"', page)[1].replace("&quot;", '"')


def act(client, race, action, **fields):
    fields.setdefault("state", state(client, race))
    return client.post(f"/runs/{race.pk}/{action}/", fields, follow=True).content.decode()


@pytest.mark.parametrize("pattern", ON_A_RUN, ids=lambda pattern: pattern.name)
def test_another_teams_run_does_not_exist(browse, race, charlie, pattern):
    client = browse(charlie)

    shown = client.get(address(pattern, race), follow=True)  # that of a form leads to the run's page
    changed = client.post(address(pattern, race))

    assert 404 in {shown.status_code, changed.status_code} <= {404, 405}


@pytest.mark.parametrize("pattern", CHANGES, ids=lambda pattern: pattern.name)
def test_a_viewer_changes_no_run(browse, race, bob, car, pattern):
    Exclusion.objects.create(pk=1, device=car, since=START, until=START + timedelta(seconds=1), reason="a test")
    before = list(Run.objects.values())
    fields = {"state": "*", "device": car.pk, "kind": "race", "rename-name": "Mine"}

    assert browse(bob).post(address(pattern, race), fields).status_code == 403
    assert list(Run.objects.values()) == before


def test_a_viewer_sees_no_button(browse, race, bob, erin):
    seen = {who: browse(who).get(f"/runs/{race.pk}/").content.decode() for who in (bob, erin)}

    assert "/close/" not in seen[bob] + browse(bob).get("/runs/").content.decode()
    assert f'action="/runs/{race.pk}/' not in seen[bob]
    assert f'action="/runs/{race.pk}/reopen/"' in seen[erin]
    assert "Friday" in seen[bob]


def test_the_list_shows_ones_own_teams_runs_only(browse, race, bob, charlie):
    assert "Friday" in browse(bob).get("/runs/").content.decode()
    assert "Friday" not in browse(charlie).get("/runs/").content.decode()


def test_nobody_opens_a_run_on_another_teams_device(browse, car, charlie):
    answer = browse(charlie).post("/runs/open/", {"device": car.pk, "kind": "race"})

    assert answer.status_code == 404
    assert not Run.objects.exists()


def test_nobody_opens_a_run_with_another_teams_asset(browse, erin, team, charlie, car):
    foreign = Asset.objects.create(team=charlie.memberships.get().team, kind="vehicle", name="Theirs")
    Asset.objects.create(team=team, kind="vehicle", name="Ours")

    answer = browse(erin).post("/runs/open/", {"device": car.pk, "kind": "race", "asset": foreign.pk})

    assert answer.status_code == 422
    assert "Theirs" not in answer.content.decode()


def test_an_editor_opens_closes_and_reopens_a_run(browse, erin, car):
    client = browse(erin)

    opened = client.post("/runs/open/", {"device": car.pk, "kind": "race", "name": "Warm-up"})
    run = Run.objects.get(name="Warm-up")

    assert opened.headers["Location"] == f"/runs/{run.pk}/"
    assert run.is_open
    assert "The run is closed." in act(client, run, "close")
    assert not Run.objects.get(pk=run.pk).is_open
    assert "The run goes on." in act(client, run, "reopen")
    assert Run.objects.get(pk=run.pk).is_open
    assert set(AuditEvent.objects.filter(kind="run-changed").values_list("detail__by", flat=True)) == {erin.email}


def test_bounds_are_moved_only_where_the_form_says_otherwise(browse, erin, race):
    end = START + timedelta(seconds=49, microseconds=1)  # as inference ends a run; a form tells milliseconds
    services.move_boundary(race, ended_at=end)

    act(
        browse(erin), race, "move", **{"move-started_at": "2026-03-01T12:00:05", "move-ended_at": "2026-03-01T12:00:49"}
    )

    moved = Run.objects.get(pk=race.pk)
    assert (moved.started_at, moved.ended_at) == (START + timedelta(seconds=5), end)


def test_a_run_is_split_merged_renamed_deleted_and_each_is_undone(browse, erin, race):
    client = browse(erin)

    assert "cut in two" in act(client, race, "split", **{"split-at": "2026-03-01T12:00:30"})
    second = Run.objects.exclude(pk=race.pk).get(deleted_at=None)
    assert "The two runs are one." in act(client, race, "merge", other=second.pk)
    assert "Saturday" in act(client, race, "rename", **{"rename-name": "Saturday"})
    assert "This run is no more" in act(client, race, "delete")
    for _ in range(4):
        last = Run.objects.get(pk=race.pk).revision
        client.post(f"/runs/{race.pk}/changes/{last}/undo/")

    found = Run.objects.get(deleted_at=None)
    assert (found.pk, found.name, found.started_at, found.ended_at) == (race.pk, "Friday", START, race.ended_at)


def test_a_span_is_left_out_and_counts_again(browse, erin, race):
    client = browse(erin)
    fields = {"exclude-since": "2026-03-01T12:00:40", "exclude-until": "2026-03-01T13:00", "exclude-reason": "a fall"}

    page = act(client, race, "exclude", **fields)

    assert "a fall" in page
    assert page.count('class="out"') == 3  # in the picture of each channel that changes
    assert re.search(r"Top speed.*?<span>19\.5</span>", page, re.DOTALL)
    page = act(client, race, f"exclusions/{Exclusion.objects.get().pk}/include")
    assert re.search(r"Top speed.*?<span>59\.5</span>", page, re.DOTALL)


def test_what_was_left_out_is_in_the_history_with_its_reason_and_undone_there(browse, erin, race):
    client = browse(erin)
    fields = {"exclude-since": "2026-03-01T12:00:40", "exclude-until": "2026-03-01T13:00", "exclude-reason": "towed"}
    page = act(client, race, "exclude", **fields)
    assert "Readings left out: towed" in page
    (undo,) = [
        address
        for address in re.findall(r'action="(/runs/\d+/changes/\d+/undo/)"', page)
        if Change.objects.get(pk=address.split("/")[4]).kind == "exclude"
    ]

    client.post(undo)

    assert not Exclusion.objects.filter(undone_at=None).exists()
    assert "taken back" in client.get(f"/runs/{race.pk}/").content.decode()


@pytest.mark.parametrize("given", ["", '"something else"'])
def test_nobody_changes_a_run_that_changed_meanwhile(browse, erin, race, given):
    page = act(browse(erin), race, "delete", state=given)

    assert "Somebody changed the run meanwhile" in page
    assert Run.objects.get(pk=race.pk).deleted_at is None


@pytest.mark.parametrize(("action", "fields"), [("merge", {"other": 5}), ("exclusions/5/include", {})])
def test_what_somebody_else_did_already_is_said_in_words(browse, erin, race, action, fields):
    assert "Somebody changed the run meanwhile" in act(browse(erin), race, action, **fields)


def test_what_cannot_be_is_said_in_words(browse, erin, race, car, team):
    later = START + timedelta(seconds=60)
    services.open_run(team=team, device=car, asset=None, kind="race", name="Next", started_at=later)

    assert "holds some of these readings" in act(browse(erin), race, "reopen")
    page = act(browse(erin), race, "split", **{"split-at": "2026-03-01T14:00"})
    assert "That instant is not inside the run" in page


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("split", {"split-at": "soon"}),
        ("split", {"split-at": "0001-01-01T00:00"}),
        ("move", {"move-started_at": "", "move-ended_at": ""}),
        ("exclude", {"exclude-since": "2026-03-01T12:00", "exclude-until": "2026-03-01T12:00", "exclude-reason": "x"}),
        ("rename", {"rename-name": "x" * 201}),
        ("correct", {"correct-statistic": "speed_max", "correct-value": "nan"}),
        ("correct", {"correct-statistic": "tempo_s", "correct-value": "1"}),
    ],
)
def test_a_form_filled_in_badly_says_where(browse, erin, race, action, fields):
    client = browse(erin)

    answer = client.post(f"/runs/{race.pk}/{action}/", {"state": state(client, race), **fields})

    assert answer.status_code == 422
    assert 'class="wrong" id="id_' in answer.content.decode()


def test_the_page_says_what_the_race_was(browse, bob, race):
    page = browse(bob).get(f"/runs/{race.pk}/").content.decode()

    assert re.search(r"Average speed.*?<span>30</span>", page, re.DOTALL)
    assert re.search(r">Battery</h3>.*?<dt>lowest</dt><dd>41</dd>.*?<dt>values</dt><dd>40</dd>", page, re.DOTALL)
    assert "40 readings of 61 expected" in page or "40 readings of 60 expected" in page
    assert 'class="gap"' in page
    assert "12:00:19.0" in page  # where the gap begins
    assert '<polyline points="0.0,' in page


def test_a_figure_is_corrected_by_a_form_and_only_that_one_is_marked(browse, erin, race):
    page = act(browse(erin), race, "correct", **{"correct-statistic": "speed_max", "correct-value": "61.5"})

    assert page.count("set by hand</span>") == 1
    assert re.search(r"Top speed.*?<span>61\.5</span>", page, re.DOTALL)


def test_a_statistic_that_was_set_by_hand_is_marked_until_it_is_released(browse, erin, race):
    services.correct_by_hand(race, {"speed_max": 77.0, "height": 3.0})
    client = browse(erin)

    page = client.get(f"/runs/{race.pk}/").content.decode()

    assert page.count("set by hand</span>") == 2
    assert "<span>77</span>" in page
    assert "set by hand</span>" not in act(client, race, "release")


def test_the_list_pages_through_every_run_once_the_newest_first(browse, bob, team, car):
    for number in range(120):
        start = START + timedelta(minutes=number // 2, microseconds=number)
        end = start + timedelta(microseconds=1)
        services.open_run(
            team=team, device=car, asset=None, kind="race", name=f"r{number}", started_at=start, ended_at=end
        )

    seen, path = [], "/runs/"
    while path:
        page = browse(bob).get(path).content.decode()
        seen += [int(number) for number in re.findall(r'/">r(\d+)</a>', page)]
        following = re.search(r'rel="next" href="(\?after=[^"]+)"', page)
        path = f"/runs/{following[1]}" if following else ""

    assert seen == list(reversed(range(120)))


def test_the_list_is_filtered_by_kind_device_and_state(browse, bob, race, team):
    profilo = register_device(team=team, name="profilo", contract="profilometre")[0]
    services.open_run(team=team, device=profilo, asset=None, kind="capture", name="Wall", started_at=START)

    def names(**wanted):
        return set(re.findall(r"Friday|Wall", browse(bob).get("/runs/", wanted).content.decode()))

    assert names() == {"Friday", "Wall"}
    assert names(kind="race") == {"Friday"}
    assert names(device=profilo.pk) == {"Wall"}
    assert names(state="open") == {"Wall"}
    assert names(state="ended") == {"Friday"}
    assert names(state="deleted") == set()
    assert names(kind="nonsense", device="x", state="y", after="x~y") == {"Friday", "Wall"}


def test_a_deleted_run_is_found_and_brought_back(browse, erin, charlie, race):
    services.delete(race)
    client = browse(erin)

    assert "Friday" not in client.get("/runs/").content.decode()
    assert f'href="/runs/{race.pk}/">Friday' in client.get("/runs/", {"state": "deleted"}).content.decode()
    assert "Friday" not in browse(charlie).get("/runs/", {"state": "deleted"}).content.decode()
    (undo,) = re.findall(r'action="(/runs/\d+/changes/\d+/undo/)"', client.get(f"/runs/{race.pk}/").content.decode())
    client.post(undo)

    assert "Friday" in client.get("/runs/").content.decode()


def test_the_device_page_leads_to_its_runs(browse, bob, race, car):
    page = browse(bob).get(f"/devices/{car.pk}/").content.decode()

    assert f'href="/runs/{race.pk}/">Friday</a>' in page
    assert f'href="/runs/?device={car.pk}"' in page


def test_a_name_never_becomes_markup(browse, erin, race):
    services.rename(race, name="<script>alert(1)</script>")

    for path in ("/runs/", f"/runs/{race.pk}/", f"/devices/{race.device_id}/"):
        assert "<script>alert" not in browse(erin).get(path).content.decode()
