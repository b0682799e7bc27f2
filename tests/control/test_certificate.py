"""Client certificates: who accepts and removes them, and that a fingerprint alone gives nobody anything."""

import pytest
from django.db import connection
from django.test import Client

from releve.control.accounts.models import AuditEvent
from releve.control.fleet.certificate import code_of
from releve.control.fleet.services import own_device, register_device
from releve.control.runs.edit.moving import move_device
from releve.protocol.claim import claimed_device

ONE, OTHER = "a1" * 32, "b2" * 32


@pytest.fixture
def theirs(charlie):
    """The device of an outsider."""
    return register_device(team=charlie.memberships.get().team, name="theirs")[0]


def address(device, fingerprint=""):
    return f"/api/v1/devices/{device.pk}/certificates" + (f"/{fingerprint}" if fingerprint else "")


def shown(device, fingerprint=ONE, subject="CN=pump"):
    """What an MQTT worker does when the holder of the certificate connects and names the device."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT releve_show_certificate(%s, %s, %s, '192.0.2.9')",
            [fingerprint, device.pk if device else 0, subject],
        )
        return cursor.fetchone()[0]


def owner_of(fingerprint=ONE):
    with connection.cursor() as cursor:
        cursor.execute("SELECT device_id FROM device_certificate WHERE fingerprint = %s", [fingerprint])
        return [row[0] for row in cursor.fetchall()]


def listed(api, device):
    return [(row["fingerprint"], row["state"]) for row in api.get(address(device)).json()["data"]]


def page_client(account, language="en"):
    client = Client(headers={"accept": "text/html", "accept-language": language})
    client.force_login(account)
    return client


def test_a_certificate_that_was_shown_waits_for_an_editor_and_is_the_devices_once_accepted(erin, signed_in, device):
    api = signed_in(erin)
    assert shown(device) == "new"
    (waiting,) = api.get(address(device)).json()["data"]
    assert (waiting["fingerprint"], waiting["state"], waiting["subject"], waiting["address"]) == (
        ONE, "waiting", "CN=pump", "192.0.2.9",
    )  # fmt: skip
    assert waiting["shown"] is not None
    assert owner_of() == []

    accepted = api.post(address(device), {"fingerprint": ONE.upper()})

    assert (accepted.status_code, accepted.json()) == (201, {"fingerprint": ONE, "state": "registered"})
    assert owner_of() == [device.pk]
    assert listed(api, device) == [(ONE, "registered")]
    event = AuditEvent.objects.get(kind="certificate-added")
    assert (event.device, event.detail) == (device, {"by": "erin@example.com", "fingerprint": ONE})


def test_a_fingerprint_that_is_typed_first_blocks_nobody_and_gives_nothing(alice, charlie, signed_in, device, theirs):
    stranger, owner = signed_in(charlie), signed_in(alice)

    assert stranger.post(address(theirs), {"fingerprint": ONE}).json()["state"] == "accepted"
    assert owner_of() == []
    assert owner.post(address(device), {"fingerprint": ONE}).json()["state"] == "accepted"
    assert shown(device) == "bound"

    assert owner_of() == [device.pk]
    assert listed(stranger, theirs) == [(ONE, "accepted")]  # for ever: its holder names somebody else
    assert stranger.post(address(theirs), {"fingerprint": ONE}).json()["state"] == "accepted"
    assert owner_of() == [device.pk]


def test_a_certificate_that_another_team_registered_of_old_goes_to_the_device_that_its_holder_names(
    alice, charlie, signed_in, device, theirs
):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO device_certificate (fingerprint, device_id) VALUES (%s, %s)", [ONE, theirs.pk])
    owner = signed_in(alice)
    assert shown(device) == "new"

    assert owner.post(address(device), {"fingerprint": ONE}).json()["state"] == "registered"

    assert owner_of() == [device.pk]
    told = AuditEvent.objects.get(kind="certificate-removed")
    assert (told.device, told.team, told.is_alert) == (theirs, theirs.team, True)
    assert listed(signed_in(charlie), theirs) == []


def test_the_holders_latest_word_counts(alice, charlie, signed_in, device, theirs):
    shown(theirs)
    shown(device)

    assert listed(signed_in(charlie), theirs) == []
    assert signed_in(charlie).post(address(theirs), {"fingerprint": ONE}).json()["state"] == "accepted"
    assert owner_of() == []
    assert listed(signed_in(alice), device) == [(ONE, "waiting")]


def test_a_removed_certificate_is_nobodys_and_is_in_the_audit(alice, signed_in, device):
    api = signed_in(alice)
    shown(device)
    api.post(address(device), {"fingerprint": ONE})
    shown(device, OTHER)

    spelled = ":".join(ONE[place : place + 2] for place in range(0, 64, 2)).upper()
    assert api.delete(address(device, spelled)).status_code == 204
    assert api.delete(address(device, OTHER)).status_code == 204  # one that only waits

    assert owner_of() == []
    assert listed(api, device) == []
    assert [event.detail["fingerprint"] for event in AuditEvent.objects.filter(kind="certificate-removed")] == [
        ONE,
        OTHER,
    ]
    assert api.delete(address(device, ONE)).status_code == 404


@pytest.mark.parametrize("wrong", ["ab", "g" * 64, "", 7, None, "a1" * 33])
def test_what_is_no_fingerprint_is_refused_by_its_name(alice, signed_in, device, wrong):
    refused = signed_in(alice).post(address(device), {"fingerprint": wrong})

    assert refused.status_code == 400
    assert "fingerprint" in refused.json()["detail"]


def test_only_editors_of_the_team_see_accept_and_remove(alice, bob, charlie, signed_in, device):
    shown(device)
    for account, status in ((bob, 403), (charlie, 404)):
        api = signed_in(account)
        assert api.get(address(device)).status_code == status
        assert api.post(address(device), {"fingerprint": ONE}).status_code == status
        assert api.delete(address(device, ONE)).status_code == status
    assert signed_in(device).get(address(device)).status_code == 403

    assert listed(signed_in(alice), device) == [(ONE, "waiting")]


def test_a_claim_code_names_one_device_of_one_team(alice, signed_in, device, team, charlie):
    code = signed_in(alice).get(address(device)).json()["claim"]
    assert code == code_of(device)
    assert claimed_device(code) == device.pk
    shown(device)

    move_device(device, team=charlie.memberships.get().team, by=alice)

    assert code_of(device) != code
    assert listed(signed_in(charlie), device) == []  # what waited for the old team is no affair of the new one


def test_of_what_waits_the_newest_is_kept(device):
    for number in range(20):
        shown(device, f"{number:064x}")
    for number in range(120):
        shown(None, f"{number:064x}")

    with connection.cursor() as cursor:
        cursor.execute("SELECT device_id = 0, count(*) FROM certificate_claim GROUP BY 1 ORDER BY 1")
        assert cursor.fetchall() == [(True, 100)]  # the holders' latest word named no device
    for number in range(20):
        shown(device, f"{number:064x}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM certificate_claim WHERE device_id = %s", [device.pk])
        assert cursor.fetchone() == (16,)


def test_a_device_has_thirty_two_certificates_and_no_more(alice, signed_in, device):
    api = signed_in(alice)
    for number in range(32):
        assert api.post(address(device), {"fingerprint": f"{number:064x}"}).status_code == 201

    refused = api.post(address(device), {"fingerprint": ONE})

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "fingerprint")


def test_a_persons_own_device_has_no_certificate(alice, signed_in, team):
    own = own_device(alice, team)

    assert signed_in(alice).post(address(own), {"fingerprint": ONE}).status_code == 400


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("waits for you", "Accept", "Remove", "no password waits here")),
        ("fr", ("attend votre accord", "Accepter", "Retirer", "attend ici")),
    ],
)
def test_the_page_accepts_what_waits_and_removes_what_there_is(erin, device, language, words):
    shown(device)
    client = page_client(erin, language)
    page = client.get(f"/devices/{device.pk}/")
    for word in (*words, ONE, "CN=pump", code_of(device)):
        assert word in page.content.decode()

    client.post(f"/devices/{device.pk}/certificates/accept/", {"fingerprint": ONE})
    assert owner_of() == [device.pk]

    client.post(f"/devices/{device.pk}/certificates/remove/", {"fingerprint": ONE})
    assert owner_of() == []


def test_the_page_tells_whoever_may_not_apart(bob, charlie, device):
    shown(device)
    for account, status in ((bob, 403), (charlie, 404)):
        client = page_client(account)
        for what in ("accept", "remove"):
            reply = client.post(f"/devices/{device.pk}/certificates/{what}/", {"fingerprint": ONE})
            assert reply.status_code == status
    assert ONE not in page_client(bob).get(f"/devices/{device.pk}/").content.decode()
    assert owner_of() == []


def test_a_page_says_what_is_wrong_with_a_fingerprint(erin, device):
    client = page_client(erin)

    page = client.post(f"/devices/{device.pk}/certificates/accept/", {"fingerprint": "AB:CD"}, follow=True)

    assert "64 hexadecimal digits" in page.content.decode()
