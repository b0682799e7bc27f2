"""Cuts runs once by what has arrived, as background work does."""

from typing import Any

from django.core.management.base import BaseCommand

from releve.control.runs.cut.keep import cut


class Command(BaseCommand):
    """`python -m django follow_runs`, for a timer where no background work runs."""

    help = __doc__ or ""

    def handle(self, *_: Any, **__: Any) -> None:
        """Do it once and say how much there was."""
        self.stdout.write(f"{cut()} devices looked at")
