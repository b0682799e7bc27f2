"""Programs that send a reading, filled with this server's address, the device's name and its secret."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string

from releve.control.fleet.models import Device
from releve.protocol import topic
from releve.protocol.contract import GENERIC, GYM, PROFILOMETRE, RACING

MQTT, MQTTS = "mqtt", "mqtts"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a device of a kind sends, and where to.

    Attributes:
        path: The route that takes it.
        channels: A plausible reading.
        is_stamped: Whether the contract wants a timestamp with it; elsewhere the server's own clock will do.
    """

    path: str
    channels: dict[str, Any]
    is_stamped: bool = False

    @property
    def body(self) -> str:
        """The channels as JSON, which is Python as well."""
        return json.dumps(self.channels)

    @property
    def members(self) -> str:
        """The same without its braces, to stand behind a timestamp."""
        return self.body[1:-1]


_PLAIN = Sample(path="/api/v1/readings", channels={"temperature": 21.5})
SAMPLES = {
    GENERIC.name: _PLAIN,
    RACING.name: Sample(path="/api/v1/readings", channels={"speed": 12.3, "distance": 140.0, "battery": 83}),
    PROFILOMETRE.name: Sample(
        path="/api/send/data/", channels={"temperature": 21.5, "humidite": 48.2, "accelerometre": 0.98}
    ),
    GYM.name: Sample(
        path="/data",
        channels={
            "machine_id": 1,
            "acceleration_x": 0.12,
            "acceleration_y": 9.81,
            "acceleration_z": 0.04,
            "repetitions": 1,
            "series_time": 4.5,
            "rest_time": 60.0,
        },
        is_stamped=True,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Where devices reach the MQTT endpoint."""

    scheme: str
    host: str
    port: int

    @property
    def is_encrypted(self) -> bool:
        """Whether it speaks TLS."""
        return self.scheme == MQTTS


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """One program; `key` names it in addresses of the page and never changes."""

    key: str
    title: str
    text: str


def broker(origin: str) -> Broker | None:
    """The MQTT port at the host that the browser sees; the one with TLS where there is one, None where none is open."""
    releve, host = settings.RELEVE, urlsplit(origin).hostname or ""
    if releve.mqtt_certificate:
        return Broker(scheme=MQTTS, host=host, port=releve.mqtt_tls_port)
    return None if releve.mqtt_port is None else Broker(scheme=MQTT, host=host, port=releve.mqtt_port)


def snippets(device: Device, *, secret: str, origin: str) -> list[Snippet]:
    """A program for each way to send.

    Neither the name nor a drawn secret has a character that any of the languages would take for its own.
    """
    sample = SAMPLES.get(device.contract, _PLAIN)
    reached = broker(origin)
    context = {
        "name": device.name,
        "secret": secret,
        "sample": sample,
        "url": origin + sample.path,
        "is_encrypted": origin.startswith("https:"),
        "topic": topic.readings(device.name),
        "broker": reached,
    }
    found = [Snippet(key=key, title=title, text=_filled(key, context)) for key, title in _TITLES]
    node_red = Snippet(key="node_red", title="Node-RED", text=_node_red(context))
    return [each for each in [*found[:5], node_red, *found[5:]] if each.key != "mosquitto" or reached]


_TITLES = [
    ("curl", "curl"),
    ("python", "Python"),
    ("micropython", "MicroPython"),
    ("arduino", "Arduino"),
    ("mosquitto", "mosquitto_pub"),
    ("home_assistant", "Home Assistant"),
]


def _filled(key: str, context: dict[str, Any]) -> str:
    return render_to_string(f"pages/snippet/{key}.txt", context).strip("\n")


def _node_red(context: dict[str, Any]) -> str:
    """A flow to import: every minute, a reading, a POST, the answer in the sidebar."""
    sample: Sample = context["sample"]
    stamp = "timestamp: new Date().toISOString(), " if sample.is_stamped else ""
    function = (
        f'msg.headers = {{"Authorization": "Bearer {context["secret"]}", "Content-Type": "application/json"}};\n'
        f"msg.payload = {{{stamp}{sample.members}}};\nreturn msg;"
    )
    inject = {"id": "releve-1", "type": "inject", "name": "every minute", "repeat": "60", "once": True, "props": []}
    reading = {"id": "releve-2", "type": "function", "name": "reading", "func": function, "outputs": 1}
    post = {"id": "releve-3", "type": "http request", "name": "Relevé", "method": "POST", "ret": "obj"}
    said = {"id": "releve-4", "type": "debug", "name": "answer", "active": True, "complete": "payload"}
    flow = [
        {**inject, "x": 120, "y": 80, "wires": [["releve-2"]]},
        {**reading, "x": 280, "y": 80, "wires": [["releve-3"]]},
        {**post, "url": context["url"], "x": 440, "y": 80, "wires": [["releve-4"]]},
        {**said, "tosidebar": True, "x": 600, "y": 80, "wires": []},
    ]
    return json.dumps(flow, indent=1, ensure_ascii=False)
