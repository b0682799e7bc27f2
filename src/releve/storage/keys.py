"""The key files in `<data-dir>/keys/`: for tokens, secrets, sessions and factors; each is made at first use."""

import os
import re
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from releve.protocol.token import Keyring

KEY_BYTES = 32  # HS256 wants at least its hash's length (RFC 7518, section 3.2)
OTHERS = 0o077
_KEY_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,32}")


class KeyProblem(Exception):
    """A key cannot be used; the message says what to do."""


def signing_keyring(data_dir: Path, configured: str = "") -> Keyring:
    """The signing keys: those configured as `kid:secret` pairs, else those of the file `signing`.

    The first signs and all verify. To rotate without downtime put the new pair in front, restart the workers one by
    one, and remove the old pair when the longest token has ended.

    Raises:
        KeyProblem: A pair is malformed or too short, or the file cannot be trusted.
    """
    text = configured or _kept(data_dir, "signing", _new_pair)
    pairs = tuple(_pair(item) for item in re.split(r"[,\s]+", text.strip(", \t\n")))
    if len({identifier for identifier, _ in pairs}) < len(pairs):
        raise KeyProblem("two signing keys have the same kid, or one is given twice")
    return Keyring(pairs)


def pepper(data_dir: Path) -> bytes:
    """The key of the hashes of device secrets.

    Raises:
        KeyProblem: The file cannot be trusted.
    """
    return _kept(data_dir, "pepper", _new_key).encode()


def django_secret(data_dir: Path) -> str:
    """The secret that Django signs its own sessions and links with; never a token key.

    Raises:
        KeyProblem: The file cannot be trusted.
    """
    return _kept(data_dir, "django-secret", _new_key)


def factor_keys(data_dir: Path) -> list[str]:
    """The keys that second factors and sessions are encrypted under: the first encrypts, all decrypt.

    Raises:
        KeyProblem: The file cannot be trusted.
    """
    return _kept(data_dir, "factors", _new_key).split()


def _kept(data_dir: Path, name: str, make: Callable[[], str]) -> str:
    folder = data_dir / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_open_to_others(folder, "700")
    path = folder / name
    if not path.exists():
        _create(path, make())
    _refuse_open_to_others(path, "600")
    text = path.read_text(encoding="utf-8").strip()
    if not text:
        raise KeyProblem(f"{path} is empty; restore it from a backup, or remove it to have a new key made")
    return text


def _create(path: Path, text: str) -> None:
    """Write the whole file aside and link it into place, so that of two processes one wins and both read the same."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # O_EXCL, 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        Path(draft).unlink()


def _refuse_open_to_others(path: Path, mode: str) -> None:
    if path.stat().st_mode & OTHERS:
        raise KeyProblem(
            f"{path} is open to other users of this machine; run `chmod {mode} {path}`, "
            "and make new keys if others may have read it"
        )


def _pair(item: str) -> tuple[str, bytes]:
    identifier, _, secret = item.partition(":")
    if not _KEY_IDENTIFIER.fullmatch(identifier):
        raise KeyProblem("a signing key is written `kid:secret`, its kid of letters, digits, _ and - (at most 32)")
    if len(secret.encode()) < KEY_BYTES:
        raise KeyProblem(f"the signing key {identifier!r} is shorter than {KEY_BYTES} bytes")
    return identifier, secret.encode()


def _new_pair() -> str:
    return f"{secrets.token_hex(3)}:{_new_key()}"


def _new_key() -> str:
    return secrets.token_urlsafe(KEY_BYTES)
