"""Who comes first where processor time is short: devices, then people, then background work."""

import os
import time
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")
TRIES, PAUSE_S = 20, 0.06  # the kernel takes ten changes a second of whoever is not root, of all processes together


def go_behind(niceness: int) -> None:
    """Let processes of a smaller niceness go first.

    Where the kernel gives each session an equal share of the processors [sched(7), "The autogroup feature"], niceness
    counts within a session only; each of our processes leads one of its own, which then has to be told as well.
    """
    os.nice(niceness)
    if os.getsid(0) != os.getpid():
        return  # somebody else's session, such as a terminal's
    for _ in range(TRIES):
        try:
            AUTOGROUP.write_text(str(niceness))
        except BlockingIOError:
            time.sleep(PAUSE_S)
        except OSError:
            return  # a kernel without it, or a container where it is read-only
        else:
            return
