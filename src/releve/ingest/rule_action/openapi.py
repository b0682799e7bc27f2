"""What the API document says of the route for AWS IoT Core's HTTPS rule action, its handshake included."""

from typing import Any

from releve.http.openapi import SECURITY, problems

Document = dict[str, Any]
SCHEME = "ruleAction"
_VERDICTS: Document = {"$ref": "#/components/schemas/Verdicts"}
_READING: Document = {"$ref": "#/components/schemas/RuleActionReading"}
_CONFIRMATION: Document = {"$ref": "#/components/schemas/RuleActionConfirmation"}
_MESSAGE: Document = {"type": "object", "properties": {"message": {"type": "string"}}}


def document() -> Document:
    """The fragment of OpenAPI 3.1 for `/api/v1/bridge/aws-iot`."""
    scheme = {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a `[[rule_action]]` in the bridge's configuration.",
    }
    return {
        "paths": {"/api/v1/bridge/aws-iot": {"get": _questions(), "post": _messages()}},
        "components": {"schemas": _schemas(), "securitySchemes": {SCHEME: scheme}},
        "tags": [{"name": "bridge", "description": "AWS IoT Core's HTTPS rule action; 404 where none is configured."}],
    }


def _questions() -> Document:
    schema = {
        "type": "object",
        "required": ["confirmations"],
        "properties": {"confirmations": {"type": "array", "items": _kept()}},
    }
    return {
        "operationId": "ruleActionConfirmations",
        "summary": "What AWS IoT asks to confirm, for an administrator of a rule action's team",
        "description": "Opening an `enable_url` tells AWS IoT that this address is yours. The server never opens one.",
        "tags": ["bridge"],
        "security": SECURITY,
        "responses": {"200": _json("The newest first.", schema), **problems(401, 403, 404, 405, 503)},
    }


def _messages() -> Document:
    several = {"type": "array", "items": _READING, "minItems": 1, "maxItems": 10_000}
    kind = {
        "name": "x-amz-rules-engine-message-type",
        "in": "header",
        "description": "`DestinationConfirmation` when AWS IoT asks whether the address is ours, without a token.",
        "schema": {"type": "string", "enum": ["DestinationConfirmation"]},
    }
    taken = _json(
        "Every reading is committed or kept in quarantine; or the question is kept for the operator.",
        {"anyOf": [_VERDICTS, _MESSAGE]},
    )
    return {
        "operationId": "ruleActionMessages",
        "summary": "What AWS IoT's rule action posts: readings, and first whether the address is ours",
        "description": (
            "The rule's SQL names the device: `SELECT *, topic(2) AS device, topic() AS topic FROM 'cars/+/telemetry'`."
            " What can never be stored is kept in quarantine and answered 200, so that AWS does not send it for ever."
        ),
        "tags": ["bridge"],
        "security": [{SCHEME: []}, {}],
        "parameters": [kind],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"anyOf": [_READING, several, _CONFIRMATION]}}},
        },
        "responses": {"200": taken, **problems(400, 401, 404, 405, 408, 413, 415, 422, 429, 503)},
    }


def _schemas() -> Document:
    channel = {"type": ["number", "string", "boolean", "null"]}
    return {
        "RuleActionReading": {
            "type": "object",
            "description": "A reading by its device's contract, with what the rule's SQL says beside it.",
            "required": ["device"],
            "properties": {
                "device": {"type": "string", "minLength": 1, "maxLength": 128},
                "topic": {"type": "string"},
                "contract": {"enum": ["gym", "racing", "profilometre", "generic"]},
                "time": {"type": ["string", "number", "null"]},
            },
            "additionalProperties": channel,
            "examples": [{"device": "car1", "topic": "cars/car1/telemetry", "time": 1767225600250, "speed": 12.5}],
        },
        "RuleActionConfirmation": {
            "type": "object",
            "description": "AWS IoT's question, with the header `x-amz-rules-engine-message-type`.",
            "required": ["arn", "confirmationToken", "enableUrl"],
            "properties": {
                "arn": {"type": "string"},
                "confirmationToken": {"type": "string", "minLength": 1, "maxLength": 4096},
                "enableUrl": {"type": "string", "format": "uri"},
                "messageType": {"type": "string"},
            },
        },
    }


def _kept() -> Document:
    texts = ("arn", "confirmation_token", "enable_url")
    properties = {**{name: {"type": "string"} for name in texts}, "received": {"type": "string", "format": "date-time"}}
    return {"type": "object", "required": list(properties), "properties": properties}


def _json(description: str, schema: Document) -> Document:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
