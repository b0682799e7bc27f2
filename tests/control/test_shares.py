"""Shared links with the cast: Alice administers, Erin edits, Bob views, Charlie is an outsider."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from releve.control.accounts.models import AuditEvent, AuditKind
from releve.control.fleet.models import Device
from releve.control.runs.models import Run
from releve.control.shares.models import Share
from releve.control.shares.services import TooManyLinks, share_device
from releve.control.teams.models import Role, Team
from releve.control.teams.services import give_role
from releve.protocol import shared

PATH = "/api/v1/shares"


@pytest.fixture
def runs(team, device):
    start = timezone.now() - timedelta(days=1)
    return [
        Run.objects.create(
            team=team, device=device, kind="race", name=f"Heat {n}", started_at=start + timedelta(hours=n),
            ended_at=start + timedelta(hours=n, minutes=5),
        )
        for n in range(3)
    ]  # fmt: skip


@pytest.fixture
def link(erin, device, signed_in):
    return signed_in(erin).post(PATH, {"device": device.id, "expires_in_s": 3_600}).json()


def open_(address, client=None):
    """As a browser does; the page in the end, and the browser."""
    client = client or Client(headers={"accept": "text/html"})
    return client.get("/" + address.partition("//")[2].partition("/")[2], follow=True), client


def test_a_link_is_made_opened_and_counted_and_its_secret_is_told_once(link, erin, device, signed_in):
    secret = link["address"].rstrip("/").rpartition("/")[2]

    for _ in range(3):
        page, browser = open_(link["address"])
        assert page.status_code == 200
        assert page.redirect_chain == [(f"/shared/{link['id']}/", 302)]
        assert device.name in page.content.decode()
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "private, no-store"
        cookie = browser.cookies[f"releve_share_{link['id']}"]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")

    seen = signed_in(erin).get(PATH).json()["data"]
    assert [(row["id"], row["opened"], row["by"]) for row in seen] == [(link["id"], 3, erin.email)]
    assert secret not in str(seen)
    assert secret not in str(list(Share.objects.values()) + list(AuditEvent.objects.values()))


def test_both_ends_stand_in_the_audit(link, alice, device, signed_in):
    assert signed_in(alice).delete(f"{PATH}/{link['id']}").status_code == 204

    kinds = (AuditKind.SHARE_MADE, AuditKind.SHARE_REVOKED)
    rows = AuditEvent.objects.filter(kind__in=kinds).order_by("id")
    assert [(row.kind, row.device_id, row.detail["share"]) for row in rows] == [
        (kind, device.id, str(link["id"])) for kind in kinds
    ]


@pytest.mark.parametrize("how", ["revoked", "over", "moved", "device deleted", "deleted"])
def test_a_link_that_is_over_opens_nothing_and_says_as_much_as_one_that_never_was(link, erin, device, signed_in, how):
    _, browser = open_(link["address"])
    if how == "revoked":
        signed_in(erin).delete(f"{PATH}/{link['id']}")
    elif how == "over":
        Share.objects.update(expires_at=timezone.now())
    elif how == "device deleted":
        Device.objects.update(deleted_at=timezone.now())
    elif how == "moved":
        device.team = Team.objects.create(name="Others")
        device.save()
    else:
        Share.objects.all().delete()
    never, _ = open_("http://testserver/s/bm90aGluZw/")

    for page in (open_(link["address"])[0], browser.get(f"/shared/{link['id']}/")):
        assert page.status_code == never.status_code == 404
        assert page.content == never.content.replace(b"/s/bm90aGluZw/", page.request["PATH_INFO"].encode()) or (
            device.name not in page.content.decode()
        )


def test_a_browser_that_has_not_opened_it_sees_nothing(link):
    assert Client().get(f"/shared/{link['id']}/").status_code == 404
    stranger = Client()
    stranger.cookies[f"releve_share_{link['id']}"] = "bm90aGluZw"
    assert stranger.get(f"/shared/{link['id']}/").status_code == 404


def test_the_secret_of_one_link_opens_no_other(link, erin, device, runs, signed_in):
    other = signed_in(erin).post(PATH, {"runs": [runs[0].pk]}).json()
    _, browser = open_(link["address"])

    browser.cookies[f"releve_share_{other['id']}"] = browser.cookies[f"releve_share_{link['id']}"].value

    assert browser.get(f"/shared/{other['id']}/").status_code == 404


def test_viewers_and_outsiders_make_and_revoke_none(link, bob, charlie, device, runs, signed_in):
    for body in ({"device": device.id}, {"runs": [runs[0].pk]}):
        assert signed_in(bob).post(PATH, body).status_code == 403
        assert signed_in(charlie).post(PATH, body).status_code == 404
    assert signed_in(bob).delete(f"{PATH}/{link['id']}").status_code == 403
    assert signed_in(charlie).delete(f"{PATH}/{link['id']}").status_code == 404
    assert signed_in(charlie).get(f"{PATH}/{link['id']}").status_code == 404
    assert signed_in(charlie).get(PATH).json()["data"] == []
    assert [row["id"] for row in signed_in(bob).get(PATH).json()["data"]] == [link["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "device"),
        ({"device": 1, "runs": [1]}, "device"),
        ({"runs": []}, "runs"),
        ({"runs": list(range(1, 10))}, "runs"),
        ({"device": 1, "expires_in_s": 59}, "expires_in_s"),
        ({"device": 1, "expires_in_s": shared.LONGEST_S + 1}, "expires_in_s"),
        ({"device": "raspberry1"}, "device"),
    ],
)
def test_a_bad_wish_names_its_field(erin, signed_in, body, field):
    answer = signed_in(erin).post(PATH, body)

    assert answer.status_code == 400
    assert field in [error["field"].partition(".")[0] for error in answer.json()["errors"]]


def test_a_comparison_is_of_different_runs_of_one_team(erin, runs, device, signed_in):
    others = Team.objects.create(name="Others")
    give_role(account=erin, team=others, role=Role.EDITOR)
    theirs = Run.objects.create(team=others, kind="race", started_at=timezone.now())

    for numbers in ([runs[0].pk, runs[0].pk], [runs[0].pk, theirs.pk]):
        answer = signed_in(erin).post(PATH, {"runs": numbers})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "runs")
    made = signed_in(erin).post(PATH, {"runs": [run.pk for run in runs]}).json()
    assert (made["kind"], made["runs"]) == ("comparison", [run.pk for run in runs])


def test_a_run_that_was_deleted_is_shown_no_more(erin, runs, signed_in):
    made = signed_in(erin).post(PATH, {"runs": [runs[0].pk]}).json()
    assert open_(made["address"])[0].status_code == 200

    Run.objects.update(deleted_at=timezone.now())

    assert open_(made["address"])[0].status_code == 404


def test_a_team_has_no_more_links_than_it_can_look_after(device, monkeypatch):
    monkeypatch.setattr("releve.control.shares.services.MOST_STANDING", 2)
    for _ in range(2):
        share_device(device, expires_in_s=60)

    with pytest.raises(TooManyLinks):
        share_device(device, expires_in_s=60)


def test_the_pages_form_makes_a_link_for_editors_only(erin, bob, device):
    for account, expected in ((erin, 200), (bob, 403)):
        client = Client()
        client.force_login(account, backend="releve.control.accounts.backends.AccountBackend")
        assert client.post("/shares/make/", {"device": device.id, "days": "1"}).status_code == expected
    share = Share.objects.get()
    assert timedelta(hours=23) < share.expires_at - timezone.now() <= timedelta(days=1)
