"""What an idle link keeps: nothing that grows, and no dictionary of its own for each of its parts."""

import sys
from collections import deque

import pytest

from releve.ingest.mqtt.admission import Admission
from releve.ingest.mqtt.intake import Age, Intake
from releve.ingest.mqtt.link import Link
from releve.ingest.mqtt.outbox import Outbox
from releve.ingest.mqtt.transport import TcpWire
from releve.protocol.mqtt.encode import puback
from releve.protocol.mqtt.inflow import Inflow
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.outflow import Outflow
from releve.protocol.mqtt.packet import Connect, Publish
from releve.protocol.mqtt.state import SessionState


@pytest.mark.parametrize("part", [Link, Intake, Age, Outbox, Admission, TcpWire, Inflow, Outflow])
def test_a_part_of_a_link_has_no_dictionary_of_its_own(part):
    assert "__dict__" not in dir(part)


def inflow(version=Version.V3_1_1):
    output, events = [], []
    connect = Connect("pi", version=version)
    return Inflow(connect, SessionState("pi"), Limits(), output=output, events=events), output, events


def test_a_burst_is_answered_in_one_go_in_the_order_it_came():
    flow, output, events = inflow()
    for number in range(1, 6):
        flow.take(Publish("a", b"{}", qos=1, packet_id=number))

    flow.committed(events[3:])
    assert output == []  # nothing overtakes [MQTT-4.6.0-2]

    flow.committed(events[:3])

    assert output == [puback(number) for number in range(1, 6)]
    assert len(flow) == 0


def test_an_idle_connection_holds_no_place_for_publishes_that_are_not_there():
    flow, _, events = inflow()
    for number in range(1, 600):
        flow.take(Publish("a", b"{}", qos=1, packet_id=number))
    flow.committed(events)
    outflow = Outflow(Connect("pi", version=Version.V5), SessionState("pi"), Limits(), output=[], events=[])

    kept = (flow._in_flight, outflow._unsent)

    assert sum(map(sys.getsizeof, kept)) < sys.getsizeof(deque())
