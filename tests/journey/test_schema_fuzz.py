"""schemathesis asks every route of the API document with what fits it and what does not: no answer is a 5xx."""

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

EXAMPLES = 8
SENDING = {"POST /data", "POST /api/send/data/", "POST /api/v1/readings"}
ENDLESS = {"GET /api/v1/live"}  # a stream, of which the beginning is looked at
ENDING = {"POST /api/auth/sign-out/"}  # would end the very sign-in that the test asks with


@pytest.fixture(scope="module")
def person(server):
    return server.bearer(server.add_account("admin", team="Fuzzers"))


@pytest.fixture(scope="module")
def sender(server):
    return server.bearer(server.add_device("profilometre", team="Fuzzers"))


@pytest.fixture(scope="module")
def operations(server):
    answer = httpx.get(f"{server.url}/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    schema = schemathesis.openapi.from_dict(answer.json())
    found = [result.ok() for result in schema.get_all_operations()]
    return {operation.label: operation for operation in found if operation.label not in ENDING}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_route_answers_5xx(server, operations, person, sender, mode):
    asked = {
        label: _asked(server, operation, sender if label in SENDING else person, mode)
        for label, operation in operations.items()
    }

    assert set(asked) >= SENDING
    failed = {label: broken for label, (_, broken) in asked.items() if broken}
    assert failed == {}
    assert sum(count for count, _ in asked.values()) > len(operations)


def _asked(server, operation, headers, mode):
    """How many times a route was asked, and what it answered with 5xx."""
    count, broken = 0, []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        nonlocal count
        answer = _begun(case, server.url, headers) if operation.label in ENDLESS else case.call(
            base_url=server.url, headers=headers, timeout=30
        )  # fmt: skip
        count += 1
        # 504 is contract B's own word for a broker that never spoke.
        if answer.status_code >= 500 and answer.status_code != 504:
            broken.append((answer.status_code, case.as_curl_command(), answer.text[:300]))

    try:
        ask()
    except schemathesis.errors.SchemathesisError as error:  # nothing wrong can be made up for a route without input
        if mode is GenerationMode.POSITIVE:
            broken.append((0, operation.label, str(error)))
    return count, broken


def _begun(case, url, headers):
    with requests.request(**case.as_transport_kwargs(base_url=url, headers=headers), stream=True, timeout=30) as answer:
        if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
            answer.content  # noqa: B018 - reading it keeps it for `text`
        else:
            answer._content = b""
        return answer
