"""Tokens: what is signed comes back, and nothing else is believed."""

import uuid
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from releve.protocol import token
from releve.protocol.token import (
    Keyring,
    Principal,
    TokenExpired,
    TokenInvalid,
    TokenType,
    WrongTokenType,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)
FAMILY = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
OLD = ("old", b"o" * 32)
NEW = ("new", b"n" * 32)
KEYS = Keyring((NEW, OLD))
ALICE = Principal.person(7)
ISSUE = {
    TokenType.ACCESS: token.issue_access,
    TokenType.LIVE: token.issue_live,
    TokenType.MQTT: token.issue_mqtt,
}


def access(keyring=KEYS, principal=ALICE):
    return token.issue_access(principal, FAMILY, issued_at=NOW, expires_at=LATER, keyring=keyring)


def refresh(generation=3, keyring=KEYS):
    return token.issue_refresh(ALICE, FAMILY, generation=generation, rotated_at=NOW, expires_at=LATER, keyring=keyring)


@given(st.builds(Principal, st.sampled_from("dp"), st.integers(0, 2**63 - 1)), st.uuids())
def test_what_is_signed_comes_back(principal, family):
    text = token.issue_access(principal, family, issued_at=NOW, expires_at=LATER, keyring=KEYS)

    claims = token.read(text, TokenType.ACCESS, NOW, KEYS)

    assert (claims.principal, claims.sign_in, claims.generation) == (principal, family, None)
    assert claims.expires_at == LATER.replace(microsecond=0)


@pytest.mark.parametrize("wanted", TokenType)
@pytest.mark.parametrize("made", TokenType)
def test_no_type_is_taken_for_another(made, wanted):
    text = (
        refresh()
        if made is TokenType.REFRESH
        else ISSUE[made](ALICE, FAMILY, issued_at=NOW, expires_at=LATER, keyring=KEYS)
    )

    if made is wanted:
        assert token.read(text, wanted, NOW, KEYS).typ is wanted
    else:
        with pytest.raises(WrongTokenType):
            token.read(text, wanted, NOW, KEYS)


def test_a_token_ends_at_its_second():
    end = LATER.replace(microsecond=0)

    token.read(access(), TokenType.ACCESS, end - timedelta(microseconds=1), KEYS)
    with pytest.raises(TokenExpired):
        token.read(access(), TokenType.ACCESS, end, KEYS)


def test_a_refresh_token_is_the_same_bytes_for_the_same_row():
    assert refresh() == refresh()
    assert refresh(generation=4) != refresh()
    assert token.read(refresh(), TokenType.REFRESH, NOW, KEYS).generation == 3


def test_the_first_key_signs_and_every_key_verifies():
    signed_before = access(Keyring((OLD,)))

    token.read(signed_before, TokenType.ACCESS, NOW, KEYS)
    assert jwt.get_unverified_header(access())["kid"] == "new"
    with pytest.raises(TokenInvalid):
        token.read(access(), TokenType.ACCESS, NOW, Keyring((OLD,)))


def test_a_key_of_the_same_name_but_another_secret_verifies_nothing():
    with pytest.raises(TokenInvalid):
        token.read(access(Keyring((("new", b"x" * 32),))), TokenType.ACCESS, NOW, KEYS)


CLAIMS = {"typ": "access", "sub": "p:7", "sid": FAMILY.hex, "iat": 0, "exp": 2**40}


@pytest.mark.parametrize(
    "changed",
    [
        {"sub": None},
        {"sub": "p"},
        {"sub": "x:1"},
        {"sub": "p:-1"},
        {"sub": "p:¹"},
        {"sid": None},
        {"sid": "x"},
        {"sid": 5},
        {"exp": "soon"},
        {"exp": 2**70},
        {"exp": None},
        {"iat": 1e400},
        {"typ": None},
    ],
)
def test_claims_that_we_never_write_are_not_believed(changed):
    text = jwt.encode(CLAIMS | changed, NEW[1], "HS256", {"kid": "new"})

    with pytest.raises(TokenInvalid):
        token.read(text, TokenType.ACCESS, NOW, KEYS)


@pytest.mark.parametrize("header", [{}, {"kid": None}, {"kid": "no"}, {"kid": ["new"]}, {"kid": {}}])
def test_a_key_that_we_do_not_have_verifies_nothing(header):
    with pytest.raises(TokenInvalid):
        token.read(_with_header(header), TokenType.ACCESS, NOW, KEYS)


@pytest.mark.parametrize("algorithm", ["none", "HS384", "hs256", "RS256"])
def test_only_one_algorithm_is_believed(algorithm):
    with pytest.raises(TokenInvalid):
        token.read(_with_header({"alg": algorithm, "kid": "new"}), TokenType.ACCESS, NOW, KEYS)


@given(st.text(max_size=200))
def test_no_text_makes_it_fail_otherwise(text):
    with pytest.raises(TokenInvalid):
        token.read(text, TokenType.ACCESS, NOW, KEYS)


@given(st.data())
def test_a_changed_character_is_noticed(data):
    text = access()
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != text[place]))
    changed = text[:place] + other + text[place + 1 :]

    if _means_the_same(text, changed):
        return
    with pytest.raises(TokenInvalid):
        token.read(changed, TokenType.ACCESS, NOW, KEYS)


def test_a_token_is_small_and_a_key_shows_itself_nowhere():
    assert len(access()) + len(refresh()) < 600
    assert "nnnn" not in repr(KEYS)


def test_an_endless_token_is_not_even_decoded():
    with pytest.raises(TokenInvalid):
        token.read("a" * 1_000_000, TokenType.ACCESS, NOW, KEYS)


def _with_header(header):
    _, payload, signature = access().split(".")
    parts = jwt.utils.base64url_encode(jwt.api_jws.json.dumps({"alg": "HS256", **header}).encode()).decode()
    return f"{parts}.{payload}.{signature}"


def _means_the_same(text, changed):
    """The last character of base64 holds bits that nobody reads."""
    try:
        return [jwt.utils.base64url_decode(part) for part in text.split(".")] == [
            jwt.utils.base64url_decode(part) for part in changed.split(".")
        ]
    except ValueError:
        return False


@given(st.integers(1, 2**31), st.uuids(), st.integers(0, 2**33), st.binary(min_size=32, max_size=64))
def test_a_token_is_byte_for_byte_what_the_library_signs(device_id, sign_in, ends_s, secret):
    began, ends = datetime.fromtimestamp(1_780_000_000, UTC), datetime.fromtimestamp(ends_s, UTC)
    claims = {
        "typ": "access",
        "sub": f"d:{device_id}",
        "sid": sign_in.hex,
        "iat": 1_780_000_000,
        "exp": ends_s,
    }

    ours = token.issue_access(
        Principal.device(device_id), sign_in, issued_at=began, expires_at=ends, keyring=Keyring((("2026-06", secret),))
    )

    assert ours == jwt.encode(claims, secret, algorithm="HS256", headers={"kid": "2026-06"})
