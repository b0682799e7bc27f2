"""Finds the running server of a data directory, for commands that talk to it over HTTP or MQTT."""

from typing import Any
from urllib.parse import urlsplit

from releve.cli.option import Refusal
from releve.serve import instance
from releve.settings import Settings

HTTP = {"http": "ws", "https": "wss"}
MQTT = ("mqtt", "mqtts", "ws", "wss")


def address(settings: Settings, wished: str | None) -> str:
    """The wished address, else the running server's.

    Raises:
        Refusal: No server runs on the data directory.
    """
    if wished:
        return wished.rstrip("/")
    return str(_running(settings)["urls"][0]).rstrip("/")


def mqtt_address(settings: Settings, wished: str | None) -> str:
    """The wished address, else the running server's plain MQTT port, else MQTT over WebSocket on its HTTP port.

    Raises:
        Refusal: The address is none of MQTT, or no server runs on the data directory.
    """
    if wished:
        return _over_mqtt(wished.rstrip("/"))
    document = _running(settings)
    plain = [url for url in document["mqtt_urls"] if url.startswith("mqtt://")]
    return plain[0] if plain else _over_mqtt(str(document["urls"][0]).rstrip("/"))


def _over_mqtt(url: str) -> str:
    """An address that speaks MQTT: of an HTTP address, its WebSocket.

    >>> _over_mqtt("http://127.0.0.1:8000"), _over_mqtt("mqtts://example.com")
    ('ws://127.0.0.1:8000/mqtt', 'mqtts://example.com')

    Raises:
        Refusal: It is neither.
    """
    scheme, _, rest = url.partition("://")
    if scheme in HTTP:
        return f"{HTTP[scheme]}://{rest}/mqtt"
    if scheme not in MQTT or not urlsplit(url).hostname:
        raise Refusal(f"{url!r} is no address of MQTT, such as mqtt://127.0.0.1:1883")
    return url


def _running(settings: Settings) -> dict[str, Any]:
    """What the running server says of itself.

    Raises:
        Refusal: No server runs on the data directory.
    """
    try:
        document = instance.running(settings.data_dir)
    except PermissionError as error:
        raise Refusal(f"{settings.data_dir} belongs to another user; run this as that user") from error
    if document is not None and not document["urls"]:
        raise Refusal(f"{settings.data_dir} runs one process alone; name the address of ingest with --url")
    if document is None:
        raise Refusal(
            f"no server is ready on {settings.data_dir}; start one with `releve up`, or name its address with --url"
        )
    return document
