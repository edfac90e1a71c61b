"""Log lines: JSON with the process's labels, whatever is in them."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from trilithon.chassis.logs import JsonFormatter, configure_logs
from trilithon.core.lazy import LazyModule

LABELS = {"region": "a", "role": "journal", "process": "a/journal-0"}


def line(message: str, *arguments: object, exc_info: Any = None) -> dict[str, str]:
    record = logging.LogRecord("trilithon.x", 30, "x.py", 1, message, arguments, exc_info)
    text = JsonFormatter(LABELS).format(record)
    assert "\n" not in text
    found: dict[str, str] = json.loads(text)
    return found


def test_a_line_is_json_with_labels_and_time() -> None:
    found = line("%s serves on %d", "a/journal-0", 7)
    assert found.pop("timestamp").endswith("Z")
    assert found == {
        "event": "a/journal-0 serves on 7",
        "logger": "trilithon.x",
        "level": "warning",
        **LABELS,
    }


def test_an_exception_is_in_its_line() -> None:
    try:
        raise ValueError("no such\nthing")
    except ValueError:
        found = line("failed", exc_info=sys.exc_info())
    assert "ValueError: no such\nthing" in found["exception"]
    assert "test_logs.py" in found["exception"]


def test_text_that_is_no_unicode_is_logged_all_the_same() -> None:
    assert line("%s", "broken \udc80 text")["event"] == "broken ? text"


def test_the_root_logger_gets_one_handler(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    kept = list(root.handlers), root.level
    try:
        configure_logs("info", LABELS, console=True)
        configure_logs("warning", LABELS, console=False)
        assert len(root.handlers) == 1
        logging.getLogger("trilithon.x").info("not told")
        logging.getLogger("trilithon.x").warning("told")
        [told] = capsys.readouterr().err.splitlines()
        assert json.loads(told)["event"] == "told"
    finally:
        root.handlers[:], root.level = kept


def test_a_lazy_module_is_imported_by_its_first_use() -> None:
    sys.modules.pop("colorsys", None)
    lazy = LazyModule("colorsys")
    assert "colorsys" not in sys.modules
    assert lazy.rgb_to_hsv(1, 1, 1) == (0.0, 0.0, 1)
    assert "colorsys" in sys.modules
    with pytest.raises(AttributeError):
        _ = lazy.no_such_thing
