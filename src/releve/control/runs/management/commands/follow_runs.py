"""Brings every run up to date once, so that the first look at a long one need not wait."""

from typing import Any

from django.core.management.base import BaseCommand

from releve.control.runs.cut.keep import keep_up


class Command(BaseCommand):
    """`python -m django follow_runs`, for a timer; what people see is right without it, only slower at first."""

    help = __doc__ or ""

    def handle(self, *_: Any, **__: Any) -> None:
        """Do it once and say how much there was."""
        done = keep_up()
        self.stdout.write(f"{done.devices} devices cut, {done.runs} runs followed")
