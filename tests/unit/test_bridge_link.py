"""A link to a broker: what the socket holds is handed over together, in its order, as much as may be under way."""

import asyncio
from types import SimpleNamespace

import pytest
from paho.mqtt.enums import MQTTErrorCode

from releve.ingest.bridge.config import Broker, Topic
from releve.ingest.bridge.link import Link


class Socket:
    """paho's client with messages in its socket: each loop takes one of them."""

    def __init__(self, link, payloads):
        self._link = link
        self.payloads = list(payloads)

    def loop_read(self):
        if self.payloads:
            payload = self.payloads.pop(0)
            arrived = SimpleNamespace(topic="cars/car1", payload=payload, qos=1, mid=len(payload), dup=False)
            self._link._on_message(None, None, arrived)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def loop(self, _timeout_s):
        return self.loop_read()


@pytest.fixture
async def link():
    broker = Broker(name="b", url="mqtt://127.0.0.1", team="Home", topic=[Topic(template="cars/{device}")], window=5)
    return Link(broker, password=None, tls=None)


def payloads(count):
    return [b"%d" % number for number in range(count)]


async def test_what_arrived_together_is_handed_over_together_in_its_order(link, monkeypatch):
    link._client = Socket(link, payloads(4))
    handed = []
    monkeypatch.setattr(link._loop, "call_soon_threadsafe", lambda _, burst: handed.append(burst))

    assert link._read_burst() == MQTTErrorCode.MQTT_ERR_SUCCESS

    assert [[message.payload for message in burst] for burst in handed] == [payloads(4)]


async def test_no_more_is_read_than_may_be_under_way(link):
    link._client = Socket(link, payloads(20))

    link._read_burst()
    await asyncio.sleep(0)

    assert [message.payload for message in link._inbox] == payloads(6)  # one above the window says that it is full
    assert not link._has_room()


async def test_nothing_is_handed_over_when_nothing_came(link, monkeypatch):
    link._client = Socket(link, [])
    monkeypatch.setattr(link._loop, "call_soon_threadsafe", lambda *_: pytest.fail("handed over"))

    assert link._read_burst() == MQTTErrorCode.MQTT_ERR_SUCCESS
