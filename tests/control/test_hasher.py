"""A slow hash is computed behind everything else, and is the hash that it always was."""

import os
import threading

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, get_hasher, make_password

from releve.control.accounts import hasher

PASSWORD = "correct horse battery staple"


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_password_is_hashed_and_checked_behind_everything_else(monkeypatch):
    seen = []
    for name in ("encode", "verify"):
        original = getattr(Argon2PasswordHasher, name)
        monkeypatch.setattr(
            Argon2PasswordHasher, name, lambda *given, original=original: seen.append(niceness()) or original(*given)
        )
    before = niceness()

    hashed = make_password(PASSWORD)
    assert check_password(PASSWORD, hashed)
    assert not check_password("another one", hashed)

    assert seen == [hasher.LAST] * 3
    assert niceness() == before


def test_hashes_of_before_hold_and_are_not_made_anew():
    earlier = Argon2PasswordHasher().encode(PASSWORD, Argon2PasswordHasher().salt())
    renewed = []

    assert check_password(PASSWORD, earlier, setter=renewed.append)
    assert renewed == []
    assert get_hasher().algorithm == "argon2"


def test_what_goes_wrong_in_a_hash_is_told_to_whoever_asked(monkeypatch):
    def broken(*_):
        raise MemoryError

    monkeypatch.setattr(Argon2PasswordHasher, "encode", broken)

    with pytest.raises(MemoryError):
        make_password(PASSWORD)
