"""Structured logs: text on a terminal, JSON elsewhere; one line per event, with the request's id where it has one."""

import logging
import sys
from typing import Any

import structlog

from releve.serve.process.fold import Fold

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


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
        processors=[Fold(), *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**fields)


def _text() -> structlog.dev.ConsoleRenderer:
    """Plain tracebacks: the prettier ones print local variables, which may hold a secret."""
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
