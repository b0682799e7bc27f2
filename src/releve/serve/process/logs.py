"""Structured logs: text on a terminal, JSON elsewhere; one line per event, with the request's id where it has one."""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO

import structlog

from releve.protocol.shared import without_secrets
from releve.serve.process.fold import Fold

# What steers a terminal, turns text around or ends a line: controls, bidi marks, separators, lone surrogates.
_STEERING = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_UNSEEN = re.compile(f"[{_STEERING}\t\n]")
_UNSEEN_IN_TRACE = re.compile(f"[{_STEERING}]")  # a traceback has lines
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Lines:
    """Writes our own lines, which need none of logging's records; one that cannot be written harms nobody."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        """Write one line."""
        with suppress(OSError, ValueError):  # the disk is full, or whoever read is gone; as logging's handlers do
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


def configure(*, level: str, log_format: str, **fields: Any) -> None:
    """Send our own and every library's log lines to standard error in one format.

    Args:
        level: Least severe line written.
        log_format: `text`, `json`, or `auto` to choose by whether standard error is a terminal.
        fields: Added to every line, such as the worker's index.
    """
    is_text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        visible,
    ]
    renderer = _text() if is_text else structlog.processors.JSONRenderer(ensure_ascii=False)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(_LEVELS[level])
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("django.security.DisallowedHost").disabled = True  # the page that answers it logs our own words
    structlog.configure(
        processors=[Fold(), *shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: Lines(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**fields)


def visible(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    r"""A structlog processor that spells out what a sender could steer a terminal or mislead a reader with.

    What the path of a shared link says beyond that it is one is left out, whoever logs it.

    >>> visible(None, "info", {"event": "refused", "path": "/\x1b[2J\u202e", "errors": ["a\nb"]})
    {'event': 'refused', 'path': '/\\x1b[2J\\u202e', 'errors': ['a\\nb']}
    """
    for name, value in event.items():
        if not name.startswith("_"):  # what structlog passes on to itself
            event[name] = _spelled(value, _UNSEEN_IN_TRACE if name in {"exception", "stack"} else _UNSEEN)
    return event


def _spelled(value: Any, unseen: "re.Pattern[str]") -> Any:
    if isinstance(value, str):
        return unseen.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), without_secrets(value))
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_spelled(each, unseen) for each in value]
    if isinstance(value, dict):
        return {_spelled(str(key), unseen): _spelled(each, unseen) for key, each in value.items()}
    return _spelled(repr(value), unseen)


def _text() -> structlog.dev.ConsoleRenderer:
    """Plain tracebacks: the prettier ones print local variables, which may hold a secret."""
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
