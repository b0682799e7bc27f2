"""What the API document says of the routes that take readings in."""

from typing import Any

from releve.http.openapi import SECURITY, problems

Document = dict[str, Any]

_VERDICT = {"$ref": "#/components/schemas/Verdict"}


def document() -> Document:
    """The fragment of OpenAPI 3.1 for `/data`, `/api/send/data` and `/api/v1/readings`."""
    return {
        "paths": {
            "/data": {"post": _gym()},
            "/api/send/data/": {"post": _profilometre()},
            "/api/v1/readings": {"post": _readings()},
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "token": {"type": "apiKey", "in": "header", "name": "token"},
            },
        },
        "tags": [{"name": "readings", "description": "Acknowledged means committed in PostgreSQL."}],
    }


def _gym() -> Document:
    return _post(
        "sendGymReading",
        "Contract A: one reading of a gym machine",
        body=_body({"$ref": "#/components/schemas/GymReading"}),
        answers=_taken("Stored, or a repeat of what was stored."),
    )


def _profilometre() -> Document:
    return _post(
        "sendProfilometreReading",
        "Contract C: one reading of a profilometre or a phone",
        body=_body({"$ref": "#/components/schemas/ProfilometreReading"}),
        answers=_taken("Stored, or a repeat of what was stored; always exactly 200."),
    )


def _readings() -> Document:
    kinds = [{"$ref": f"#/components/schemas/{name}"} for name in ("Reading", "Waveform")]
    reading: Document = {"anyOf": kinds}
    several = {"type": "array", "items": reading, "minItems": 1, "maxItems": 10_000}
    body = {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [reading, several]}},
            "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"speed": 12.5}\n{"speed": 13.0}\n'},
        },
    }
    answers = {
        "200": {
            "description": "A verdict for the reading, or for each of a batch in order; 422 when all are refused.",
            "content": {
                "application/json": {"schema": {"oneOf": [_VERDICT, {"$ref": "#/components/schemas/Verdicts"}]}}
            },
        }
    }
    document = _post("sendReadings", "One reading, an array, or one per line", body=body, answers=answers)
    document["parameters"].append(
        {
            "name": "Prefer",
            "in": "header",
            "description": "`return=minimal` answers a batch with its counts and what was not stored as sent.",
            "schema": {"type": "string"},
        }
    )
    return document


def _post(operation: str, summary: str, *, body: Document, answers: Document) -> Document:
    return {
        "operationId": operation,
        "summary": summary,
        "tags": ["readings"],
        "security": SECURITY,
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Your own id of this message; the same again, with the same content, is a duplicate.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 256, "pattern": "^[!-~]+$"},
            }
        ],
        "requestBody": body,
        "responses": answers | problems(400, 401, 403, 408, 413, 415, 422, 429, 503),
    }


def _body(schema: Document) -> Document:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _taken(description: str) -> Document:
    schema = {
        "allOf": [
            {"type": "object", "properties": {"message": {"type": "string"}, "device": {"type": "string"}}},
            _VERDICT,
        ]
    }
    return {"200": {"description": description, "content": {"application/json": {"schema": schema}}}}


def _waveform(message_id: Document) -> Document:
    return {
        "type": "object",
        "description": "A reading for each value of its arrays, `step_ms` apart or `rate_hz` a second; what is no array"
        " belongs to the first. Arrays may stand in `channels`, too.",
        "required": ["time"],
        "properties": {
            "time": {
                "type": ["string", "number"],
                "description": "Of the first reading: ISO 8601 or an epoch number.",
                "examples": ["2026-06-01T12:00:00Z"],
            },
            "id": message_id,
            "step_ms": {"type": "number", "exclusiveMinimum": 0},
            "rate_hz": {"type": "number", "exclusiveMinimum": 0},
        },
        "additionalProperties": {
            "anyOf": [
                {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 100_000},
                {"type": ["number", "string", "boolean", "null", "object"]},
            ]
        },
    }


def _schemas() -> Document:
    number, count = {"type": "number"}, {"type": "integer", "minimum": 0, "maximum": 2**53}
    channel = {"type": ["number", "string", "boolean", "null"]}
    message_id = {"type": ["string", "integer"], "description": "Your own id of this message."}
    timestamp = {
        "type": ["string", "number", "null"],
        "description": "ISO 8601, an epoch number, or milliseconds since boot; left out, the time of arrival.",
        "examples": ["2026-06-01T12:00:00Z"],
    }
    gym = {
        "machine_id": {"type": "integer", "minimum": -(2**53), "maximum": 2**53},
        "timestamp": {"type": "string", "description": "ISO 8601; without a zone it is UTC.", "format": "date-time"},
        **dict.fromkeys(("acceleration_x", "acceleration_y", "acceleration_z"), number),
        "repetitions": count,
        **dict.fromkeys(("series_time", "rest_time"), number | {"minimum": 0}),
    }
    return {
        "GymReading": {
            "type": "object",
            "required": list(gym),
            "properties": gym | {"asymmetry": {"type": ["number", "null"]}},
            "additionalProperties": channel,
        },
        "ProfilometreReading": {
            "type": "object",
            "minProperties": 1,
            "properties": {
                **{name: {"type": ["number", "null"]} for name in ("temperature", "humidite", "accelerometre")},
                "timestamp": timestamp,
            },
            "additionalProperties": channel,
        },
        "Reading": {
            "type": "object",
            "description": "The channels in `channels`, or beside the other fields.",
            "properties": {
                "time": timestamp,
                "id": message_id,
                "channels": {"type": "object", "additionalProperties": channel, "minProperties": 1},
            },
            "additionalProperties": channel,
            "examples": [{"time": "2026-06-01T12:00:00Z", "channels": {"speed": 12.5}}],
        },
        "Waveform": _waveform(message_id),
        **_verdicts(count),
        "Problem": {
            "type": "object",
            "description": "RFC 9457; the contracts' own routes may answer their own members instead.",
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
                    },
                },
            },
        },
    }


def _verdicts(count: Document) -> Document:
    return {
        "Verdict": {
            "type": "object",
            "required": ["outcome", "duplicate"],
            "properties": {
                "outcome": {"enum": ["stored", "duplicate", "quarantined", "refused"]},
                "duplicate": {"type": ["boolean", "integer"], "description": "Of a waveform, how many."},
                **{name: count | {"description": "Of a waveform, how many."} for name in ("stored", "quarantined")},
                "readings": count | {"description": "How many readings a waveform is."},
                "time": {"type": "string", "format": "date-time"},
                "clock": {"type": "string", "description": "The rule that gave the time."},
                "field": {"type": ["string", "null"]},
                "reason": {"type": "string"},
                "warnings": {
                    "type": "array",
                    "description": "What is strange about a reading that was stored all the same.",
                    "items": {
                        "type": "object",
                        "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
                    },
                },
            },
        },
        "Verdicts": {
            "type": "object",
            "required": ["stored", "duplicate", "quarantined", "refused", "readings"],
            "properties": {
                **_counts(),
                "readings": {
                    "type": "array",
                    "items": {"allOf": [{"properties": {"index": count}, "required": ["index"]}, _VERDICT]},
                },
            },
        },
    }


def _counts() -> Document:
    outcomes = ("stored", "duplicate", "quarantined", "refused")
    return {outcome: {"type": "integer", "minimum": 0} for outcome in outcomes}
