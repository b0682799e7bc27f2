"""Bytes to readings: every contract's captured payloads, and what each refuses."""

from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from releve.protocol.clock import Rule
from releve.protocol.contract import CONTRACTS
from releve.protocol.decode import Arrival, decode
from releve.protocol.format import JSON, NDJSON, split
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import BadJSON, BadReading, TooLarge
from releve.protocol.reading import Quarantined, Reading
from releve.protocol.sender import Sender

CAPTURED = Path(__file__).parent.parent / "captured"
ARRIVAL = Arrival(received_us=1_780_315_200_000_000, transport="http")
PI = Sender(
    principal="device:7",
    sign_in="0" * 32,
    name="raspberry1",
    device_id=7,
    team_id=1,
    contract="gym",
    zone=ZoneInfo("Europe/Paris"),
    roles={},
    is_device=True,
    expires_s=2_000_000_000,
)


def read(payload: bytes, contract="generic", *, is_lines=False, arrival=ARRIVAL):
    shape = split(payload, NDJSON if is_lines else JSON, limit=10_000)
    return decode(shape, contract=CONTRACTS[contract], sender=PI, arrival=arrival)


@pytest.mark.parametrize("path", sorted(CAPTURED.glob("*/*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_captured_payload_becomes_a_reading_of_its_sender(path):
    [item] = read(path.read_bytes(), path.parent.name)

    assert isinstance(item, Reading)
    assert item.device_id == PI.device_id
    assert msgspec.json.decode(item.channels)


def test_a_gym_reading_is_in_utc_whatever_the_devices_zone():
    [item] = read((CAPTURED / "gym" / "published_client.json").read_bytes(), "gym")

    assert item.instant.rule is Rule.NAIVE
    assert item.instant.time_us == 1_780_315_198_500_000
    assert item.machine == "1"
    assert item.sent == "2026-06-01T11:59:58.500000"


def test_a_profilometres_naive_time_is_in_the_devices_zone():
    [item] = read((CAPTURED / "profilometre" / "raspberry.json").read_bytes(), "profilometre")

    assert item.instant.time_us == 1_780_315_198_000_000


def test_an_esp32s_uptime_waits_for_its_anchor():
    [item] = read((CAPTURED / "profilometre" / "esp32.json").read_bytes(), "profilometre")

    assert item.instant.rule is Rule.UPTIME
    assert item.needs_receipt


def test_channels_stand_flat_or_in_their_own_object():
    flat, nested = read(b'[{"time": 1780315198, "speed": 1}, {"time": 1780315198, "channels": {"speed": 1}}]')

    assert (flat.channels, flat.id, flat.instant) == (nested.channels, nested.id, nested.instant)


def test_only_a_reading_from_an_export_says_what_it_was_sent_with():
    exported = b'{"time": 1780315198, "id": "releve:id:5", "sent": "2026-06-01T14:00:00", "channels": {"speed": 1}}'
    (found,) = read(exported)
    (flat,) = read(b'{"time": 1780315198, "sent": "early", "speed": 1}')

    assert (found.id, found.sent, found.channels) == (5, "2026-06-01T14:00:00", b'{"speed":1}')
    assert (flat.sent, flat.channels) == (None, b'{"sent":"early","speed":1}')


def test_the_order_of_members_does_not_change_the_identity_and_the_content_does():
    first, swapped, other = read(
        b'[{"time": 1780315198, "a": 1, "b": 2}, {"b": 2, "a": 1, "time": 1780315198},'
        b' {"time": 1780315198, "a": 2, "b": 2}]'
    )

    assert first.id == swapped.id != other.id


def test_a_key_and_the_content_are_the_identity_and_each_item_of_a_keyed_batch_has_its_own():
    keyed = Arrival(received_us=ARRIVAL.received_us, transport="http", key="abc")

    first, second = read(b'[{"a": 1}, {"a": 1}]', arrival=keyed)
    [alone] = read(b'{"a": 1}', arrival=keyed)
    [again] = read(b'{"a": 2}', arrival=keyed)
    [twin] = read(b'{"a": 1}', arrival=keyed)

    assert len({first.id, second.id, alone.id}) == 3
    assert alone.id == twin.id != again.id
    assert alone.key == again.key


def test_what_was_not_measured_is_left_out():
    [item] = read(b'{"time": 1780315198, "speed": null, "battery": 3}')

    assert item.channels == b'{"battery":3}'


def test_a_wrong_clock_is_kept_aside_with_its_own_bytes():
    first, second = read(b'[{"time": 5000000000, "speed": 1},  {"time": "1999-12-31T23:59:59Z", "speed": 2} ]')

    assert isinstance(first, Quarantined)
    assert second.payload == b'{"time": "1999-12-31T23:59:59Z", "speed": 2}'
    assert (second.contract, second.transport, second.field) == ("generic", "http", "time")


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (b'{"channels": []}', "channels"),
        (b'{"channels": {"a": 1}, "b": 2}', "b"),
        (b'{"channels": {"a": 1}, "sent": "2026-06-01T14:00:00"}', "sent"),
        (b'{"id": "releve:id:5", "channels": {"a": 1}, "sent": 7}', "sent"),
        (b'{"time": 1, "timestamp": 2, "a": 1}', "time"),
        (b'{"id": 1.5, "a": 1}', "id"),
        (b'{"id": true, "a": 1}', "id"),
        (b'{"device": "raspberry2", "a": 1}', "device"),
        (b'{"": 1}', ""),
        (b'{"a": {"b": 1}}', "a"),
    ],
)
def test_a_wrong_field_is_named(payload, field):
    with pytest.raises(BadReading) as refusal:
        read(payload)

    assert refusal.value.field == field


def test_in_a_batch_a_refusal_stands_in_its_place():
    items = read(b'[{"a": 1}, 5, {"a": []}, {"a": 2}]')

    assert [isinstance(item, Receipt) for item in items] == [False, True, True, False]
    assert {item.outcome for item in items[1:3]} == {Outcome.REFUSED}


def test_a_payload_is_one_reading_an_array_or_lines():
    assert not split(b' {"a": 1}', limit=9).is_batch
    assert len(split(b' [{"a": 1}, {"a": 2}]', limit=9).payloads) == 2
    assert len(split(b'{"a": 1}\r\n\n{"a": 2}', NDJSON, limit=9).payloads) == 2


def test_too_many_readings_none_and_broken_ones_are_refused():
    with pytest.raises(TooLarge):
        split(b"[1,2,3]", limit=2)
    with pytest.raises(BadReading):
        split(b"[]", limit=2)
    with pytest.raises(BadJSON):
        split(b"[1,", limit=2)
    with pytest.raises(BadJSON):
        split(b"[" * 20_000, limit=2)
