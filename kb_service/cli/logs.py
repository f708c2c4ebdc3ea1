"""Structured logs on standard error: one line an event, JSON unless a person is watching.

Knows formats and levels; what is logged, and what must never be, is each module's own.
"""

import logging
import sys

import structlog


def configure_logs(level: str) -> None:
    """Set up structlog for this process. `level`: DEBUG, INFO, WARNING, ERROR or CRITICAL."""
    is_terminal = sys.stderr.isatty()
    renderer = (
        structlog.dev.ConsoleRenderer() if is_terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
