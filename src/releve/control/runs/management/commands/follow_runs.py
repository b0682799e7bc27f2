"""Cuts every run and sums it up once, as background work does."""

from typing import Any

from django.core.management.base import BaseCommand

from releve.control.runs.cut.keep import keep_up


class Command(BaseCommand):
    """`python -m django follow_runs`, for a timer where no background work runs."""

    help = __doc__ or ""

    def handle(self, *_: Any, **__: Any) -> None:
        """Do it once and say how much there was."""
        done = keep_up()
        self.stdout.write(f"{done.devices} devices cut, {done.runs} runs followed")
