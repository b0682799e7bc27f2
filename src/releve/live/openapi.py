"""What the API document says of the live stream."""

from typing import Any

from releve.http.openapi import problems
from releve.live.wish import IN_QUERY, LAST_EVENT_ID, MOST, SHARE
from releve.protocol.reading import NAME_LIMIT

Document = dict[str, Any]
_WHAT = (
    "Server-sent events. Each has an `id`, and as `data` the same document that MQTT has on live topics:"
    ' `{"device": "raspberry1", "device_id": 7, "time": "…Z", "channels": {…}}`. It opens with the last value of each'
    " device. Come back with the id of the last event in the header `Last-Event-ID`, and what was committed meanwhile"
    " comes first; around the break an event may come twice, with the same device, time and channels."
    " An event `gap` says that something was left out: `left_out` events for a viewer who reads too slowly, or all"
    " between `from` and `to` for one who was away for more than an hour or missed more than 10,000. An event `end`"
    " says why no more will come."
)


def document() -> Document:
    """The fragment of OpenAPI 3.1."""
    return {
        "paths": {"/api/v1/live": {"get": _live()}},
        "tags": [{"name": "live", "description": "What was just committed."}],
    }


def _live() -> Document:
    number = {"type": "integer", "minimum": 1}
    channel = {"type": "string", "minLength": 1, "maxLength": NAME_LIMIT}
    return {
        "operationId": "live",
        "summary": "Readings as they are committed",
        "description": _WHAT,
        "tags": ["live"],
        "security": [{"bearer": []}],
        "parameters": [
            _several(
                "device", number, "Devices, by their numbers. Without any, and no asset or run: all of your teams'."
            ),
            _several("asset", number, "What devices are mounted on: of a machine, what its devices say of it."),
            _several("run", number, "Runs: readings that are of one, as they come in."),
            _several("channel", channel, "Channels that are shown; readings with none of them are left out."),
            {
                "name": SHARE,
                "in": "query",
                "schema": number,
                "description": "A shared link's number, in a browser that has opened it: it shows its own thing only.",
            },
            {
                "name": LAST_EVENT_ID,
                "in": "header",
                "schema": {"type": "string"},
                "description": "The id of the last event that was seen.",
            },
            {
                "name": IN_QUERY,
                "in": "query",
                "schema": {"type": "string"},
                "description": "The same, where no header can be sent.",
            },
        ],
        "responses": {
            "200": {"description": "Events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
            **problems(400, 401, 403, 404, 405, 429, 503),
        },
    }


def _several(name: str, each: Document, description: str) -> Document:
    schema = {"type": "array", "items": each, "maxItems": MOST[name]}
    return {"name": name, "in": "query", "schema": schema, "explode": True, "description": description}
