"""Keeps runs up to date, always in the background: cuts what arrived and follows cars.

Nobody's look cuts anything: with many devices it would take seconds, and every page would do it again.
"""

from collections.abc import Callable
from typing import TypeVar

from django.db import close_old_connections

from releve.control.fleet.models import Device
from releve.control.runs.cut import car, infer

Done = TypeVar("Done")


def cut() -> int:
    """Let runs begin and end by what has arrived, safe at any time; answers how many devices were looked at."""
    devices = infer.infer_all() + car.follow(Device.objects.all())
    car.give_vehicles()
    return devices


def with_fresh_connection(work: Callable[[], Done]) -> Done:
    """Do it in a thread that no request belongs to, where a connection that broke is nobody else's to replace."""
    close_old_connections()
    return work()
