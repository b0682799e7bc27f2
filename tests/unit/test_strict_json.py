"""JSON by one set of strict rules."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releve.protocol.problem import BadJSON
from releve.protocol.strict_json import DEPTH_LIMIT, INTEGER_LIMIT, decode


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"NaN", ""),
        (b"-Infinity", ""),
        (b"1e999", "too large"),
        (b"01", ""),
        (b"{'a': 1}", ""),
        (b'{"a": 1,}', ""),
        (b'"\\u0000"', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'["a\x00"]', ""),
        (b'"\\ud800"', ""),
        (b'"\\udc00x"', ""),
        (b'"\xed\xa0\x80"', "UTF-8"),
        (b"\xff", ""),
        (b"\xef\xbb\xbf1", "byte order mark"),
        (b"9007199254740993", "2⁵³"),
        (b"-9007199254740993", "2⁵³"),
        (b"[" * (DEPTH_LIMIT + 1) + b"]" * (DEPTH_LIMIT + 1), "nested"),
        (b"[" * 20_000, "nested"),
        (b"1" * 5_000, ""),
    ],
)
def test_what_is_not_strict_json_is_refused_with_the_reason(payload, words):
    with pytest.raises(BadJSON) as refusal:
        decode(payload)

    assert words in refusal.value.detail


def test_the_member_at_fault_is_named():
    with pytest.raises(BadJSON) as refusal:
        decode(b'{"good": 1, "bad": [9007199254740993]}')

    assert refusal.value.field == "bad"


@pytest.mark.parametrize(
    ("payload", "field", "words"),
    [
        (b'{"good": 1, "t": NaN}', "t", "NaN is no number in JSON"),
        (b'{"at": "12:00:00", "t": -Infinity}', "t", "-Infinity is no number in JSON"),
        (b'{"t": [1, 2, nan]}', "t", "nan is no number in JSON"),
        (b'{"a": "1:2,3", "t": 1e999}', "t", "a number too large"),
        (b'{"t": -' + b"9" * 5000 + b"}", "t", "a number too large"),
        (b'{"ok": "\\ud83d\\ude00", "t": "\\ud800"}', "t", "half a UTF-16 pair, \\ud800"),
        (b'{"ok": "\\\\ud800", "t": "x\\udc00"}', "t", "half a UTF-16 pair, \\udc00"),
        (b'{"t": 01}', "t", "invalid number"),
        (b'{"t": 1', None, "ends too early"),
        (b'{"\x00": NaN}', None, ""),
    ],
)
def test_the_field_at_fault_is_named_in_what_is_no_json_too(payload, field, words):
    with pytest.raises(BadJSON) as refusal:
        decode(payload)

    assert refusal.value.field == field
    assert words in refusal.value.detail
    assert "$" not in refusal.value.detail


def test_of_a_repeated_key_the_last_value_wins():
    assert decode(b'{"a": 1, "b": 2, "a": 3}') == {"a": 3, "b": 2}


def test_the_deepest_and_the_largest_that_is_allowed_passes():
    assert decode(b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT)[0] is not None
    assert decode(str(INTEGER_LIMIT).encode()) == INTEGER_LIMIT
    assert decode(b'"\\ud83d\\ude00 \\\\u0000"') == "😀 \\u0000"


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_LIMIT, INTEGER_LIMIT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
def test_what_another_encoder_writes_is_read_as_it_was(value):
    assert decode(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(payload):
    with contextlib.suppress(BadJSON):
        decode(payload)
