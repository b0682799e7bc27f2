"""Runs commands of `releve` for the tests, each in a fork of one process that has loaded everything already.

A command of its own takes most of a second to load Django; a fork does the same work, by the same code, in a twentieth.
What a command prints and how it starts is tested with real processes; this provides the cast of the other tests.

    resident = Resident()
    resident.command(["device", "add", "pi", "--data-dir", "…", "--json"], settings={})
    resident.tokens("pi", data_dir=…, settings={})    # a sign-in without the slow hash of a password
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any, NoReturn

WITHIN_S = 90
PASSWORD = "correct horse battery staple"  # of every account that it adds: hashed once


class Resident:
    """The process, started at the first use, and the pipe to it; one command at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._turn = threading.Lock()

    def command(self, arguments: list[str], *, settings: dict[str, str], stdin: str = "") -> Any:
        """Run a command that must succeed and answers JSON; what it printed."""
        done = self._ask({"arguments": arguments, "settings": settings, "stdin": stdin})
        assert done["code"] == 0, done["stderr"]
        return json.loads(done["stdout"])

    def tokens(self, name: str, *, data_dir: Path, settings: dict[str, str]) -> dict[str, str]:
        """Sign a person or a device in: `access` and `refresh`."""
        return self.command(["tokens", name, str(data_dir)], settings=settings)

    def cut_runs(self, *, data_dir: Path, settings: dict[str, str]) -> None:
        """Do once what background work does all the time."""
        self.command(["cut", str(data_dir)], settings=settings)

    def end(self) -> None:
        """End the process, if there was need of one."""
        if self._process is not None:
            self._process.communicate()  # it ends with its standard input
            self._process = None

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._turn:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", __file__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env={name: value for name, value in os.environ.items() if not name.startswith(STRANGE)},
                )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        assert answer, "the resident process ended"
        return json.loads(answer)


STRANGE = ("RELEVE_", "DATABASE_URL", "DJANGO_")


def main() -> None:
    """Load everything, then answer one line of JSON with one line of JSON until the tests end."""
    with tempfile.TemporaryDirectory(prefix="releve-test-") as nowhere:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "releve.control.configuration", "RELEVE_DATA_DIR": nowhere}
        _load()
        for line in sys.stdin:
            question = json.loads(line)
            with contextlib.ExitStack() as stack:
                files = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3)]
                files[0].write(question["stdin"])
                files[0].seek(0)
                child = os.fork()
                if child == 0:
                    _run(question, files)
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                _, stdout, stderr = (_content(file) for file in files)
            print(json.dumps({"code": code, "stdout": stdout, "stderr": stderr}), flush=True)  # noqa: T201 - the pipe


def _load() -> None:
    """Import what the commands need, and hash the one password."""
    import django  # noqa: PLC0415 - the tests themselves import this file, without Django

    django.setup()
    from django.contrib.auth.hashers import Argon2PasswordHasher  # noqa: PLC0415

    encode = Argon2PasswordHasher.encode
    known = encode(Argon2PasswordHasher(), PASSWORD, Argon2PasswordHasher().salt())

    def encode_once(self: Argon2PasswordHasher, password: str, salt: str) -> str:
        return known if password == PASSWORD else encode(self, password, salt)

    Argon2PasswordHasher.encode = encode_once


def _run(question: dict[str, Any], files: list[IO[str]]) -> NoReturn:
    """The child: the streams are the files, the settings are the question's, and its end is the command's."""
    signal.alarm(WITHIN_S)
    for number, file in enumerate(files):
        os.dup2(file.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - of the process
    del os.environ["RELEVE_DATA_DIR"]
    os.environ |= question["settings"]
    _forget_settings()
    code = 1
    try:
        kind, *arguments = question["arguments"]
        if kind == "tokens":
            _print_tokens(*arguments)
        elif kind == "cut":
            _cut(*arguments)
        else:
            from releve.cli import main as releve  # noqa: PLC0415 - see `_load`

            releve([kind, *arguments])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        if (error := sys.exc_info()[1]) is not None:
            print(repr(error), file=sys.stderr)  # noqa: T201 - read by the test
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _forget_settings() -> None:
    """Let Django read its settings again, from this child's environment, at their next use."""
    from django.conf import empty, settings  # noqa: PLC0415 - see `_load`
    from django.db import connections  # noqa: PLC0415

    for connection in connections.all(initialized_only=True):  # only said which database they would open
        del connections[connection.alias]
    settings._wrapped = empty
    sys.modules.pop("releve.control.configuration", None)
    vars(connections).pop("settings", None)
    connections._settings = None


def _print_tokens(name: str, data_dir: str) -> None:
    from django.db import transaction  # noqa: PLC0415 - see `_load`
    from django.utils.timezone import now  # noqa: PLC0415

    from releve.cli import option  # noqa: PLC0415
    from releve.cli.control_plane import opened  # noqa: PLC0415
    from releve.control.accounts import sign_in  # noqa: PLC0415
    from releve.control.accounts.credentials import principal_named  # noqa: PLC0415
    from releve.control.accounts.origin import Origin  # noqa: PLC0415

    with opened(option.chosen(data_dir=Path(data_dir))):
        began_at = now()
        with transaction.atomic():
            principal = principal_named(name)
            assert principal is not None, f"nobody is called {name}"
            assert sign_in._still_stands(principal), f"{name} is disabled"
            row = sign_in.start(principal, Origin(address="127.0.0.1", user_agent="tests"), began_at)
        pair = sign_in._pair(row, began_at)
    print(json.dumps({"access": pair.access, "refresh": pair.refresh}))  # noqa: T201 - the answer


def _cut(data_dir: str) -> None:
    from releve.cli import option  # noqa: PLC0415 - see `_load`
    from releve.cli.control_plane import opened  # noqa: PLC0415
    from releve.control.runs.cut import car, infer, keep  # noqa: PLC0415

    infer.MANY = car.MANY = sys.maxsize  # of many devices only those noted as heard are looked at, a second later
    with opened(option.chosen(data_dir=Path(data_dir))):
        print(json.dumps(keep.cut()))  # noqa: T201 - the answer


def _content(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


if __name__ == "__main__":
    main()
