"""Whatever a contract's types take, its careful way takes too, and makes the same of it, to the byte."""

import time
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releve.protocol.contract import CONTRACTS
from releve.protocol.decode import Arrival, read_one
from releve.protocol.problem import Problem
from releve.protocol.reading import Quarantined
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
    expires_s=time.time() + 3600,
)
USUAL = {
    "gym": {
        "machine_id": 4,
        "timestamp": "2026-06-01T12:00:00",
        "acceleration_x": 0.1,
        "acceleration_y": -0.2,
        "acceleration_z": 9.81,
        "repetitions": 5,
        "series_time": 12.5,
        "rest_time": 3,
    },
    "profilometre": {"temperature": 21.5, "humidite": 40, "accelerometre": 0.12, "timestamp": "2026-06-01T12:00:00"},
    "generic": {"time": "2026-06-01T12:00:00Z", "channels": {"speed": 12.5, "laps": 3, "is_wet": True}},
}
numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**54), 2**54),
    st.sampled_from((0, -0.0, 5.0, 1e150, -1e150, 9.99e149, 2**53, -(2**53), 2**53 + 1, 2**64, 10**30)),
)
odd = st.one_of(numbers, st.none(), st.booleans(), st.text(max_size=8), st.just([1]), st.just({"a": 1}))
times = st.one_of(
    odd,
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.sampled_from(
        ("2026-06-01T12:00:00+02:00", "2026-10-25 02:30:00", "2026-06-01", "1970-01-01T00:00:00", "\0" * 20)
    ),
)
names = st.one_of(
    st.sampled_from(
        ("asymmetry", "id", "device", "time", "timestamp", "channels", "temperature", "speed", "", "x" * 129, "\0", "é")
    ),
    st.text(max_size=5),
)


@st.composite
def objects(draw, contract):
    """A usual reading of a contract, changed here and there."""
    fields = dict(USUAL[contract])
    if contract == "generic" and draw(st.booleans()):
        fields["channels"] = draw(st.dictionaries(names, st.one_of(numbers, numbers, odd), max_size=4))
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=3)):
        changed = times if name in {"time", "timestamp"} else st.one_of(numbers, odd)
        fields[name] = draw(changed)
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=2)):
        fields.pop(name, None)
    fields |= draw(st.dictionaries(names, odd, max_size=1))
    order = draw(st.permutations(sorted(fields)))
    return [(name, fields[name]) for name in order]


@st.composite
def payloads(draw, contract):
    """Its JSON, sometimes with a name twice, with blanks, or broken somewhere."""
    members = draw(objects(contract))
    if members and draw(st.integers(0, 4)) == 0:
        name, _ = draw(st.sampled_from(members))
        members.insert(draw(st.integers(0, len(members))), (name, draw(st.one_of(numbers, times, odd))))
    blank = draw(st.sampled_from((b"", b" ", b"\n\t")))
    spelt = [msgspec.json.encode(name) + blank + b":" + blank + msgspec.json.encode(value) for name, value in members]
    payload = b"{" + (b"," + blank).join(spelt) + b"}" + blank
    if draw(st.integers(0, 3)) == 0:
        start = draw(st.integers(0, len(payload)))
        end = draw(st.integers(start, min(len(payload), start + 3)))
        broken = draw(
            st.sampled_from((b"", b'"', b"NaN", b"\xff", b"\\u0000", b"\\ud800", b"}", b"1e999", b"-", b"0", b"["))
        )
        payload = payload[:start] + broken + payload[end:]
    return payload


def result(payload, contract):
    """All that becomes of a payload, down to the words of its refusal."""
    try:
        item = read_one(payload, contract=contract, sender=PI, arrival=ARRIVAL, key=None)
    except Problem as problem:
        return type(problem), problem.document()
    if isinstance(item, Quarantined):
        return item
    fields = {name: getattr(item, name) for name in getattr(item, "__struct_fields__", ()) if name != "layout"}
    layout = getattr(item, "layout", None)
    known = layout and (sorted(layout.names), sorted(layout.numbers), sorted(layout.texts))
    return type(item), fields, known


def both(payload, name):
    contract = CONTRACTS[name]
    careful = msgspec.structs.replace(contract, read_typed=lambda _: None)
    return result(payload, contract), result(payload, careful)


@pytest.mark.parametrize("contract", USUAL)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_both_ways_make_the_same_of_whatever_is_sent(contract, data):
    payload = data.draw(payloads(contract))
    typed, careful = both(payload, contract)

    assert typed == careful
    assert repr(typed) == repr(careful)  # 5 and 5.0 are equal, and are not the same


@pytest.mark.slow
@pytest.mark.parametrize("contract", USUAL)
@settings(max_examples=10_000, deadline=None)
@given(data=st.data())
def test_both_ways_make_the_same_of_very_many(contract, data):
    typed, careful = both(data.draw(payloads(contract)), contract)

    assert repr(typed) == repr(careful)


@pytest.mark.parametrize("contract", USUAL)
def test_the_usual_reading_of_a_contract_is_taken_by_its_types(contract):
    payload = msgspec.json.encode(USUAL[contract])
    result(payload, CONTRACTS[contract])  # the first of a generic device is read with care

    draft = CONTRACTS[contract].read_typed(payload)

    assert draft is not None
    assert both(payload, contract)[0] == both(payload, contract)[1]


@pytest.mark.parametrize("name", ["machine_id", "repetitions", "rest_time"])
def test_a_whole_number_with_a_point_goes_the_way_that_knows_what_it_means(name):
    payload = msgspec.json.encode(USUAL["gym"] | {name: 7.0})
    typed, careful = both(payload, "gym")

    assert repr(typed) == repr(careful)


@pytest.mark.parametrize(
    "path",
    sorted(path for contract in CONTRACTS for path in (CAPTURED / contract).glob("*.json")),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_every_captured_payload_is_the_same_both_ways(path):
    payload = path.read_bytes()
    for _ in range(2):
        typed, careful = both(payload, path.parent.name)

        assert repr(typed) == repr(careful)


def test_of_a_name_that_stands_twice_the_last_value_wins_both_ways():
    payload = b'{"channels": {"a": 1}, "time": 1, "time": "2026-06-01T12:00:00Z", "channels": {"b": 1, "b": 2.0}}'
    result(b'{"channels": {"b": 2.0}}', CONTRACTS["generic"])
    typed, careful = both(payload, "generic")

    assert repr(typed) == repr(careful)
    assert b'{"b":2.0}' in repr(typed).encode()
