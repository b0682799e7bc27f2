"""In front of both planes: hosts that are not ours are refused, on HTTP and WebSocket, and TLS is to stay."""

import json

import pytest

from releve.http.edge import Edge, Hosts, hosts_of

OURS = [b"127.0.0.1:8000", b"localhost", b"192.168.1.20", b"[fe80::1]:8000", b"pi", b"PI.local:8000", b"pi.lan"]
STRANGE = [b"evil.example", b"pi.evil.example", b"127.0.0.1.evil.example", b"", b"[", b"\xff.example", b"a b.example"]


class Answers(list):
    """What was sent; and an application behind, which answers 200."""

    async def __call__(self, message):
        self.append(message)

    @staticmethod
    async def application(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})


def edge(*, allowed="", public_url="", is_https=False):
    hosts = Hosts([*allowed.split(","), *(["board.example.com"] if public_url else [])], machine="pi.site.example")
    return Edge(Answers.application, hosts, is_https=is_https)


async def answers_of(edge, host, *, kind="http", scheme="http"):
    answers = Answers()
    headers = [] if host is None else [(b"host", host)]
    await edge({"type": kind, "headers": headers, "scheme": scheme}, None, answers)
    return answers


@pytest.mark.parametrize("host", [*OURS, b"pi.site.example", b"releve:8000", None])
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_addresses_and_the_machine_s_own_names_are_answered_with_nothing_set(host, kind):
    assert (await answers_of(edge(), host, kind=kind))[0]["status"] == 200


@pytest.mark.parametrize("host", STRANGE)
async def test_a_name_of_somebody_else_is_refused_and_the_setting_named(host):
    start, body = await answers_of(edge(), host)

    assert start["status"] == 400
    assert "RELEVE_ALLOWED_HOSTS" in json.loads(body["body"])["message"]
    assert await answers_of(edge(), host, kind="websocket") == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("allowed", "host", "status"),
    [
        ("telemetry.example.org", b"telemetry.example.org:8000", 200),
        ("telemetry.example.org", b"a.telemetry.example.org", 400),
        (".example.org, other.example", b"a.example.org", 200),
        (".example.org", b"example.org", 200),
        (".example.org", b"badexample.org", 400),
        ("*", b"evil.example", 200),
    ],
)
async def test_the_operator_may_name_further_hosts(allowed, host, status):
    assert (await answers_of(edge(allowed=allowed), host))[0]["status"] == status


def test_the_public_and_the_listening_address_are_ours():
    hosts = hosts_of(allowed="", public_url="https://board.example.com/x", listening="inner.example.com")

    assert hosts.has(b"board.example.com")
    assert hosts.has(b"inner.example.com:8000")
    assert not hosts.has(b"example.com")


@pytest.mark.parametrize(("is_https", "scheme"), [(True, "http"), (False, "https")])
async def test_browsers_that_came_with_tls_are_told_to_stay_with_it(is_https, scheme):
    headers = (await answers_of(edge(is_https=is_https), b"pi", scheme=scheme))[0]["headers"]

    assert headers == [(b"strict-transport-security", b"max-age=31536000")]
    assert (await answers_of(edge(), b"pi"))[0]["headers"] == []
