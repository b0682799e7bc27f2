"""A client certificate is a device's by the word of its holder and of an editor, and as long as the editor likes."""

import shutil
import socket
import ssl
import subprocess
import time

import httpx
import pytest
from tests.journey.mqtt_client import V3, V5, Raw, eventually

from releve.protocol.mqtt.packet import Puback

OPENSSL = shutil.which("openssl") or "openssl"
NAMES = ("localhost", "device", "pump", "stray")


@pytest.fixture(scope="module")
def certificates(reachable_directory):
    """An authority, a server's certificate and three of devices."""
    folder = reachable_directory()

    def openssl(*arguments):
        subprocess.run([OPENSSL, *arguments], cwd=folder, check=True, capture_output=True, timeout=30)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    (folder / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    for name in NAMES:
        files = ("-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("req", "-newkey", "rsa:2048", "-nodes", *files, "-subj", f"/O=Workshop/CN={name}")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem", "-extfile", "san")
        openssl("x509", "-req", "-in", f"{name}.csr", *signed)
    return folder


@pytest.fixture(scope="module")
def secured(module_start, installation, certificates):
    """A server that trusts the authority."""
    return module_start(
        installation(),
        RELEVE_MQTT_TLS_PORT="0",
        RELEVE_MQTT_CERTIFICATE=str(certificates / "localhost.pem"),
        RELEVE_MQTT_KEY=str(certificates / "localhost.key"),
        RELEVE_MQTT_CLIENT_CA=str(certificates / "ca.pem"),
    )


@pytest.fixture
def holder(secured, certificates):
    """Makes connections that show a certificate."""
    opened = []

    def connect(name, version=V3):
        raw = Held(secured, certificates, name, version)
        opened.append(raw)
        return raw

    yield connect
    for raw in opened:
        raw.socket.close()


class Held(Raw):
    """One connection over TLS, with a certificate."""

    def __init__(self, server, folder, name, version):
        super().__init__(server, version)
        self.socket.close()
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        port = int(server.document["mqtt_urls"][-1].rpartition(":")[2])
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")


class Editor:
    """A person who asks the API about a device's certificates."""

    def __init__(self, server, role="editor", team=None):
        self.server = server
        self.headers = server.bearer(server.add_account(role, team=team))

    def ask(self, method, device, fingerprint="", **more):
        address = f"{self.server.url}/api/v1/devices/{device['id']}/certificates" + fingerprint
        return httpx.request(method, address, headers=self.headers, timeout=20, **more)

    def claim(self, device):
        return self.ask("GET", device).json()["claim"]

    def states(self, device):
        return [(row["fingerprint"], row["state"]) for row in self.ask("GET", device).json()["data"]]

    def accept(self, device, fingerprint):
        reply = self.ask("POST", device, json={"fingerprint": fingerprint})
        assert reply.status_code == 201, reply.text
        return reply.json()["state"]

    def readings(self, device):
        address = f"{self.server.url}/api/v1/devices/{device['id']}/readings"
        return httpx.get(address, headers=self.headers, timeout=20).json()["readings"]


def fingerprint_of(folder, name):
    asked = [OPENSSL, "x509", "-in", str(folder / f"{name}.pem"), "-noout", "-fingerprint", "-sha256"]
    printed = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=20).stdout
    return printed.strip().partition("=")[2].replace(":", "").lower()


def own(device):
    return f"releve/{device['name']}/readings"


def test_an_unknown_certificate_waits_until_an_editor_accepts_it_and_is_cut_within_five_seconds_when_removed(
    secured, certificates, holder
):
    device, other, editor = secured.add_device(), secured.add_device(), Editor(secured)
    fingerprint = fingerprint_of(certificates, "device")
    assert holder("device").connect("pi").reason == 4
    assert holder("device").connect("pi", username=device["name"]).reason == 4  # a name that everybody may know
    assert editor.states(device) == []
    assert holder("device").connect("pi", username=editor.claim(device)).reason == 4
    (waiting,) = editor.ask("GET", device).json()["data"]
    assert (waiting["fingerprint"], waiting["state"]) == (fingerprint, "waiting")
    assert waiting["subject"] == "organizationName=Workshop, commonName=device"
    assert editor.states(other) == []
    assert eventually(lambda: fingerprint in secured.errors.read_text())
    (listed,) = [row for row in secured.json("device", "certificates") if row["fingerprint"] == fingerprint]
    assert (listed["device"], listed["state"]) == (device["name"], "waiting")

    assert editor.accept(device, fingerprint) == "registered"

    link = holder("device")
    assert link.connect("pi").reason == 0
    assert isinstance(link.publish(own(device), {"speed": 1}), Puback)
    assert [reading["channels"] for reading in editor.readings(device)] == [{"speed": 1}]
    began_s = time.monotonic()
    assert editor.ask("DELETE", device, f"/{fingerprint}").status_code == 204
    link.closes_within(15)
    assert time.monotonic() - began_s < 5
    assert holder("device").connect("pi").reason == 4
    assert (secured.query("SELECT kind FROM accounts_auditevent WHERE kind LIKE 'certificate-%%' ORDER BY id")) == [
        ("certificate-added",),
        ("certificate-removed",),
    ]


@pytest.mark.parametrize("version", [V3, V5])
def test_whoever_registers_a_foreign_fingerprint_first_hears_nothing_and_keeps_nobody_out(
    secured, certificates, holder, version
):
    owner, stranger = Editor(secured, team="Pumps"), Editor(secured, "admin", team="Strangers")
    pump, trap = secured.add_device(team="Pumps"), secured.add_device(team="Strangers")
    fingerprint = fingerprint_of(certificates, "pump")
    assert stranger.accept(trap, fingerprint) == "accepted"
    assert holder("pump", version).connect("pi").reason in (4, 0x86)
    assert stranger.ask("GET", pump).status_code == 404

    assert owner.accept(pump, fingerprint) == "accepted"
    first = holder("pump", version)
    assert first.connect("pi", username=owner.claim(pump), password=b"").reason == 0  # as umqtt.simple says none
    later = holder("pump", version)
    assert later.connect("pi2").reason == 0  # who it is, is known by now
    later.publish(own(pump), {"level": 3})

    assert [reading["channels"] for reading in owner.readings(pump)] == [{"level": 3}]
    assert stranger.readings(trap) == []
    assert stranger.states(trap) == [(fingerprint, "accepted")]
    assert stranger.ask("DELETE", trap, f"/{fingerprint}").status_code == 204
    assert later.publish(own(pump), {"level": 4}) is not None  # what a stranger takes back is his own word
    assert owner.ask("DELETE", pump, f"/{fingerprint}").status_code == 204


def test_a_certificate_that_was_registered_before_goes_on_until_its_holder_names_another_device(
    secured, certificates, holder
):
    squatter, owner = Editor(secured, team="Squatters"), Editor(secured, team="Robbed")
    trap, device = secured.add_device(team="Squatters"), secured.add_device(team="Robbed")
    fingerprint = fingerprint_of(certificates, "stray")
    secured.query(  # as an older version did at the word of anybody
        "INSERT INTO device_certificate (fingerprint, device_id) VALUES (%s, %s) RETURNING 1", fingerprint, trap["id"]
    )
    old = holder("stray")
    assert old.connect("pi").reason == 0
    assert old.publish(own(trap), {"n": 1}) is not None

    assert holder("stray").connect("pi", username=owner.claim(device)).reason == 4
    assert owner.accept(device, fingerprint) == "registered"

    old.closes_within(5)
    new = holder("stray")
    assert new.connect("pi").reason == 0
    new.publish(own(device), {"n": 2})
    assert [reading["channels"] for reading in owner.readings(device)] == [{"n": 2}]
    assert [reading["channels"] for reading in squatter.readings(trap)] == [{"n": 1}]
    assert squatter.states(trap) == []


@pytest.mark.needs("mosquitto-clients")
def test_a_device_that_shows_a_certificate_may_still_sign_in_by_its_secret(secured, certificates):
    device = secured.add_device()
    port = secured.document["mqtt_urls"][-1].rpartition(":")[2]
    client = ["mosquitto_pub", "-h", "127.0.0.1", "-p", port, "--cafile", str(certificates / "ca.pem"), "-q", "1"]
    shown = ["--cert", str(certificates / "device.pem"), "--key", str(certificates / "device.key")]
    signed = ["-u", device["name"], "-P", device["secret"], "-t", own(device), "-m", '{"speed": 1}']

    assert subprocess.run([*client, *shown, *signed], check=False, timeout=20).returncode == 0
    assert subprocess.run([*client, *signed], check=False, timeout=20).returncode == 0
