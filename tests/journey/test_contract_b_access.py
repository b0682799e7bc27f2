"""Who may do what on the routes of contract B: Alice edits, Bob looks, Charlie is an outsider, and who has no token."""

import json

import pytest
import requests

# ruff: noqa: S113 - the published clients give no timeout either

STATS = dict.fromkeys(("distance", "speed_max", "speed_average", "battery_max", "battery_min", "time"), 1)
SAMPLE = {"distance": 1.5, "speed": 3.25, "battery": 98}
READS = [
    "/vehicle/{vehicle}",
    "/vehicles",
    "/race/{race}",
    "/races",
    "/stats_race?race_id={race}",
    "/get_stats_races",
    "/stats_every_5_seconds",
]
CHANGES = [
    ("POST", "/vehicle", {"name": "x"}, 201),
    ("PUT", "/vehicle/{vehicle}", {"name": "x"}, 200),
    ("POST", "/race", {"vehicle_id": "{vehicle}", "name": "x"}, 201),
    ("PUT", "/race/{race}", {"name": "x"}, 200),
    ("POST", "/sensor_data", {"race_id": "{race}", **SAMPLE}, 201),
    ("POST", "/stats_race", {"race_id": "{race}", **STATS}, 201),
    ("PUT", "/stats_race/{race}", {**STATS, "date": "2026-06-01T12:00:00Z"}, 200),
    ("DELETE", "/stats_race/{race}", None, 200),
    ("DELETE", "/race/{race}", None, 200),
    ("DELETE", "/vehicle/{vehicle}", None, 200),
]


class Cast:
    """Alice's team with a vehicle and a race, Bob who may look, Charlie from elsewhere, and a device of the team."""

    def __init__(self, server, team):
        self.url = server.url
        self.alice = server.bearer(server.add_account("editor", team=team))
        self.bob = server.bearer(server.add_account("viewer", team=team))
        self.charlie = server.bearer(server.add_account("admin", team=f"Not {team}"))
        self.device = server.bearer(server.add_device("racing", team=team))
        self.things = {}
        self.renew()

    def renew(self):
        """A fresh vehicle and race with a sample."""
        vehicle = self.call(self.alice, "POST", "/vehicle", {"name": "Car"}).json()["data"]["id"]
        race = self.call(self.alice, "POST", "/race", {"vehicle_id": vehicle, "name": "R"}).json()["data"]["id"]
        self.things = {"vehicle": vehicle, "race": race}
        assert self.call(self.alice, "POST", "/sensor_data", {"race_id": race, **SAMPLE}).status_code == 201

    def call(self, headers, method, path, body=None):
        if body:
            body = {
                key: value.format(**self.things) if isinstance(value, str) else value for key, value in body.items()
            }
        answer = requests.request(
            method, f"{self.url}{path.format(**self.things)}", json=body, headers=headers, allow_redirects=False
        )
        assert answer.headers["content-type"].startswith("application/json")
        return answer


@pytest.fixture(scope="module")
def cast(server):
    return Cast(server, "Cast of B")


@pytest.mark.parametrize("path", READS)
def test_a_viewer_reads_and_an_outsider_sees_nothing(cast, path):
    assert cast.call(cast.alice, "GET", path).status_code == 200
    assert cast.call(cast.bob, "GET", path).json() == cast.call(cast.alice, "GET", path).json()
    strange = cast.call(cast.charlie, "GET", path)
    if "{" in path:
        assert strange.status_code == 404
        assert strange.json()["message"]
    else:
        assert strange.json() in ([], {"data": []})


@pytest.mark.parametrize("path", READS)
def test_reading_takes_a_persons_token(cast, path):
    for headers, status in (({}, 401), ({"Authorization": "Bearer x.y.z"}, 401), (cast.device, 403)):
        answer = cast.call(headers, "GET", path)

        assert answer.status_code == status
        assert answer.json()["message"]
        assert status != 401 or answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path", "body", "status"), CHANGES)
def test_an_editor_changes_a_viewer_may_not_and_an_outsider_finds_nothing(cast, method, path, body, status):
    cast.renew()
    is_about_something = "{" in path or (body and any("{" in str(value) for value in body.values()))

    for headers, refused in (({}, 401), (cast.bob, 403)):
        answer = cast.call(headers, method, path, body)
        assert answer.status_code == refused
        assert answer.json()["message"]
    strange = cast.call(cast.charlie, method, path, body)
    assert strange.status_code == (404 if is_about_something else status)

    assert cast.call(cast.alice, method, path, body).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "body", "status"), [change for change in CHANGES if "sensor" not in change[1]]
)
def test_a_device_changes_nothing(cast, method, path, body, status):
    assert cast.call(cast.device, method, path, body).status_code == 403


def test_a_device_of_the_team_drives_a_race_that_has_no_device_yet_and_no_other(cast):
    cast.renew()
    vehicle = cast.things["vehicle"]
    race = cast.call(cast.alice, "POST", "/race", {"vehicle_id": vehicle, "name": "D"}).json()["data"]["id"]

    driven = cast.call(cast.device, "POST", "/sensor_data", {"race_id": race, **SAMPLE})
    joined = cast.call(cast.alice, "POST", "/sensor_data", {"race_id": race, **SAMPLE, "speed": 5})
    refused = cast.call(cast.device, "POST", "/sensor_data", {"race_id": cast.things["race"], **SAMPLE})

    assert [driven.status_code, joined.status_code, refused.status_code] == [201, 201, 403]
    rows = cast.call(cast.alice, "GET", "/get_stats_races").json()
    assert [row["total_entries"] for row in rows if row["sensor_data_race_id"] == race] == [2]


def test_without_a_token_a_viewer_of_the_default_team_looks_and_changes_nothing(start_server):
    server = start_server(RELEVE_ANONYMOUS_ROLE="viewer")
    team = Cast(server, "Home")
    hidden = Cast(server, "Hidden")

    for path in READS:
        assert team.call({}, "GET", path).json() == team.call(team.bob, "GET", path).json()
    for method, path, body, _ in CHANGES:
        assert team.call({}, method, path, body).status_code == 403, path
    assert hidden.call({}, "GET", "/race/{race}").status_code == 404
    assert requests.get(f"{server.url}/api/v1/devices").status_code == 401
    assert requests.get(f"{server.url}/users").status_code == 401
    assert team.call({"Authorization": "Bearer x.y.z"}, "GET", "/races").status_code == 401


def test_without_a_token_an_editor_of_the_default_team_does_what_the_original_client_does(start_server):
    server = start_server(RELEVE_ANONYMOUS_ROLE="editor")
    team = Cast(server, "Home")
    hidden = Cast(server, "Hidden")

    for method, path, body, status in CHANGES:
        team.renew()
        assert team.call({}, method, path, body).status_code == status, path
        if "{" in path:
            assert hidden.call({}, method, path, body).status_code == 404, path
    assert hidden.call({}, "POST", "/sensor_data", {"race_id": "{race}", **SAMPLE}).status_code == 404
    answer = requests.post(f"{server.url}/api/v1/readings", json={"speed": 1})
    assert answer.status_code == 401
    assert requests.get(f"{server.url}/api/v1/teams").status_code == 401
    _a_page_of_another_site_changes_nothing(team)


def _a_page_of_another_site_changes_nothing(team):
    """A browser sends a form to anybody, unasked, and says whose page it is."""
    team.renew()
    for path, body in (
        ("/vehicle", {"name": "x"}),
        ("/sensor_data", {"race_id": team.things["race"], **SAMPLE}),
    ):
        for media_type in ("text/plain", "application/json"):
            said = {"Content-Type": media_type}
            for origin in ("https://example.com", "null"):
                refused = requests.post(team.url + path, json.dumps(body), headers=said | {"Origin": origin})
                assert (refused.status_code, "another site" in refused.json()["message"]) == (403, True)
            for origin in (team.url, team.url.replace("127.0.0.1", "localhost")):
                taken = requests.post(team.url + path, json.dumps(body), headers=said | {"Origin": origin})
                assert taken.status_code == 201, taken.text
