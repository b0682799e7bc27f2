"""The fleet's API with its cast: Alice administers, Erin edits, Bob views, Charlie is an outsider."""

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from releve.control.accounts import audit
from releve.control.accounts.models import AuditEvent, AuditKind
from releve.control.accounts.origin import Origin
from releve.control.fleet.models import Asset, Device, Mount
from releve.control.fleet.services import own_device
from releve.control.teams.models import Role, Team
from releve.control.teams.services import give_role

PROBLEM = "application/problem+json"


@pytest.fixture
def asset(team, device):
    asset = Asset.objects.create(team=team, kind="machine", key="7", name="Machine 7")
    Mount.objects.create(asset=asset, device=device)
    return asset


def test_members_see_their_devices_with_state(bob, device, signed_in):
    answer = signed_in(bob).get("/api/v1/devices").json()

    assert answer["next"] is None
    assert [(row["name"], row["state"], row["last_seen"]) for row in answer["data"]] == [
        ("raspberry1", "waiting", None)
    ]


def test_a_device_that_was_heard_is_active(bob, device, signed_in):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO device_seen VALUES (%s, %s, %s)", [device.id, timezone.now(), timezone.now()])

    row = signed_in(bob).get(f"/api/v1/devices/{device.id}").json()

    assert row["state"] == "active"
    assert row["last_seen"].endswith("Z")


def test_a_long_list_comes_in_pages(alice, device, signed_in):
    client = signed_in(alice)
    for number in range(3):
        assert client.post("/api/v1/devices", {"name": f"pi-{number}"}).status_code == 201

    first = client.get("/api/v1/devices?limit=3").json()
    second = client.get(f"/api/v1/devices?limit=3&after={first['next']}").json()

    assert [row["name"] for row in first["data"] + second["data"]] == ["raspberry1", "pi-0", "pi-1", "pi-2"]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "after=-1", "after=99999999999999999999"])
def test_a_bad_query_names_its_field(bob, signed_in, query):
    answer = signed_in(bob).get(f"/api/v1/devices?{query}")

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


def test_an_editor_adds_a_device_whose_secret_is_shown_once_and_works(api, erin, signed_in):
    client = signed_in(erin)

    answer = client.post("/api/v1/devices/", {"name": "pi@home.example", "contract": "gym", "timezone": "Europe/Paris"})

    assert answer.status_code == 201
    secret = answer.json()["secret"]
    assert "secret" not in client.get(f"/api/v1/devices/{answer.json()['id']}").json()
    assert api.post("/auth/login", {"device_id": "pi@home.example", "password": secret}).status_code == 200
    event = AuditEvent.objects.get(kind=AuditKind.DEVICE_ADDED)
    assert event.detail["by"] == "erin@example.com"
    assert secret not in str(event.detail)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "name"),
        ({"name": "a b"}, 400, "name"),
        ({"name": "x" * 129}, 400, "name"),
        ({"name": "person:7"}, 400, "name"),
        ({"name": "pi", "contract": "tram"}, 400, "contract"),
        ({"name": "pi", "timezone": "Mars/Olympus"}, 400, "timezone"),
        ({"name": "pi", "timezone": "../etc/passwd"}, 400, "timezone"),
        ({"name": "raspberry1"}, 409, "name"),
        ({"name": "ERIN@example.com"}, 409, "name"),
    ],
)
def test_a_bad_device_is_refused_with_the_field(erin, device, signed_in, body, status, field):
    answer = signed_in(erin).post("/api/v1/devices", body)

    assert answer.status_code == status
    assert answer.json()["errors"][0]["field"] == field


def test_whoever_is_in_two_teams_says_which(erin, charlie, signed_in):
    give_role(account=erin, team=charlie.teams.get(), role=Role.VIEWER)
    client = signed_in(erin)

    assert client.post("/api/v1/devices", {"name": "pi"}).json()["errors"][0]["field"] == "team"
    assert client.post("/api/v1/devices", {"name": "pi", "team": charlie.teams.get().id}).status_code == 403
    assert client.post("/api/v1/devices", {"name": "pi", "team": erin.teams.first().id}).status_code == 201


CHANGES = [
    ("PATCH", "", {"timezone": "UTC"}),
    ("POST", "/new-secret", None),
    ("POST", "/disable", None),
    ("POST", "/enable", None),
]


@pytest.mark.parametrize(("method", "action", "body"), CHANGES)
def test_a_viewer_may_change_nothing_and_an_outsider_sees_nothing(
    bob, charlie, erin, device, signed_in, method, action, body
):
    address = f"/api/v1/devices/{device.id}{action}"

    assert signed_in(bob).request(method, address, body).status_code == 403
    outsider = signed_in(charlie).request(method, address, body)
    assert outsider.status_code == 404
    assert outsider.headers["Content-Type"] == PROBLEM
    assert signed_in(erin).request(method, address, body).status_code == 200


def test_nothing_of_another_team_exists_for_an_outsider(charlie, team, asset, device, signed_in):
    client = signed_in(charlie)

    for address in (f"devices/{device.id}", f"assets/{asset.id}", f"audit?team={team.id}"):
        assert client.get(f"/api/v1/{address}").status_code == 404, address
    assert client.post("/api/v1/devices", {"name": "pi", "team": team.id}).status_code == 404
    for address in ("devices", "assets"):
        assert client.get(f"/api/v1/{address}").json()["data"] == []
        assert client.get(f"/api/v1/{address}?team={team.id}").json()["data"] == []


def test_members_see_the_assets_and_who_reported_for_them(bob, asset, device, signed_in):
    client = signed_in(bob)

    row = client.get(f"/api/v1/assets/{asset.id}").json()

    assert (row["kind"], row["key"], row["devices"]) == ("machine", "7", [{"id": device.id, "name": "raspberry1"}])
    assert client.get("/api/v1/assets/").json()["data"] == [row]


def test_a_disabled_device_is_shown_as_such_and_cannot_sign_in(api, alice, device, signed_in):
    client = signed_in(alice)

    assert client.post(f"/api/v1/devices/{device.id}/disable/").json()["state"] == "disabled"
    login = {"device_id": "raspberry1", "password": "the machine's own secret"}
    assert api.post("/auth/login", login).status_code == 403
    client.post(f"/api/v1/devices/{device.id}/enable")
    assert api.post("/auth/login", login).status_code == 200


def test_teams_say_which_role_is_yours(bob, signed_in, charlie):
    assert signed_in(bob).get("/api/v1/teams").json()["data"] == [
        {"id": bob.teams.get().id, "name": "Alice's", "role": "viewer"}
    ]


def test_the_audit_is_for_administrators_and_the_own_one_for_everybody(alice, bob, device, signed_in):
    assert signed_in(bob).get("/api/v1/audit").status_code == 403

    events = signed_in(alice).get("/api/v1/audit").json()["data"]

    assert {"device-added", "role-given"} <= {event["kind"] for event in events}
    own = signed_in(bob).get("/api/v1/audit/own").json()["data"]
    assert {event["account"] for event in own} == {"bob@example.com"}
    assert "signed-in" in {event["kind"] for event in own}


def test_an_administrator_sees_the_security_alerts_of_members_and_of_nobody_else(alice, bob, charlie, signed_in):
    origin = Origin(address="192.0.2.1", user_agent="a phone")
    audit.record(AuditKind.REFRESH_REUSED, origin, bob)
    audit.record(AuditKind.REFRESH_REUSED, origin, charlie)
    audit.record(AuditKind.SIGNED_IN, origin, bob)

    events = signed_in(alice).get("/api/v1/audit").json()["data"]

    personal = [(event["kind"], event["account"]) for event in events if event["team"] is None]
    assert personal == [("refresh-reused", "bob@example.com")]


def test_what_happened_before_somebody_joined_is_no_affair_of_the_team(alice, charlie, team, signed_in):
    origin = Origin(address="192.0.2.1", user_agent="a phone")
    audit.record(AuditKind.LOCKED_OUT, origin, charlie)
    give_role(account=charlie, team=team, role="viewer")
    audit.record(AuditKind.REFRESH_REUSED, origin, charlie)
    give_role(account=charlie, team=team, role="editor")

    events = signed_in(alice).get(f"/api/v1/audit?team={team.id}").json()["data"]

    assert [event["kind"] for event in events if event["team"] is None] == ["refresh-reused"]


def test_a_person_sees_and_ends_their_own_sign_ins_only(alice, bob, signed_in):
    first, second, other = signed_in(alice), signed_in(alice), signed_in(bob)
    rows = first.get("/api/v1/sign-ins").json()["data"]
    mine = next(row["id"] for row in rows if row["is_current"])

    assert len(rows) == 2
    assert other.delete(f"/api/v1/sign-ins/{mine}").status_code == 404
    assert second.delete(f"/api/v1/sign-ins/{mine}").status_code == 204
    assert first.get("/api/v1/sign-ins").status_code == 401
    assert second.delete(f"/api/v1/sign-ins/{mine}").status_code == 404


def test_without_a_token_a_route_of_ours_answers_a_problem_with_a_challenge(api, db):
    answer = api.get("/api/v1/devices")

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.json()["detail"] == "Authentication credentials were not provided."
    assert api.get("/api/v1/devices", token="x").json()["code"] == "token_not_valid"


def test_a_person_has_one_own_device_in_a_team(alice, bob):
    team = Team.objects.get(name="Alice's")

    first = own_device(alice, team)

    assert own_device(alice, team) == first
    assert own_device(bob, team) != first
    assert own_device(alice, Team.objects.create(name="Another")) != first
    assert (first.owner, first.contract, first.secret_hash) == (alice, "profilometre", "")


def test_a_device_without_a_secret_cannot_sign_in(api, alice):
    own = own_device(alice, alice.teams.get())

    for secret in ("", "0" * 64, "x"):
        assert api.post("/auth/login", {"device_id": own.name, "password": secret}).status_code in {400, 403}


def test_a_field_that_there_is_not_is_refused_by_its_name_and_nothing_is_changed(erin, device, signed_in):
    answer = signed_in(erin).patch(f"/api/v1/devices/{device.id}", {"is_enabled": False, "timezone": "Europe/Paris"})

    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    (wrong,) = answer.json()["errors"]
    assert wrong["field"] == "is_enabled"
    assert wrong["reason"] == "is not a field here; there are name, contract, timezone, team, asset"
    device.refresh_from_db()
    assert device.timezone == "UTC"


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("POST", "/api/v1/devices", {"name": "pi-2", "id": 7}),
        ("POST", "/api/v1/runs", {"kind": "capture", "owner": 1}),
        ("POST", "/api/v1/devices/{device}/certificates", {"fingerprint": "ab" * 32, "device": 1}),
        ("PATCH", "/api/v1/devices/{device}/channels", {"speed": {"display_name": {"de": "Tempo"}}}),
        ("PATCH", "/api/v1/devices/{device}", {f"made up {number}": 1 for number in range(100)}),
    ],
)
def test_no_body_of_ours_has_a_field_that_is_ignored(erin, device, signed_in, method, address, body):
    answer = signed_in(erin).request(method, address.format(device=device.id), body)

    assert answer.status_code == 400
    assert "is not a field here" in answer.json()["detail"]
    assert len(answer.content) < 3000


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_a_body_that_is_not_said_to_be_json_is_told_what_to_say(erin, device, signed_in, media_type):
    headers = {"Authorization": f"Bearer {signed_in(erin).token}"}
    address = f"/api/v1/devices/{device.id}"

    answer = Client().generic("PATCH", address, b'{"timezone": "Europe/Paris"}', media_type, headers=headers)

    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["..", ".", "-foo", ":7", ".hidden"])
def test_a_name_that_a_path_or_a_command_would_take_for_its_own_is_refused(erin, device, signed_in, name):
    client = signed_in(erin)

    for answer in (
        client.post("/api/v1/devices", {"name": name}),
        client.patch(f"/api/v1/devices/{device.id}", {"name": name}),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "name")
        assert "does not begin with" in answer.json()["detail"]


def test_an_older_device_of_such_a_name_is_changed_as_any_other(erin, team, signed_in):
    older = Device.objects.create(team=team, name="-foo")

    answer = signed_in(erin).patch(f"/api/v1/devices/{older.pk}", {"timezone": "Europe/Paris"})

    assert answer.status_code == 200
