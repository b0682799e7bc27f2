"""What the API document says of what people send to a device, and of a car's last values."""

from typing import Any

from releve.http.openapi import SECURITY, problems
from releve.protocol import command
from releve.query.latest import MOST_DEVICES
from releve.query.series.asked import MOST_CHANNELS

Document = dict[str, Any]
_OBJECT: Document = {"type": "object"}
_INSTANT: Document = {"type": "string", "format": "date-time"}
_MAYBE: Document = {"type": ["string", "null"], "format": "date-time"}
_COMMAND: Document = {
    "type": "object",
    "required": ["id", "command", "topic", "text", "state", "created", "expires"],
    "properties": {
        "id": {"type": "integer"},
        "command": {"description": "Any JSON; null where plain text was sent."},
        "topic": {"type": ["string", "null"], "description": "Where a car hears plain text."},
        "text": {"type": ["string", "null"]},
        "state": {"enum": ["waiting", "delivered", "answered", "expired"]},
        "answer": {"description": "What the device answered; null before it did."},
        "created": _INSTANT,
        "created_by": {"type": "string"},
        "expires": _INSTANT,
        "delivered": _MAYBE,
        "answered": _MAYBE,
    },
}
_CONFIG: Document = {
    "type": "object",
    "required": ["config", "changed"],
    "properties": {"config": _OBJECT, "changed": _INSTANT, "changed_by": {"type": "string"}},
}


def latest() -> Document:
    """`GET /api/v1/latest`."""
    text: Document = {"type": "string"}
    devices = {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": MOST_DEVICES}
    channels = {"type": "array", "items": text, "minItems": 1, "maxItems": MOST_CHANNELS}
    number = {"type": ["number", "null"]}
    channel = {
        "type": "object",
        "required": ["unit", "last", "low", "high"],
        "properties": {"unit": text, "last": number, "low": number, "high": number},
    }
    device = {
        "type": "object",
        "required": ["device", "channels"],
        "properties": {
            "device": {"type": "integer"},
            "channels": {"type": "object", "additionalProperties": channel, "description": "Those with a number."},
        },
    }
    found = {
        "type": "object",
        "required": ["from", "devices"],
        "properties": {
            "from": {"type": "integer", "description": "Since when low and high are told; microseconds since 1970."},
            "devices": {"type": "array", "items": device},
        },
    }
    asked = [
        ("channel", channels, "channel=a&channel=b"),
        ("device", devices, f"Their numbers; all of your teams without it, where these are at most {MOST_DEVICES:,}."),
        ("from", text, "Since when low and high are told; today's midnight without it."),
        ("zone", {**text, "default": "UTC"}, "Whose midnight, such as `Europe/Paris`."),
    ]
    return {
        "operationId": "latest",
        "summary": "The latest number of channels of many devices, and the least and the greatest of the day",
        "tags": ["readings"],
        "security": SECURITY,
        "parameters": [
            {"name": name, "in": "query", "required": name == "channel", "schema": schema, "description": description}
            for name, schema, description in asked
        ],
        "responses": {
            "200": {"description": "Found.", "content": {"application/json": {"schema": found}}},
            **problems(400, 401, 403, 404, 405, 503),
        },
    }


def commands(device: Document) -> Document:
    """`/api/v1/devices/{device}/commands`."""
    before = {"name": "before", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}}
    page = {
        "type": "object",
        "properties": {"data": {"type": "array", "items": _COMMAND}, "next": {"type": ["integer", "null"]}},
    }
    expires_s = {
        "type": "integer",
        "minimum": 1,
        "maximum": command.LONGEST_EXPIRES_S,
        "default": command.DEFAULT_EXPIRES_S,
    }
    as_json = {"command": {"type": ["object", "array", "string", "number", "boolean"]}}
    plain = {
        "topic": {"type": "string", "pattern": "^(esp32bis|esp32)/[A-Za-z0-9_./-]{1,64}$"},
        "text": {"type": "string", "maxLength": command.LONGEST_TEXT},
    }
    wanted = {
        "oneOf": [
            {
                "type": "object",
                "required": list(fields),
                "additionalProperties": False,
                "properties": {**fields, "expires_s": expires_s},
            }
            for fields in (as_json, plain)
        ]
    }
    return {
        "get": _route("listCommands", "A device's commands and their answers", [device, before], "200", page),
        "post": _sent("sendCommand", "Send a command, now or when the device is back", device, wanted, "202", _COMMAND),
    }


def config(device: Document) -> Document:
    """`/api/v1/devices/{device}/config`."""
    return {
        "get": _route("deviceConfig", "The configuration that the device finds retained", [device], "200", _CONFIG),
        "put": _sent("changeDeviceConfig", "Replace the device's configuration", device, _OBJECT, "200", _CONFIG),
    }


def broker_data() -> Document:
    """`/get_broker_data`."""
    schema = {
        "type": "object",
        "required": ["data"],
        "properties": {"data": {"type": "object", "additionalProperties": {"type": "string"}}},
    }
    route = _route("brokerData", "Contract B: the last text of every topic of your cars", [], "200", schema)
    message = {"type": "object", "properties": {"message": {"type": "string"}}}
    route["responses"]["504"] = {
        "description": "Nothing was heard within the wait.",
        "content": {"application/json": {"schema": message}},
    }
    return route


def _sent(operation: str, summary: str, device: Document, body: Document, status: str, answer: Document) -> Document:
    route = _route(operation, summary, [device], status, answer)
    route["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    route["responses"] |= problems(408, 413, 415, 422, 429)
    return route


def _route(operation: str, summary: str, parameters: list[Document], status: str, schema: Document) -> Document:
    return {
        "operationId": operation,
        "summary": summary,
        "tags": ["devices"],
        "security": SECURITY,
        "parameters": parameters,
        "responses": {
            status: {"description": "Done.", "content": {"application/json": {"schema": schema}}},
            **problems(400, 401, 403, 404, 405, 503),
        },
    }
