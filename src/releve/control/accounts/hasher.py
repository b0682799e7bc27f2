"""Argon2 as Django configures it, computed behind everything else: a sign-in of a person may wait, a device may not.

One hash starts eight threads, which take as much of the processors as eight processes. They inherit the niceness of
the thread that starts them, and a thread that went behind cannot come forward again: each hash gets one of its own.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher

LAST = 19  # the largest niceness there is
_T = TypeVar("_T")


class Hasher(Argon2PasswordHasher):
    """Its hashes are those of `Argon2PasswordHasher`, to the parameter."""

    def encode(self, password: str, salt: str) -> str:
        """Hash a password."""
        return behind(lambda: super(Hasher, self).encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        """Whether it is the password of the hash."""
        return behind(lambda: super(Hasher, self).verify(password, encoded))


def behind(work: Callable[[], _T]) -> _T:
    """Do it in a thread that everything else goes before, and wait for it."""
    with ThreadPoolExecutor(1, thread_name_prefix="password", initializer=_go_behind) as thread:
        return thread.submit(work).result()


def _go_behind() -> None:
    if sys.platform == "linux":  # where a thread has a niceness of its own [sched(7)]
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LAST)
