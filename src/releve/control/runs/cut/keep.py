"""Keeps runs up to date in the background: cuts what arrived, follows cars, and sums up what nobody looked at yet."""

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
    """Do it once; safe at any time, beside people who look and change."""
    devices = infer.infer_all() + car.follow(Device.objects.all())
    wanted = Q(followed=None) | Q(ended_at=None) | Q(ended_at__gt=timezone.now() - LATELY)
    runs = list(Run.objects.filter(wanted, deleted_at=None, device__isnull=False))
    blocks.follow_all(runs)
    return Kept(devices=devices, runs=len(runs))


def with_fresh_connection() -> Kept:
    """Do it in a thread that no request belongs to, where a connection that broke is nobody else's to replace."""
    close_old_connections()
    return keep_up()
