"""Structured logs on stderr: one JSON object a line, or plain text for a terminal.

Modules log through `logging`. The standard library's own formatter does it: a logging library's imports were
two fifths of a journal's start, and a restarted process is waited for.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import orjson

_TEXT = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """`labels` (region, role, process) stand in every line."""

    def __init__(self, labels: dict[str, str]) -> None:
        super().__init__()
        self._labels = labels

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        line = {
            "event": record.getMessage(),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": when.replace("+00:00", "Z"),
            **self._labels,
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = self.formatException(record.exc_info)
        # Lone surrogates (a client's broken text in a message) are no UTF-8.
        printable = {name: text.encode("utf-8", "replace").decode() for name, text in line.items()}
        return orjson.dumps(printable).decode()


def configure_logs(level: str, labels: dict[str, str], *, console: bool | None = None) -> None:
    """Everything goes to stderr. `console`: text instead of JSON; by default on a terminal."""
    if console is None:
        console = sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_TEXT) if console else JsonFormatter(labels))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # They say at "error" what a broken client does.
    logging.getLogger("grpc").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
