"""What the API document says of a race's samples, and of comparing and exporting runs."""

from typing import Any

from releve.http.openapi import SECURITY, problems

Document = dict[str, Any]
_NUMBER = {"type": "number"}
_NUMBERS = {"type": "array", "items": _NUMBER}
_MAYBE = {"type": ["number", "null"]}
_RUN_ID = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}


def sensor_data() -> Document:
    """`POST /sensor_data` of contract B."""
    sample = {
        "type": "object",
        "required": ["race_id", "distance", "speed", "battery"],
        "properties": {
            "race_id": {"type": ["integer", "string"], "description": "The race's number, as text too."},
            **dict.fromkeys(("distance", "speed", "battery"), _NUMBER),
            "track": {"type": ["number", "null"], "default": 0},
            "date": {"type": ["string", "null"], "description": "ISO 8601; by default the server's time."},
        },
        "additionalProperties": {"type": ["number", "string", "boolean", "null"]},
    }
    taken = {
        "type": "object",
        "required": ["message", "data"],
        "properties": {"message": {"const": "Sensor data successfully added"}, "data": {"type": "object"}},
    }
    return {
        "operationId": "sendSensorData",
        "summary": "Contract B: one sample of a race",
        "tags": ["readings"],
        "security": [*SECURITY, {}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": sample}}},
        "responses": {
            "201": {"description": "Stored.", "content": {"application/json": {"schema": taken}}},
            **problems(400, 401, 403, 404, 405, 408, 413, 415, 429, 503),
        },
    }


def compare() -> Document:
    """`GET /api/v1/runs/compare`."""
    run = {
        "type": "object",
        "required": ["id", "name", "values", "delta"],
        "properties": {
            "id": _RUN_ID,
            "name": {"type": "string"},
            "unit": {"type": "string", "description": "Of its values; missing where there is none."},
            "values": _NUMBERS,
            "delta": {**_NUMBERS, "description": "How far its values lie above the first run's."},
            "elapsed_s": {**_NUMBERS, "description": "Along a channel: how long the run had gone on."},
            "time_delta_s": {**_NUMBERS, "description": "Along a channel: how much later than the first run."},
            "laps": {"type": "integer", "description": "Laps of a race that were driven to their end."},
            "best_lap_s": {**_MAYBE, "description": "The shortest of them, in seconds."},
            "theoretical_best_s": {**_MAYBE, "description": "The lap that the best tenths of its laps' distance make."},
        },
    }
    found = {
        "type": "object",
        "required": ["align", "channel", "reference", "x", "runs"],
        "properties": {
            "align": {"type": "string"},
            "channel": {"type": "string"},
            "reference": _RUN_ID,
            "x": {**_NUMBERS, "description": "Seconds since the first reading, or the channel's own unit."},
            "x_unit": {"type": "string", "description": "The first run's unit of that channel."},
            "theoretical_best_s": {**_MAYBE, "description": "The lap of the best tenths of all laps of all runs."},
            "runs": {"type": "array", "items": run},
        },
    }
    parameters = [
        _query("runs", {"type": "string"}, "2 to 8 numbers, separated by commas.", is_required=True),
        _query("align", {"type": "string", "default": "start"}, "`start`, or a channel such as `distance`."),
        _query("channel", {"type": "string", "default": "speed"}, "What is compared."),
        _query("step", {"type": "number", "exclusiveMinimum": 0}, "Between two places; by default some 500 places."),
    ]
    return _get("compareRuns", "Runs over one grid, and how far they differ", parameters, {"application/json": found})


def export() -> Document:
    """`GET /api/v1/runs/{id}/export`."""
    run = {"name": "id", "in": "path", "required": True, "schema": _RUN_ID}
    return _export("exportRun", "Every reading of a run that counts, streamed", [run, *_span()])


def export_of_device(device: Document) -> Document:
    """`GET /api/v1/devices/{device}/export`."""
    operation = _export("exportDevice", "Every reading of a device, streamed", [device, *_span()])
    return {**operation, "tags": ["readings"]}


def _span() -> list[Document]:
    return [
        _query("from", {"type": "string"}, "First instant, included: ISO 8601 or an epoch number."),
        _query("to", {"type": "string"}, "Last instant, excluded."),
    ]


def _export(name: str, summary: str, parameters: list[Document]) -> Document:
    text = {"type": "string"}
    told = (
        "`shown`, the default of CSV and Parquet: numbers converted as the device's channels are described, units at "
        "the heads of columns and in the metadata of fields. `sent`, the only one of NDJSON: all as it was sent."
    )
    parameters = [
        *parameters,
        _query("format", {"enum": ["csv", "ndjson", "parquet"]}, "Wins over `Accept`."),
        _query("as", {"enum": ["shown", "sent"]}, told),
    ]
    media = {"text/csv": text, "application/x-ndjson": text, "application/vnd.apache.parquet": text}
    operation = _get(name, summary, parameters, media)
    operation["responses"]["200"]["headers"] = {
        "X-Total-Readings": {"schema": {"type": "integer"}, "description": "How many readings follow."}
    }
    operation["responses"]["406"] = {"description": "None of the formats is accepted."}
    return operation


def _get(operation: str, summary: str, parameters: list[Document], media: Document) -> Document:
    return {
        "operationId": operation,
        "summary": summary,
        "tags": ["Runs"],
        "security": SECURITY,
        "parameters": parameters,
        "responses": {
            "200": {"description": "Found.", "content": {name: {"schema": schema} for name, schema in media.items()}},
            **problems(400, 401, 403, 404, 405, 503),
        },
    }


def _query(name: str, schema: Document, description: str, *, is_required: bool = False) -> Document:
    found: Document = {"name": name, "in": "query", "schema": schema, "description": description}
    return {**found, "required": True} if is_required else found
