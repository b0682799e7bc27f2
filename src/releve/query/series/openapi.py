"""What the API document says of charts."""

from typing import Any

from releve.http.openapi import SECURITY, problems
from releve.query.series.asked import (
    BUCKETS,
    FEWEST_POINTS,
    FORMATS,
    FUNCTIONS,
    MOST_CHANNELS,
    MOST_DEVICES,
    MOST_POINTS,
    POINTS,
)

Document = dict[str, Any]
_WHOLE: Document = {"type": "integer"}
_MAYBE_WHOLE: Document = {"type": ["integer", "null"]}
_TEXT: Document = {"type": "string"}
_POINTS = (
    "Most buckets; as few readings as that are answered as they are. Of a great many readings the buckets begin at"
    " multiples of a width that sums are kept of, such as an hour, the first of them before `from`, and are up to twice"
    " as wide as asked for; `width_us` says how wide."
)
_NUMBERS: Document = {"type": "array", "items": {"type": ["number", "null"]}}
_TIMES: Document = {"type": "array", "items": _WHOLE, "description": "Microseconds since 1970."}


def of_device(device: Document) -> Document:
    """`GET /api/v1/devices/{device}/series`."""
    summary = "Channels of a device as buckets for a chart, or as readings where they are few"
    found = _answer({"device": _MAYBE_WHOLE}, width="width_us")
    return _route("deviceSeries", summary, "readings", [device, *_time_parameters(), _part()], found)


def of_devices() -> Document:
    """`GET /api/v1/series`."""
    several = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": MOST_DEVICES}
    devices = {"name": "device", "in": "query", "required": True, "schema": several, "description": "Their numbers."}
    one = {"type": "object", "required": ["device", *_CHART], "properties": {"device": _WHOLE, **_chart()}}
    found = _object({
        "from": _MAYBE_WHOLE,
        "to": _MAYBE_WHOLE,
        "width_us": _MAYBE_WHOLE,
        "devices": {"type": "array", "items": one},
    })  # fmt: skip
    summary = "Channels of several devices over one grid"
    return _route("series", summary, "readings", [devices, *_time_parameters(), _part()], found)


def of_run() -> Document:
    """`GET /api/v1/runs/{id}/series`."""
    number = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
    run = {"name": "id", "in": "path", "required": True, "schema": number}
    by = _query("by", _TEXT, "A channel such as `distance` that takes the place of the time.")
    along = _answer({"run": _WHOLE, "started": _WHOLE, "device": _MAYBE_WHOLE, "by": _TEXT}, width="width")
    of_time = _answer({"run": _WHOLE, "started": _WHOLE, "device": _MAYBE_WHOLE}, width="width_us")
    summary = (
        "Channels of a run, along the time since its start or along another channel; what was left out is not in it"
    )
    return _route("runSeries", summary, "Runs", [run, *_time_parameters(), by], {"oneOf": [of_time, along]})


def _time_parameters() -> list[Document]:
    channels = {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": MOST_CHANNELS}
    functions = {"type": "array", "items": {"enum": list(FUNCTIONS)}}
    points = {"type": "integer", "minimum": FEWEST_POINTS, "maximum": MOST_POINTS, "default": POINTS}
    return [
        {"name": "channel", "in": "query", "required": True, "schema": channels, "description": "channel=a&channel=b"},
        _query("from", _TEXT, "First instant, included: ISO 8601 or an epoch number; the first reading without it."),
        _query("to", _TEXT, "Last instant, excluded; behind the last reading without it."),
        _query("points", points, _POINTS),
        _query("bucket", {"enum": list(BUCKETS)}, "A calendar's buckets, in place of `points`."),
        _query("zone", {**_TEXT, "default": "UTC"}, "Whose calendar, such as `Europe/Paris`."),
        {**_query("fn", functions, "What is computed of each bucket."), "explode": False},
        _query("format", {"enum": list(FORMATS)}, "Wins over `Accept`."),
        {"name": "If-None-Match", "in": "header", "schema": _TEXT, "description": "The `ETag` of the answer one has."},
    ]


def _part() -> Document:
    return _query("part", _TEXT, "Whose readings, such as `machine_id=4`; all of the device's without it.")


_CHART = ("raw", "series", "gaps")


def _chart() -> Document:
    arrays = dict.fromkeys((*FUNCTIONS[:-1], "at"), _NUMBERS)
    line = {
        "type": "object",
        "required": ["channel", "unit"],
        "properties": {
            "channel": _TEXT,
            "unit": _TEXT,
            "time": _TIMES,
            "elapsed_us": {**_TIMES, "description": "Of a run: microseconds since its start."},
            **arrays,
            "value": {"type": "array", "description": "The readings themselves, where `raw` is true."},
            "duration": {"type": "object", "additionalProperties": _NUMBERS, "description": "Seconds, by state."},
        },
    }
    gap = {"type": "array", "items": _WHOLE, "minItems": 2, "maxItems": 2}
    return {
        "raw": {"type": "boolean"},
        "series": {"type": "array", "items": line},
        "gaps": {"type": "array", "items": gap, "description": "The hundred longest, by the device's own rhythm."},
    }


def _answer(whose: Document, *, width: str) -> Document:
    number = {"type": ["number", "null"]} if width == "width" else _MAYBE_WHOLE
    return _object({**whose, "from": _MAYBE_WHOLE, "to": _MAYBE_WHOLE, width: number, **_chart()})


def _object(properties: Document) -> Document:
    optional = {"bucket": {"enum": list(BUCKETS)}, "zone": _TEXT}
    return {"type": "object", "required": list(properties), "properties": {**properties, **optional}}


def _route(operation: str, summary: str, tag: str, parameters: list[Document], schema: Document) -> Document:
    content = {"application/json": {"schema": schema}, "text/csv": {"schema": _TEXT}}
    tagged = {"ETag": {"schema": _TEXT, "description": "Changes with the answer."}}
    return {
        "operationId": operation,
        "summary": summary,
        "tags": [tag],
        "security": SECURITY,
        "parameters": parameters,
        "responses": {
            "200": {"description": "Found.", "headers": tagged, "content": content},
            "304": {"description": "The answer that `If-None-Match` names is still true."},
            **problems(400, 401, 403, 404, 405, 503),
        },
    }


def _query(name: str, schema: Document, description: str) -> Document:
    return {"name": name, "in": "query", "schema": schema, "description": description}
