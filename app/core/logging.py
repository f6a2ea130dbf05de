"""Logs by structlog: constant messages with ids beside, and no national id ever."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from app.core.settings import Environment, Settings

ELEVEN_DIGITS = re.compile(r"(?<!\d)\d{6}[ ]?\d{5}(?!\d)")
HIDDEN = "[eleven digits hidden]"


def hide_national_ids(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace anything that looks like a national id, in values, and exception texts."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = ELEVEN_DIGITS.sub(HIDDEN, value)
        elif isinstance(value, int | float | bool) or value is None:
            continue
        else:
            event[name] = ELEVEN_DIGITS.sub(HIDDEN, str(value))
    return event


def configure(settings: Settings) -> None:
    """Send every log, ours and the libraries', to standard error through the same filter."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    is_development = settings.environment is Environment.DEVELOPMENT
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if is_development
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            hide_national_ids,
            renderer,
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # These tell addresses and code verifiers at lower levels.
    for noisy in ("httpx", "httpcore", "authlib"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
