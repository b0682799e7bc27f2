"""The key files: private, made once, the same for every process, and refused when others can read them."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from releve.protocol.secret import Secret
from releve.storage import keys
from releve.storage.keys import KeyProblem

LONG = "x" * 32


def test_the_files_are_made_at_first_use_and_are_private(tmp_path):
    keys.signing_keyring(tmp_path)
    keys.pepper(tmp_path)
    keys.django_secret(tmp_path)

    folder = tmp_path / "keys"
    assert sorted(path.name for path in folder.iterdir()) == ["django-secret", "pepper", "signing"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_key_stays_the_same_and_no_two_are_alike(tmp_path):
    first = keys.pepper(tmp_path)

    assert keys.pepper(tmp_path) == first
    assert keys.django_secret(tmp_path).encode() != first
    assert keys.signing_keyring(tmp_path) == keys.signing_keyring(tmp_path)
    assert keys.pepper(tmp_path / "other") != first


def test_processes_that_race_get_the_same_key(tmp_path):
    with ThreadPoolExecutor(16) as racers:
        found = set(racers.map(lambda _: keys.pepper(tmp_path), range(64)))

    assert len(found) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["pepper"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_file_that_others_can_read_is_refused_with_what_to_do(tmp_path, mode):
    keys.pepper(tmp_path)
    (tmp_path / "keys" / "pepper").chmod(mode)

    with pytest.raises(KeyProblem, match=r"chmod 600 .*pepper"):
        keys.pepper(tmp_path)


def test_a_folder_that_others_can_open_is_refused_with_what_to_do(tmp_path):
    keys.pepper(tmp_path)
    (tmp_path / "keys").chmod(0o755)

    with pytest.raises(KeyProblem, match=r"chmod 700 .*keys"):
        keys.pepper(tmp_path)


def test_an_empty_file_is_not_a_key(tmp_path):
    keys.pepper(tmp_path)
    (tmp_path / "keys" / "pepper").write_text("")

    with pytest.raises(KeyProblem, match="is empty"):
        keys.pepper(tmp_path)


def test_configured_keys_win_over_the_file_and_the_first_signs(tmp_path):
    ring = keys.signing_keyring(tmp_path, f"new:{LONG}, old:{LONG}y")

    assert ring.signing == ("new", LONG.encode())
    assert set(ring.by_kid) == {"new", "old"}
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("configured", ["secret", f":{LONG}", f"a b:{LONG}", "kid:short", f"{'k' * 33}:{LONG}", " , "])
def test_a_malformed_or_short_key_is_refused_without_showing_it(tmp_path, configured):
    with pytest.raises(KeyProblem) as refusal:
        keys.signing_keyring(tmp_path, configured)

    assert LONG not in str(refusal.value)


def test_two_keys_of_one_name_are_refused(tmp_path):
    with pytest.raises(KeyProblem, match="twice"):
        keys.signing_keyring(tmp_path, f"a:{LONG},a:{LONG}y")


def test_a_secret_matches_its_own_hash_under_its_own_pepper_only():
    secret = Secret.new()
    kept = secret.hash(b"pepper")

    assert secret.matches(kept, b"pepper")
    assert not secret.matches(kept, b"salt")
    assert not Secret.new().matches(kept, b"pepper")
    assert not secret.matches("é", b"pepper")
    assert secret.text not in repr(secret)
    assert len(secret.text) == 32
