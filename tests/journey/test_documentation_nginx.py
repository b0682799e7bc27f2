"""The nginx file of docs/howto/deploy.md, under Debian's own nginx.conf, in front of a real server."""

import json
import os
import re
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from tests.journey.bridge_broker import make_certificates
from tests.journey.conftest import end, free_port, start
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.packet import Connack, Connect
from releve.protocol.mqtt.stream import Decoder

pytestmark = pytest.mark.needs("nginx")

PAGE = Path(__file__).parents[2] / "docs/howto/deploy.md"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
pytestmark = pytest.mark.needs("nginx")
OPENSSL = shutil.which("openssl") or "openssl"
NAME = "telemetry.example.com"
DEBIANS = Path("/etc/nginx/nginx.conf")


class Proxy:
    """nginx with the page's file, on a free port; the rest is Debian's."""

    def __init__(self, folder, server_url):
        self.port = free_port()
        self.folder = folder
        request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "privkey.pem", "-out", "fullchain.pem")
        subprocess.run(
            [OPENSSL, *request, "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
        (folder / "releve.conf").write_text(self._site(server_url))
        (folder / "nginx.conf").write_text(self._main())
        with (folder / "said").open("w") as said:
            self.process = subprocess.Popen(
                [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"], stderr=said
            )
        self.trusted = ssl.create_default_context(cafile=folder / "fullchain.pem")

    def _site(self, server_url):
        """The page's text; only what is this test's own is replaced."""
        text = re.search(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
        for page, ours in {
            "127.0.0.1:8000": server_url.removeprefix("http://"),
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
            f"/etc/letsencrypt/live/{NAME}": str(self.folder),
        }.items():
            assert page in text
            text = text.replace(page, ours)
        return text

    def _main(self):
        """Debian's, with its places moved into our folder."""
        text = DEBIANS.read_text()
        for pattern, ours in {
            r"^user .*;": f"user {'root' if os.geteuid() == 0 else 'nobody'};",
            r"^pid .*;": f"pid {self.folder}/pid;",
            r"include /etc/nginx/conf\.d/\*\.conf;": f"include {self.folder}/releve.conf;",
            r"include /etc/nginx/sites-enabled/\*;": "",
            r"include /etc/nginx/modules-enabled/\*\.conf;": "",
            r"/var/log/nginx/": f"{self.folder}/",
        }.items():
            text = re.sub(pattern, ours, text, flags=re.MULTILINE)
        assert "releve.conf" in text
        return text

    def client(self):
        """An HTTP client that trusts its certificate and finds its name here."""
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}", verify=self.trusted, headers={"Host": NAME}, timeout=30
        )

    def request(self, method, path, **options):
        with self.client() as client:
            return client.request(method, path, extensions={"sni_hostname": NAME}, **options)

    def open(self, path, **options):
        """A WebSocket through it."""
        return connect(
            f"wss://{NAME}:{self.port}{path}", address=("127.0.0.1", self.port), ssl=self.trusted,
            server_hostname=NAME, open_timeout=30, **options,
        )  # fmt: skip

    def wait(self):
        deadline_s = time.monotonic() + 30
        while True:
            assert self.process.poll() is None, (self.folder / "said").read_text()
            try:
                return self.request("GET", "/healthz")
            except httpx.TransportError:
                assert time.monotonic() < deadline_s
                time.sleep(0.05)

    def end(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def server(installation):
    """A server set up as the page's service is."""
    settings = {"RELEVE_PUBLIC_URL": f"https://{NAME}", "RELEVE_TRUSTED_PROXIES": "127.0.0.1"}
    running = start(installation(), "--workers", "1", **settings)
    yield running
    end(running)


@pytest.fixture(scope="module")
def proxy(server, tmp_path_factory):
    made = Proxy(tmp_path_factory.mktemp("nginx"), server.url)
    made.wait()
    yield made
    made.end()


def test_the_page_s_file_starts_and_serves_pages_and_readings_over_tls(server, proxy):
    device = server.add_device()
    signed_in = proxy.request(
        "POST", "/api/token/", json={"username": device["name"], "password": device["secret"]}
    ).json()
    header = {"Host": NAME, "Authorization": f"Bearer {signed_in['access']}"}

    sent = proxy.request("POST", "/api/v1/readings", json={"temperature": 21.5}, headers=header)
    page = proxy.request("GET", "/welcome/")

    assert sent.json()["outcome"] == "stored"
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


def test_a_sign_in_page_takes_its_form_through_the_proxy(server, proxy):
    person = server.add_account()

    with proxy.client() as client:
        there = {"sni_hostname": NAME}
        page = client.get("/account/login/", extensions=there)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        done = client.post(
            "/account/login/",
            data={"csrfmiddlewaretoken": token, "login": person["email"], "password": person["password"]},
            headers={"Host": NAME, "Referer": f"https://{NAME}/account/login/", "Cookie": cookie},
            extensions=there,
        )

    assert done.status_code == 302, done.text


def test_metrics_are_not_forwarded(proxy):
    assert proxy.request("GET", "/metrics").status_code == 404


def test_a_live_page_s_websocket_comes_through(server, proxy):
    bearer = server.bearer(server.add_account("viewer"))

    with proxy.open("/live/ws", additional_headers=bearer) as page:
        assert page.ping().wait(30)

    with pytest.raises(InvalidStatus) as refused, proxy.open("/live/ws"):
        pass
    assert refused.value.response.status_code == 401  # and not nginx's or Django's 404


def test_mqtt_over_websocket_comes_through(server, proxy):
    device = server.add_device()
    decoder = Decoder(version=Version.V5)
    hello = Connect(client_id="pi", username=device["name"], password=device["secret"].encode(), version=Version.V5)

    with proxy.open("/mqtt", subprotocols=["mqtt"]) as link:
        link.send(encode(hello, Version.V5))
        while (answer := decoder.next_packet()) is None:
            decoder.feed(link.recv(timeout=30))

    assert isinstance(answer, Connack)
    assert answer.reason == 0


def test_who_sends_is_known_by_its_own_address_and_not_by_what_it_claims(server, proxy):
    proxy.request(
        "POST", "/api/token/", json={"username": "nobody@example.com", "password": "x"},
        headers={"Host": NAME, "X-Forwarded-For": "203.0.113.9"},
    )  # fmt: skip

    said = [json.loads(line) for line in server.errors.read_text().splitlines() if line.startswith("{")]
    addresses = {line["address"] for line in said if line.get("address")}
    assert "203.0.113.9" not in addresses


def test_mqtt_with_tls_listens_where_the_page_says_while_http_stays_on_loopback(start_server, tmp_path):
    make_certificates(tmp_path)
    server = start_server(
        RELEVE_MQTT_TLS_HOST="0.0.0.0",  # noqa: S104 - as the page says
        RELEVE_MQTT_TLS_PORT="0",
        RELEVE_MQTT_CERTIFICATE=str(tmp_path / "server.crt"),
        RELEVE_MQTT_KEY=str(tmp_path / "server.key"),
    )
    plain, secured = server.document["mqtt_urls"]
    listening = Path("/proc/net/tcp").read_text()

    def is_bound(address, port):
        return f" {address}:{int(port):04X} 00000000:0000" in listening

    assert is_bound("00000000", secured.rpartition(":")[2])
    assert is_bound("0100007F", plain.rpartition(":")[2])
    assert is_bound("0100007F", server.url.rpartition(":")[2])
    names = re.findall(r"Environment=(RELEVE_\w+)", PAGE.read_text())
    assert {"RELEVE_MQTT_TLS_HOST", "RELEVE_MQTT_CERTIFICATE", "RELEVE_MQTT_KEY"} <= set(names)
