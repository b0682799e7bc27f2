"""What the API document says of the data plane's routes that read."""

from typing import Any

from releve.http.openapi import SECURITY, problems
from releve.query.device import openapi as device_openapi
from releve.query.run import openapi as run_openapi
from releve.query.series import openapi as series_openapi

Document = dict[str, Any]
_DEVICE = {
    "name": "device",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
}
_DEVICES = "/api/v1/devices/{device}"


def document() -> Document:
    """The fragment of OpenAPI 3.1 for readings, machine status and quarantine."""
    return {
        "paths": {
            "/status/{machine_id}": {"get": _machine()},
            "/sensor_data": {"post": run_openapi.sensor_data()},
            "/api/v1/runs/compare": {"get": run_openapi.compare()},
            "/api/v1/runs/{id}/export": {"get": run_openapi.export()},
            "/get_broker_data": {"get": device_openapi.broker_data()},
            f"{_DEVICES}/commands": device_openapi.commands(_DEVICE),
            f"{_DEVICES}/config": device_openapi.config(_DEVICE),
            f"{_DEVICES}/readings": {"get": _readings()},
            f"{_DEVICES}/export": {"get": run_openapi.export_of_device(_DEVICE)},
            f"{_DEVICES}/series": {"get": series_openapi.of_device(_DEVICE)},
            "/api/v1/latest": {"get": device_openapi.latest()},
            "/api/v1/series": {"get": series_openapi.of_devices()},
            "/api/v1/runs/{id}/series": {"get": series_openapi.of_run()},
            f"{_DEVICES}/quarantine": {"get": _quarantine()},
            f"{_DEVICES}/quarantine/replay": {"post": _replay("replayQuarantine", "Replay all that is open", [])},
            f"{_DEVICES}/quarantine/{{id}}/replay": {
                "post": _replay("replayQuarantined", "Replay one", [_path_number("id")])
            },
        },
        "components": {"schemas": _schemas()},
        "tags": [
            {"name": "quarantine", "description": "Readings kept aside with their bytes and a reason."},
            {"name": "devices", "description": "What people send to a device over MQTT."},
        ],
    }


def _machine() -> Document:
    return _get(
        "machineStatus",
        "Contract A: a machine's battery, connection and last reading",
        tag="readings",
        parameters=[_path_number("machine_id")],
        schema={"$ref": "#/components/schemas/MachineStatus"},
    )


def _readings() -> Document:
    operation = _get(
        "listReadings",
        "A page of a device's readings",
        tag="readings",
        parameters=[
            _DEVICE,
            _query("from", {"type": "string"}, "First instant, included: ISO 8601 or an epoch number."),
            _query("to", {"type": "string"}, "Last instant, excluded."),
            _query("channels", {"type": "string"}, "Names separated by commas; readings with none are left out."),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 100_000, "default": 1_000}, "Most readings."),
            _query("order", {"enum": ["asc", "desc"], "default": "asc"}, "By time."),
            _query("cursor", {"type": "string"}, "`next` of the page before."),
        ],
        schema={"$ref": "#/components/schemas/ReadingPage"},
    )
    content = operation["responses"]["200"]["content"]
    content |= {"text/csv": {"schema": {"type": "string"}}, "application/x-ndjson": {"schema": {"type": "string"}}}
    return operation


def _quarantine() -> Document:
    return _get(
        "listQuarantine",
        "What was kept aside, and why",
        tag="quarantine",
        parameters=[
            _DEVICE,
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 1_000, "default": 100}, "Most readings."),
            _query("after", {"type": "integer", "minimum": 0}, "`next` of the page before."),
            _query("replayed", {"enum": ["0", "1"]}, "1 adds what was replayed."),
        ],
        schema={"$ref": "#/components/schemas/QuarantinePage"},
    )


def _replay(operation: str, summary: str, parameters: list[Document]) -> Document:
    correction = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "timestamp": {"type": ["string", "number", "null"]},
            "reading": {"type": ["object", "null"]},
        },
    }
    return {
        "operationId": operation,
        "summary": summary,
        "description": "Sends it through the path again, with a corrected timestamp or a whole corrected reading.",
        "tags": ["quarantine"],
        "security": SECURITY,
        "parameters": [_DEVICE, *parameters],
        "requestBody": {"required": False, "content": {"application/json": {"schema": correction}}},
        "responses": {
            "200": {"description": "The verdict.", "content": {"application/json": {"schema": {"type": "object"}}}},
            **problems(400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 503),
        },
    }


def _get(operation: str, summary: str, *, tag: str, parameters: list[Document], schema: Document) -> Document:
    return {
        "operationId": operation,
        "summary": summary,
        "tags": [tag],
        "security": SECURITY,
        "parameters": parameters,
        "responses": {
            "200": {"description": "Found.", "content": {"application/json": {"schema": schema}}},
            **problems(400, 401, 403, 404, 405, 503),
        },
    }


def _path_number(name: str) -> Document:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}


def _query(name: str, schema: Document, description: str) -> Document:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _schemas() -> Document:
    instant = {"type": "string", "format": "date-time"}
    stored = {
        "type": "object",
        "required": ["time", "id", "received", "channels"],
        "properties": {
            "time": instant,
            "id": {"type": "string", "description": "64 bits, so text."},
            "received": instant,
            "channels": {"type": "object"},
            "sent": {"type": "string", "description": "The sender's own timestamp where ours differs from it."},
        },
    }
    kept = {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "received": instant,
            **{name: {"type": "string"} for name in ("contract", "transport", "field", "reason", "payload")},
            "replayed": {"type": ["string", "null"], "format": "date-time"},
        },
    }
    return {
        "StoredReading": stored,
        "ReadingPage": {
            "type": "object",
            "required": ["device", "readings", "next"],
            "properties": {
                "device": {"type": "integer"},
                "readings": {"type": "array", "items": {"$ref": "#/components/schemas/StoredReading"}},
                "next": {"type": ["string", "null"]},
            },
        },
        "Quarantined": kept,
        "QuarantinePage": {
            "type": "object",
            "required": ["quarantine", "next"],
            "properties": {
                "quarantine": {"type": "array", "items": {"$ref": "#/components/schemas/Quarantined"}},
                "next": {"type": ["integer", "null"]},
            },
        },
        "MachineStatus": {
            "type": "object",
            "required": ["machine_id", "battery", "connection", "last_update"],
            "properties": {
                "machine_id": {"type": "integer"},
                "battery": {"type": ["string", "null"], "examples": ["80%"]},
                "connection": {"enum": ["OK", "LOST"]},
                "last_update": instant,
            },
        },
    }
