"""In front of both planes: requests that neither may see."""

import pytest

from releve.http import guard
from releve.http.answer import answer_problem
from releve.http.request import Limits
from releve.protocol.problem import BadRequest, StrangeVersion


def check(*, version="1.1", path="/runs", query=b"", host=True):
    scope = {
        "method": "GET",
        "path": path,
        "query_string": query,
        "http_version": version,
        "headers": [(b"host", b"pi")] if host else [],
    }
    return guard.checked(scope, None, path=path, limits=Limits(100, 1.0), request_id="1")


@pytest.mark.parametrize("version", ["0.9", "2.0", "1.2", "3", "9.9"])
async def test_only_the_versions_of_http_that_are_spoken_are_answered(version):
    with pytest.raises(StrangeVersion) as refusal:
        check(version=version)
    sent = []

    async def send(message):
        sent.append(message)

    await answer_problem(send, refusal.value)

    assert sent[0]["status"] == 505
    assert (b"connection", b"close") in sent[0]["headers"]
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_those_that_are_spoken_pass(version):
    assert check(version=version, query=b"name=a%0Ab").path == "/runs"


@pytest.mark.parametrize(("path", "query"), [("/runs", b"name=a%00b"), ("/runs/\0", b""), ("/runs", b"%00")])
def test_a_nul_reaches_no_page(path, query):
    with pytest.raises(BadRequest, match="NUL"):
        check(path=path, query=query)
