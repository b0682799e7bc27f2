"""Readings for the tests of history: strategies for hypothesis, and devices as they really send."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import strategies as st

from releve.history.block import Row
from releve.protocol.identity import canonical, key_hash, of_content

START_US = 1_780_315_200_000_000  # 2026-06-01T12:00:00Z
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_US = 1_000_000

integers = st.integers(-(2**53), 2**53)
reals = st.floats(-1e150, 1e150, allow_nan=False, exclude_min=True, exclude_max=True)
decimals = st.builds(lambda whole, digits: whole / 10**digits, st.integers(-99_999, 99_999), st.integers(0, 4))
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
nested = st.recursive(st.none() | integers | texts, lambda inner: st.lists(inner, max_size=3), max_leaves=4)
scalars = st.one_of(integers, reals, decimals, st.sampled_from([0.0, -0.0, 1.0, 12, 12.0, 1e16, 1e-5, 5e-324]), texts)
values = st.one_of(scalars, st.booleans())
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8)


def naive(time_us, offset_us=0):
    moment = EPOCH + timedelta(microseconds=time_us + offset_us)
    return moment.replace(tzinfo=None)


@st.composite
def sent_texts(draw, time_us):
    """A timestamp as one of the clients sends it, or none."""
    moment = naive(time_us, draw(st.sampled_from([0, 0, 7_200 * SECOND_US, 3_600 * SECOND_US])))
    return draw(
        st.sampled_from(
            [
                *(None, moment.isoformat(), moment.isoformat(timespec="milliseconds")),
                *(moment.isoformat(timespec="microseconds"), str(moment)),
                *(str((time_us - START_US) // 1000), "12.5", "-7", "007", "2026-06-01T12:00", "yesterday, a"),
            ]
        )
    )


@st.composite
def identities(draw, channels, sent):
    """The identity that one of the rules gives, or any."""
    uptime = int(float(sent)) if sent and sent.removeprefix("-").replace(".", "").isdigit() else 5
    return draw(
        st.sampled_from(
            [
                *(of_content(channels), of_content(channels), of_content(channels, sent=sent)),
                *(of_content(channels, count=number, sent=sent) for number in (uptime, uptime * 1000)),
                *(key_hash("1"), -(2**63), 2**63 - 1),
            ]
        )
    )  # fmt: skip


@st.composite
def odd_texts(draw):
    """JSON that is not canonical, as rows of an earlier release hold it, and some that is no object at all."""
    channels = draw(st.dictionaries(names, st.one_of(values, nested), max_size=3))
    return draw(
        st.sampled_from(
            [
                json.dumps(channels, ensure_ascii=False).encode(),
                json.dumps(channels).encode(),
                json.dumps(channels, indent=1).encode(),
                *(b'{"a":1,"a":2}', b'{"b":1,"a":1}', b'{"a":12e0}', b'{"a":-0}', b'{"a":100000000000000000000000}'),
                *(b"[1]", b"null", b"{}", b'{"a":1}{"b":2}', b'{"a":', b""),
            ]
        )
    )


any_channels = st.dictionaries(names, st.one_of(values, nested), max_size=6).map(canonical)


@st.composite
def rows(draw, *, most=30, channels=any_channels):
    """Readings of one device in the order of time and id."""
    times = draw(st.lists(st.integers(START_US, START_US + 50), min_size=1, max_size=most))
    found = {}
    for time_us in times:
        text = draw(channels)
        sent = draw(sent_texts(time_us))
        received_us = time_us + draw(st.integers(-10, 10**9))
        row = Row(time_us, draw(identities(text, sent)), received_us, text, sent)
        found[row.time_us, row.id] = row
    return sorted(found.values(), key=lambda row: row[:2])


def device(n, make, *, step_us=100_000, start_us=START_US, sent=lambda time_us: None):
    """Readings of a device whose channels `make` answers for the number of each."""
    found = []
    for number in range(n):
        time_us, channels = start_us + number * step_us, canonical(make(number))
        found.append(Row(time_us, of_content(channels), time_us + 40_000, channels, sent(time_us)))
    return found


def gym(n, seed=7):
    """A gym machine of 10 Hz as the published client sends it."""
    rng = np.random.default_rng(seed)
    noise = np.round(rng.normal(0, 0.2, (n, 3)), 2).tolist()

    def make(number):
        x, y, z = noise[number]
        return {
            "machine_id": 4,
            "acceleration_x": x,
            "acceleration_y": y,
            "acceleration_z": round(z - 9.81, 2),
            "repetitions": number // 30 % 12,
            "series_time": number % 900 / 10,
            "rest_time": 60.0,
        }

    return device(n, make, sent=lambda time_us: naive(time_us).isoformat())
