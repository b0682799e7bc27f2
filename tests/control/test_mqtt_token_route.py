"""The route that issues MQTT tokens: for whom, for how long, and what it says of where and what."""

from datetime import datetime, timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from releve.control import configuration
from releve.control.accounts.keys import keyring
from releve.control.accounts.models import SignIn
from releve.control.accounts.services import disable_account
from releve.protocol import token
from releve.protocol.token import Principal, TokenType, WrongTokenType
from releve.settings import Settings

ROUTE = "/api/v1/mqtt/token"
PASSWORD = "correct horse battery staple"


def settings_of(**values):
    return override_settings(RELEVE=Settings(data_dir=configuration.RELEVE.data_dir, **values))


def claims_of(answer):
    return token.read(answer.json()["token"], TokenType.MQTT, timezone.now(), keyring())


def life_of(answer):
    return datetime.fromisoformat(answer.json()["expires"]) - timezone.now()


def test_a_person_gets_a_token_of_their_own_sign_in_that_hears_their_teams(alice, team, signed_in):
    answer = signed_in(alice).post(ROUTE)

    document, claims = answer.json(), claims_of(answer)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert claims.principal == Principal.person(alice.pk)
    assert claims.sign_in == SignIn.objects.get(account=alice).id
    assert claims.expires_at == datetime.fromisoformat(document["expires"])
    assert document["username"] == alice.email
    assert document["topics"] == {"publish": [], "subscribe": [f"releve/{team.pk}/live/#"]}


def test_a_device_gets_one_for_its_own_topics(device, signed_in):
    answer = signed_in(device).post(ROUTE)

    document = answer.json()
    assert claims_of(answer).principal == Principal.device(device.pk)
    assert document["username"] == device.name
    assert document["topics"]["subscribe"] == [f"releve/{device.name}/commands", f"releve/{device.name}/config"]
    assert f"releve/{device.name}/readings" in document["topics"]["publish"]


def test_a_persons_lives_for_the_hour_and_a_devices_for_its_years(alice, device, signed_in):
    assert timedelta(minutes=59) < life_of(signed_in(alice).post(ROUTE)) <= timedelta(hours=1)
    assert timedelta(days=3649) < life_of(signed_in(device).post(ROUTE)) <= timedelta(days=3650)


def test_it_never_outlives_the_sign_in(alice, signed_in):
    person = signed_in(alice)
    SignIn.objects.filter(account=alice).update(expires_at=timezone.now() + timedelta(minutes=5))

    assert life_of(person.post(ROUTE)) <= timedelta(minutes=5)


def test_it_opens_no_route_of_the_api(api, alice, signed_in):
    text = signed_in(alice).post(ROUTE).json()["token"]

    with pytest.raises(WrongTokenType):
        token.read(text, TokenType.ACCESS, timezone.now(), keyring())
    for method, address in (("GET", "/api/v1/sign-ins"), ("POST", ROUTE)):
        assert api.request(method, address, Authorization=f"Bearer {text}").status_code == 401
    assert api.post("/api/token/verify/", {"token": text}).status_code == 401
    assert api.post("/api/token/refresh/", {"refresh": text}).status_code == 401


def test_a_page_gets_one_of_its_session(api, alice):
    page = api.client
    page.post("/account/login/", {"login": alice.email, "password": PASSWORD})

    answer = page.post(ROUTE)

    assert claims_of(answer).sign_in == SignIn.objects.get(account=alice).id


def test_nobody_gets_none(api, alice, signed_in):
    person = signed_in(alice)
    disable_account(alice)

    assert api.post(ROUTE).status_code == 401
    assert person.post(ROUTE).status_code == 401
    assert api.get(ROUTE).status_code in (401, 405)


@pytest.mark.parametrize(
    ("chosen", "host", "port", "tls_port", "websocket"),
    [
        ({}, "localhost:8000", 1883, None, "ws://localhost:8000/mqtt"),
        ({}, "[::1]:8000", 1883, None, "ws://[::1]:8000/mqtt"),
        ({}, "telemetry.example.com", None, None, "ws://telemetry.example.com/mqtt"),
        ({"mqtt_host": "0.0.0.0"}, "telemetry.example.com", 1883, None, "ws://telemetry.example.com/mqtt"),  # noqa: S104 - not bound
        ({"mqtt_port": None, "mqtt_certificate": "x.pem"}, "localhost", None, 8883, "ws://localhost/mqtt"),
        ({"root_path": "/prod/"}, "localhost", 1883, None, "ws://localhost/prod/mqtt"),
    ],
)
def test_it_says_where_mqtt_is_spoken(alice, signed_in, chosen, host, port, tls_port, websocket):
    person = signed_in(alice)
    with settings_of(**chosen), override_settings(ALLOWED_HOSTS=["*"]):
        document = person.post(ROUTE, Host=host).json()

    assert (document["port"], document["tls_port"], document["websocket"]) == (port, tls_port, websocket)
    assert document["host"] == host.rpartition(":")[0].strip("[]") if ":" in host else host
