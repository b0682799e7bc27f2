"""Behind a gateway that forwards nothing but `/prod`, and asked for by a name that is not the server's."""

import json
import re

import httpx
import pytest

PREFIX = "/prod"


@pytest.fixture(scope="module")
def reached(installation):
    """A server as such a gateway sees it."""
    from tests.journey.conftest import end, start  # noqa: PLC0415 - its fixtures are found by pytest, these are not

    running = start(installation(), "--workers", "1", RELEVE_ROOT_PATH=PREFIX)
    yield running
    end(running)


@pytest.mark.parametrize("page", ["/api/docs/", "/api/redoc/", "/account/login/"])
def test_whatever_a_page_loads_has_the_prefix(reached, page):
    shown = httpx.get(f"{reached.url}{PREFIX}{page}", follow_redirects=True)
    loaded = re.findall(r'(?:<script[^>]* src|<link[^>]* href|data-schema)="([^"]+)"', shown.text)

    assert shown.status_code == 200
    assert len(loaded) > 1
    for address in loaded:
        assert address.startswith(f"{PREFIX}/"), address
        assert httpx.get(reached.url + address).status_code == 200, address


def test_the_api_document_says_under_which_prefix_its_routes_are(reached):
    document = httpx.get(f"{reached.url}{PREFIX}/api/schema/?format=json").json()

    assert document["servers"] == [{"url": f"{reached.url}{PREFIX}"}]
    assert httpx.post(document["servers"][0]["url"] + "/api/token/verify/", json={"token": "x"}).status_code == 401


def test_a_name_that_is_not_the_servers_is_refused_with_the_setting_and_one_line(reached):
    before = len(reached.errors.read_text())

    refused = httpx.get(f"{reached.url}/vehicles", headers={"Host": "elsewhere.example"})

    said = reached.errors.read_text()[before:]
    assert refused.status_code == 400
    assert "RELEVE_ALLOWED_HOSTS" in refused.json()["message"]
    assert [json.loads(line)["event"] for line in said.splitlines() if "elsewhere.example" in line] == ["host-refused"]
    assert "Traceback" not in said
    assert "/vehicles" not in said
