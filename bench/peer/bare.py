"""The limit: reads the body and answers a constant as long as Relevé's answer."""

from typing import Any

_BODY = (
    b'{"message":"Donn\xc3\xa9es re\xc3\xa7ues","device":"bench","outcome":"stored","duplicate":false,'
    b'"time":"2026-01-01T00:00:00.000000Z","clock":"naive"}'
)
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-length", b"%d" % len(_BODY)), (b"content-type", b"application/json")],
}
_END = {"type": "http.response.body", "body": _BODY}


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send(_START)
    await send(_END)
