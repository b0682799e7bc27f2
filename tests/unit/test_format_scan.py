"""Frames that are no valid JSON are cut so that a broken element never harms its neighbours (promise P3)."""

import json
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releve.protocol.format import JSON, NDJSON, split
from releve.protocol.format import json as json_format
from releve.protocol.format.scan import elements
from releve.protocol.problem import BadJSON, TooLarge

nasty = st.text(alphabet=st.sampled_from('a,:{}[]"\\ \té'), max_size=12)
values = st.one_of(
    nasty, st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
)
names = st.text("abcé _-1", min_size=1, max_size=4)
readings = st.dictionaries(names, values | st.dictionaries(nasty, values, max_size=2), min_size=1, max_size=4)


def written(reading):
    return json.dumps(reading, ensure_ascii=False).encode()


plain = st.dictionaries(
    st.text("abcé", min_size=1, max_size=3), st.text("xyz ,:", max_size=4) | st.integers(-9, 9), min_size=1
)


@st.composite
def broken(draw):
    """An object with one thing wrong with it, as senders really get it wrong."""
    sound = written(draw(plain))
    at = draw(st.integers(0, len(sound) - 1))
    return draw(
        st.sampled_from(
            [
                sound[:at] + sound[at + 1 :],
                sound[:at] + draw(st.sampled_from([b'"', b"\\", b"{", b"}", b"[", b"]", b"\t", b"\xff"])) + sound[at:],
                sound[: at + 1] if at else b"{",
                sound[:-1] + b",}",
                sound[:-1] + b', "n": NaN}',
                sound[:-1] + b', "n": -Infinity}',
                sound[:-1] + b', "n": "a\tb"}',
                sound[:-1] + b', "n": "a\\x41"}',
                sound[:-1] + b', "n": "5" pipe"}',
                sound[:-1] + b', "n": [1, 2}',
                sound[:-1] + b', "n": "open}',
                b"NaN",
            ]
        )
    )


@given(
    before=st.lists(readings, max_size=3),
    bad=broken(),
    after=st.lists(readings, max_size=3),
    blank=st.sampled_from([b"", b" ", b"\r\n  "]),
)
def test_the_neighbours_of_a_broken_element_come_out_to_the_byte(before, bad, after, blank):
    front, back = [written(reading) for reading in before], [written(reading) for reading in after]

    found = list(elements(b"[" + (b"," + blank).join([*front, bad, *back]) + b"]"))

    assert found[: len(front)] == front
    assert found[len(found) - len(back) :] == back


@given(st.lists(readings | st.integers() | st.lists(readings, max_size=3), min_size=1, max_size=5))
def test_a_sound_array_is_cut_as_the_decoder_cuts_it(items):
    frame = json.dumps(items, ensure_ascii=False).encode()

    assert list(elements(frame)) == [json.dumps(item, ensure_ascii=False).encode() for item in items]


@given(st.lists(st.tuples(readings, broken()), min_size=1, max_size=4))
def test_every_second_element_may_be_broken(pairs):
    frame = b"[" + b",".join(written(sound) + b"," + bad for sound, bad in pairs) + b"]"

    found = list(elements(frame))

    assert all(written(sound) in found for sound, _ in pairs)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (b'[{"a": 1}, {"a": NaN}, {"a": 3}]', [b'{"a": 1}', b'{"a": NaN}', b'{"a": 3}']),
        (b'[{"a": "x\ty"}, {"a": 2}]', [b'{"a": "x\ty"}', b'{"a": 2}']),
        (b'[{"a": "\\x41"}, {"a": 2}]', [b'{"a": "\\x41"}', b'{"a": 2}']),
        (b'[{"a": 1}, {"a": 2},]', [b'{"a": 1}', b'{"a": 2}']),
        (b'[{"a": 1,}, {"a": 2}]', [b'{"a": 1,}', b'{"a": 2}']),
        (b'[{"a": 1, {"a": 2}, {"a": 3}]', [b'{"a": 1', b'{"a": 2}', b'{"a": 3}']),
        (b'[{"a": 1}, {"a": 2', [b'{"a": 1}', b'{"a": 2']),
        (b'[{"a": 1} {"a": 2}]', [b'{"a": 1}', b'{"a": 2}']),
        (b'[{"a": "\xff"}, {"a": NaN}]', [b'{"a": "\xff"}', b'{"a": NaN}']),
        (b'[{"a": %s}, {"a": 2}]' % (b"[" * 20_000), [b'{"a": %s}' % (b"[" * 20_000), b'{"a": 2}']),
    ],
)
def test_a_frame_is_cut_where_its_elements_end(frame, expected):
    assert split(frame, JSON, limit=9).payloads == expected


def test_a_byte_order_mark_belongs_to_no_reading():
    for frame, form in ((b'\xef\xbb\xbf{"a": 1}\n{"a": 2}', NDJSON), (b'\xef\xbb\xbf[{"a": 1},{"a": 2}]', JSON)):
        assert split(frame, form, limit=9).payloads == [b'{"a": 1}', b'{"a": 2}']


def test_a_broken_frame_has_the_same_limit_and_one_without_any_reading_is_no_json():
    with pytest.raises(TooLarge):
        split(b"[" + b'{"a": NaN},' * 10, JSON, limit=9)
    with pytest.raises(BadJSON):
        split(b"[1, NaN]", JSON, limit=9)


@pytest.mark.parametrize(
    "piece",
    [
        b"{",
        b"[",
        b'"',
        b"]",
        b"}",
        b",",
        b'{"a":[1,',
        b',{"\\"',
        b',{}"x',
        b'"x,{"z',
        b'\\"',
        b',{"a',
        b" ,{ ",
        b"{}",
        b'{"a":"',
        b',{"a":["b",',
    ],
)
def test_whatever_was_sent_is_cut_in_a_moment(piece):
    frame = b'[{"a": NaN},' + piece * (200_000 // len(piece))
    began_s = time.process_time()

    list(elements(frame))

    assert time.process_time() - began_s < 3.0


@pytest.mark.parametrize("element", [b"1", b"{}", b'""', b"[]", b'{"a":1,"b":2}', b"\t1"])
@pytest.mark.parametrize("form", [JSON, NDJSON], ids=["json", "ndjson"])
def test_items_are_counted_while_they_are_cut(element, form):
    many = 4_000_000 // (len(element) + 1)
    payload = b"[" + b",".join([element] * many) + b"]" if form is JSON else b"\n".join([element] * many)
    tracemalloc.start()
    with pytest.raises(TooLarge):
        split(payload, form, limit=1_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 2 * len(payload)  # the payload without its mark may be a copy


@pytest.mark.parametrize("count", [1, 9, 10])
def test_as_many_items_as_are_allowed_are_cut_however_many_commas_they_hold(count):
    payload = b"[" + b",".join([b'{"a":[1,2,3],"b":2}'] * count) + b"]"

    assert len(split(payload, limit=10).payloads) == count


@pytest.mark.parametrize("element", [b"1", b"{}", b'{"a":1,"b":2}', b'{"a":{"b":1},"c":1}', b'[1,{"a":2}]', b'"a,b"'])
def test_too_many_elements_are_refused_and_just_enough_are_not_whatever_they_hold(element, monkeypatch):
    monkeypatch.setattr(json_format, "BEGINNING", 300)
    for count in (100, 101, 5_000):
        payload = b"[" + b",".join([element] * count) + b"]"
        if count == 100:
            assert len(json_format.cut(payload, 100).payloads) == 100
        else:
            with pytest.raises(TooLarge):
                json_format.cut(payload, 100)
