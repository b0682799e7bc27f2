"""Keeps runs up to date, always in the background: cuts what arrived, follows cars, and sums up what they hold.

Nobody's look cuts anything: with many devices it would take seconds, and every page would do it again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import close_old_connections
from django.db.models import Q
from django.utils import timezone

from releve.control.fleet.models import Device
from releve.control.runs import blocks
from releve.control.runs.cut import car, infer
from releve.control.runs.models import Run

LATELY = timedelta(days=1)  # a run that ended longer ago is followed when somebody looks


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How much was brought up to date."""

    devices: int
    runs: int


def keep_up() -> Kept:
    """Cut and sum up once; safe at any time, beside people who look and change."""
    return Kept(devices=cut(), runs=sum_up())


def cut() -> int:
    """Let runs begin and end by what has arrived; answers how many devices were looked at."""
    devices = infer.infer_all() + car.follow(Device.objects.all())
    car.give_vehicles()
    return devices


def sum_up() -> int:
    """Sum up what nobody looked at yet; answers how many runs that may be."""
    wanted = Q(followed=None) | Q(ended_at=None) | Q(ended_at__gt=timezone.now() - LATELY)
    runs = list(Run.objects.filter(wanted, deleted_at=None, device__isnull=False))
    blocks.follow_all(runs)
    return len(runs)


def with_fresh_connection(work: Callable[[], int]) -> int:
    """Do it in a thread that no request belongs to, where a connection that broke is nobody else's to replace."""
    close_old_connections()
    return work()
