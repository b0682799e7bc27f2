"""A will is taken only if its client would still be let in at that moment, whatever the feed has told."""

import asyncio

import pytest

from releve.ingest.mqtt.link import Link
from releve.ingest.mqtt.sign_in import Peer
from releve.protocol.mqtt.event import WillDue
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.packet import Will


class Around:
    """An endpoint that knows whether the client is still in."""

    limits = Limits()
    store = None

    def __init__(self, *, is_in):
        self.is_in = is_in
        self.forgotten = asyncio.Event()

    async def is_still_in(self, _):
        return self.is_in

    def forget(self, _):
        self.forgotten.set()


class Wire:
    def pause(self):
        """Nothing is read."""

    resume = close = abort = pause


@pytest.mark.parametrize("is_in", [True, False])
async def test_a_will_is_asked_again_before_it_is_taken(monkeypatch, is_in):
    around = Around(is_in=is_in)
    link = Link(around, Wire(), Peer("192.0.2.1"))
    taken = []
    monkeypatch.setattr(Link, "_take", lambda _, incoming: taken.append(incoming))

    link._handle(WillDue(Will("releve/pi/readings", b"{}")))
    assert taken == []
    async with asyncio.timeout(10):
        await around.forgotten.wait()

    assert [each.packet.topic for each in taken] == (["releve/pi/readings"] if is_in else [])
