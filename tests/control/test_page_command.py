"""An editor sends plain text to a car on its page; whoever may not cannot, and nobody sends it to anything else."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from releve.control.fleet.services import register_device

PASSWORD = "correct horse battery staple"
BODY = {"topic": "esp32bis/ajustments", "text": "<b>left</b> 10", "expires_s": "60"}


@pytest.fixture
def car(device):
    """A car of the cast's team."""
    return register_device(team=device.team, name="car1", contract="racing")[0]


@pytest.fixture
def browse():
    """A browser that somebody signed in with."""
    cache.clear()  # allauth counts the sign-ins of an address there

    def make(account):
        client = Client(headers={"accept": "text/html"})
        assert client.post("/account/login/", {"login": account.email, "password": PASSWORD}).status_code == 302
        return client

    return make


def commands():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT device_id, topic, body #>> '{}', created_by, round(extract(epoch FROM expires - created))"
            " FROM device_command"
        )
        return cursor.fetchall()


def test_an_editor_sends_plain_text_to_a_car_and_sees_what_became_of_it(browse, car, erin):
    client = browse(erin)
    shown = client.post(f"/devices/{car.pk}/command/", BODY, follow=True).content.decode()

    assert commands() == [(car.pk, "esp32bis/ajustments", "<b>left</b> 10", erin.email, 60)]
    assert "&lt;b&gt;left&lt;/b&gt; 10" in shown
    assert "waiting" in shown


@pytest.mark.parametrize(
    "change", [{"topic": "releve/car2/commands"}, {"topic": "esp32/#"}, {"text": ""}, {"expires_s": "0"}]
)
def test_what_no_car_hears_is_not_sent_and_the_page_says_why(browse, car, erin, change):
    shown = browse(erin).post(f"/devices/{car.pk}/command/", BODY | change, follow=True)

    assert commands() == []
    assert 'class="notice error"' in shown.content.decode()


def test_a_viewer_sends_nothing_and_another_kind_of_device_takes_none(browse, car, device, bob, erin):
    assert browse(bob).post(f"/devices/{car.pk}/command/", BODY).status_code == 403
    client = browse(erin)
    client.post(f"/devices/{device.pk}/command/", BODY)

    assert commands() == []
    assert "device-command" not in client.get(f"/devices/{device.pk}/").content.decode()
