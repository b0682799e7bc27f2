"""The API document of both planes, who may read it, and what is answered where nothing is."""

import json
from dataclasses import replace

import jsonschema
import pytest
import schemathesis
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from releve.control.pages.document.openapi import Collision, merge

ADDRESSES = ["/api/schema/", "/api/docs/", "/api/redoc/", "/api/schema", "/api/docs", "/api/redoc"]
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def document(db):
    return json.loads(Client().get("/api/schema/").content)


@pytest.fixture
def started(settings):
    """Pretend that the server was started with other settings."""

    def on(**changes):
        settings.RELEVE = replace(settings.RELEVE, **changes)

    return on


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    validate_schema(document)


def test_the_document_is_generated_without_a_warning(db):
    with GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        SchemaGenerator().get_schema(request=None, public=True)

    assert [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache] == []


def test_every_schema_of_the_document_is_a_valid_json_schema(document):
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_of_the_document_leads_somewhere(document):
    for reference in _references(document):
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_a_test_tool_loads_every_operation_of_the_document(document):
    operations = list(schemathesis.openapi.from_dict(document).get_all_operations())

    assert len(operations) == sum(
        method in {"get", "post", "put", "patch", "delete"} for item in document["paths"].values() for method in item
    )


def test_every_operation_has_a_name_of_its_own(document):
    names = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    ]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "path", ["/api/token/", "/auth/login", "/data", "/api/send/data/", "/api/v1/readings", "/api/schema/"]
)
def test_both_planes_are_in_the_one_document(document, path):
    assert path in document["paths"]


@pytest.mark.parametrize(
    ("query", "accept", "content"),
    [
        ("", "*/*", "json"),
        ("", "application/json", "json"),
        ("", "application/yaml", "yaml"),
        ("?format=yaml", "*/*", "yaml"),
        ("?format=json", "*/*", "json"),
    ],
)
def test_the_document_comes_as_json_or_yaml(db, query, accept, content):
    answer = Client().get(f"/api/schema/{query}", headers={"accept": accept})

    assert answer.status_code == 200
    assert content in answer.headers["Content-Type"]
    assert answer.content.startswith(b"{" if content == "json" else b"openapi: 3.1")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        ({}, True),
        ({"host": "192.0.2.7"}, False),
        ({"host": "127.0.0.1", "public_url": "https://telemetry.example.com"}, False),
        ({"host": "192.0.2.7", "docs": "open"}, True),
        ({"docs": "signed-in"}, False),
    ],
)
def test_the_documents_are_open_on_loopback_and_behind_sign_in_elsewhere(db, started, address, changes, is_open):
    started(**changes)

    answer = Client().get(address, headers=BROWSER)

    assert answer.status_code == (200 if is_open else 302)
    assert is_open or answer.headers["Location"].startswith("/account/login/?next=/api/")


def test_a_program_without_a_token_is_told_so_where_the_document_is_closed(db, started):
    started(docs="signed-in")

    answer = Client().get("/api/schema/", headers={"accept": "application/json"})

    assert answer.status_code == 401
    assert "RELEVE_DOCS" in answer.json()["detail"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_person_reads_a_closed_document_and_a_device_does_not(started, signed_in, alice, device):
    person, machine = signed_in(alice), signed_in(device)
    started(docs="signed-in")

    assert person.get("/api/schema/").status_code == 200
    assert machine.get("/api/schema/").status_code == 403


def test_a_fragment_that_contradicts_another_is_refused():
    one = {"paths": {"/a": {"get": {"operationId": "a"}}}}
    other = {"paths": {"/a": {"get": {"operationId": "b"}}}}

    with pytest.raises(Collision, match="/a: get"):
        merge({}, [one, other])


def test_fragments_may_repeat_what_they_share_and_add_to_one_path():
    shared = {"components": {"schemas": {"Problem": {"type": "object"}}}}

    merged = merge({}, [{"paths": {"/a": {"get": {}}}, **shared}, {"paths": {"/a": {"post": {}}}, **shared}])

    assert merged["paths"] == {"/a": {"get": {}, "post": {}}}


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/auth/nothing/", "/data/1/2", "/vehicles/x/y", "/races/x/y", "/live/nothing"]
)
def test_a_program_gets_a_problem_document_where_nothing_is_whatever_it_accepts(db, path):
    answer = Client().get(path, headers=BROWSER)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "message"} <= answer.json().keys()


def test_a_person_gets_a_page_where_nothing_is_and_a_program_a_document(db):
    assert b"<h1>There is nothing here</h1>" in Client().get("/nowhere/", headers=BROWSER).content
    assert Client().get("/nowhere/", headers={"accept": "*/*"}).json()["status"] == 404


def test_a_form_without_its_csrf_token_gets_a_page(alice):
    answer = Client(enforce_csrf_checks=True).post("/account/login/", {}, headers=BROWSER)

    assert answer.status_code == 403
    assert b"This is not open to your account" in answer.content


def _references(node):
    if isinstance(node, dict):
        yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)
