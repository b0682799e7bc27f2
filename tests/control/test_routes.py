"""What holds for every route of the control plane, walked from the API document."""

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator

METHODS = {"get", "post", "put", "patch", "delete"}
OPEN = {"gym_login", "token_obtain", "token_refresh", "token_verify", "sign_out"}


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture(scope="module")
def operations(document):
    """Every operation of the control plane: (method, path, operation)."""
    return [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS and path.startswith(("/api/token", "/api/auth", "/auth", "/users", *OURS))
    ]


OURS = tuple(f"/api/v1/{name}" for name in ("sign-ins", "mqtt", "teams", "audit", "assets"))


def test_the_document_is_openapi_3_1_and_names_each_operation_once(document):
    names = [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in METHODS
    ]

    assert document["openapi"] == "3.1.0"
    assert len(names) == len(set(names))


def test_every_route_answers_with_and_without_its_slash(api, db, operations):
    assert len(operations) > 12
    for method, path, _ in operations:
        address = _filled(path)
        twin = address.removesuffix("/") if address.endswith("/") else address + "/"
        answers = {api.request(method.upper(), address).status_code for address in (address, twin)}
        assert len(answers) == 1, path
        assert answers < {400, 401}, path


def test_a_document_says_which_routes_need_a_token(operations):
    for _, path, operation in operations:
        needs = operation.get("security") not in (None, [], [{}])
        assert needs is (operation["operationId"] not in OPEN - {"sign_out"}), path


def test_every_page_of_the_browser_is_told_to_run_only_our_scripts(api, db):
    assert "script-src 'self'" in api.get("/api/v1/devices").headers["Content-Security-Policy"]


def test_no_model_has_changed_without_its_migration(db):
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def _filled(path):
    numbered = path.replace("{asset_id}", "1").replace("{team_id}", "1")
    return numbered.replace("{sign_in_id}", "01234567-89ab-cdef-0123-456789abcdef")
