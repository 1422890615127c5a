"""Structured logs: one constant event name plus fields. Never a phone number, name, transcript or digit."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Any, TextIO, cast

import structlog

FORBIDDEN_FIELDS = frozenset(
    {"phone", "number", "caller", "from_number", "name", "text", "transcript", "digit", "digits", "password"}
)
"""Field names that would carry personal data; a line holding one is a defect and the value is dropped."""


class _StandardError:
    """Standard error that is never in the way: on a full disk, or when nobody reads it any more, a line is lost and
    nothing else happens."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


STDERR = cast(TextIO, _StandardError())


def _drop_personal(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for key in FORBIDDEN_FIELDS & event.keys():
        event[key] = "[withheld]"
    return event


def setup_logging(role: str, level: str = "info", json_lines: bool = False) -> None:
    """Send this process's logs to standard error, each line naming its `role` (`line-1`, `desk`, `speech`)."""
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if json_lines else None
    if renderer is None:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=28,
            exception_formatter=structlog.dev.plain_traceback,  # others print local values: numbers, names, words
        )  # fmt: skip
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _drop_personal,
            structlog.processors.StackInfoRenderer(),
            *([structlog.processors.format_exc_info] if json_lines else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(STDERR),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)
    # its tracebacks hold what a browser sent, search words too; errors of pages are logged by callcenter.web.errors
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    logging.basicConfig(stream=STDERR, level=logging.WARNING, format=f"{role} %(name)s %(message)s")


def get_logger(area: str) -> Any:
    """A logger for one area of the code (`line.journal`)."""
    return structlog.get_logger(area=area)
