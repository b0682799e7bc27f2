"""How far a long import is: a bar for people, a line every ten seconds for a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from releve.cli.importing.line import Source

PAUSE_S = 10.0
Progress = Callable[[int, int], None]


@contextmanager
def shown(label: str, source: Source) -> Iterator[Progress]:
    """Show on standard error how far a source is read; what is given takes its position and the lines since then."""
    if sys.stderr.isatty():
        with click.progressbar(length=source.length, label=label, file=sys.stderr, item_show_func=_count) as bar:
            done = [0, 0]

            def draw(position: int, lines: int) -> None:
                done[1] += lines
                bar.update(position - done[0], done[1])
                done[0] = position

            yield draw
    else:
        click.echo(label, err=True)
        yield _Log(source.length).note


class _Log:
    def __init__(self, length: int) -> None:
        self._length = max(length, 1)
        self._lines = 0
        self._start_s = self._told_s = time.monotonic()

    def note(self, position: int, lines: int) -> None:
        self._lines += lines
        now_s = time.monotonic()
        if now_s - self._told_s < PAUSE_S:
            return
        self._told_s = now_s
        speed = self._lines / (now_s - self._start_s)
        click.echo(f"{position / self._length:.0%}: {self._lines:,} lines, {speed:,.0f} a second", err=True)


def _count(lines: int | None) -> str | None:
    return None if lines is None else f"{lines:,} lines"
