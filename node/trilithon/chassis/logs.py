"""Structured logs on stderr: one JSON object a line, or coloured text for a terminal.

Modules log through `logging` or `structlog`; both end here, with the process's labels.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure_logs(level: str, labels: dict[str, str], *, console: bool | None = None) -> None:
    """`labels` (region, role, process) stand in every line. `console`: text instead of JSON."""
    if console is None:
        console = sys.stderr.isatty()

    def add_labels(_: Any, __: str, event: Any) -> Any:
        event.update(labels)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_labels,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    ending: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if console:
        ending.append(structlog.dev.ConsoleRenderer())
    else:
        ending += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=ending)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # They say at "error" what a broken client does.
    logging.getLogger("grpc").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
