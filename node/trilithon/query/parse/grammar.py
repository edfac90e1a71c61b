"""PostgreSQL's grammar: libpg_query's parser through ctypes, its JSON decoded by orjson.

The one module that knows the binding. libpg_query recurses on the C stack while it writes its tree
(about 110 bytes a level, two bytes of text a level at worst), so texts beyond `SHORT_BYTES` are
parsed in a thread with a stack of `STACK_BYTES`, and texts beyond `LENGTH_BYTES_MAX` are refused.
"""

from __future__ import annotations

import ctypes
import re
import threading
from typing import Any, Final

import orjson
from postgast import native

from trilithon.core.errors import SqlError

LENGTH_BYTES_MAX: Final = 4 * 1024 * 1024
SHORT_BYTES: Final = 32 * 1024
STACK_BYTES: Final = 256 * 1024 * 1024
# JSON levels that the decoder accepts are 1024, two for most levels of an expression; the later
# stages recurse too, so the cap is ours, and the same wherever a statement is refused for it.
DEEP: Final = "stack depth limit exceeded"
DEEP_HINT: Final = "The statement nests too deeply; rewrite it with fewer levels."

_lib = native.lib
_lib.pg_query_free_parse_result.argtypes = [native.PgQueryParseResult]
_lib.pg_query_free_parse_result.restype = None
_stack_lock = threading.Lock()

# CREATE [UNIQUE] INDEX ASYNC is ours; the grammar does not know ASYNC.
_INDEX_ASYNC = re.compile(r"(\bcreate\s+(?:unique\s+)?index\s+)(async)(?=\s)", re.IGNORECASE)
_NUL: Final = "\x00"


def parse_json(text: str) -> list[dict[str, Any]]:
    """The statements of a text, as `{"stmt": node, "stmt_location": byte, "stmt_len": bytes}`.

    Raises SqlError: 42601 with its position, 0A000 for what the grammar itself refuses, 54000 for
    too long and 54001 for too deep texts, 22021 for a NUL or an unencodable character.
    """
    if _NUL in text:
        raise SqlError("22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    try:
        data = blank_async(text).encode()
    except UnicodeEncodeError:
        raise SqlError("22021", 'invalid byte sequence for encoding "UTF8"') from None
    if len(data) > LENGTH_BYTES_MAX:
        raise SqlError(
            "54000",
            f"statement is too long: {len(data)} bytes",
            detail=f"The limit is {LENGTH_BYTES_MAX} bytes.",
            hint="Pass values as parameters or use COPY.",
        )
    return _call(data) if len(data) <= SHORT_BYTES else _call_in_thread(data)


def blank_async(text: str) -> str:
    """The text with ASYNC of CREATE INDEX ASYNC replaced by as many spaces."""
    if "ndex" not in text and "NDEX" not in text:
        return text
    return _INDEX_ASYNC.sub(lambda match: match[1] + " " * len(match[2]), text)


def is_async_index(text: str) -> bool:
    return _INDEX_ASYNC.search(text) is not None


def _call(data: bytes) -> list[dict[str, Any]]:
    result = _lib.pg_query_parse(data)
    try:
        if result.error:
            raise _failure(result.error.contents)
        try:
            statements: list[dict[str, Any]] = orjson.loads(
                ctypes.string_at(result.parse_tree)
                if not isinstance(result.parse_tree, bytes)
                else result.parse_tree
            ).get("stmts", [])
        except orjson.JSONDecodeError as error:
            if "depth" in str(error) or "recursion" in str(error).lower():
                raise SqlError("54001", DEEP, hint=DEEP_HINT) from None
            raise SqlError("22021", 'invalid byte sequence for encoding "UTF8"') from None
        return statements
    finally:
        _lib.pg_query_free_parse_result(result)


def _call_in_thread(data: bytes) -> list[dict[str, Any]]:
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(_call(data))
        except BaseException as error:  # handed to the caller's thread
            outcome.append(error)

    thread = start_deep_thread(run)
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    statements: list[dict[str, Any]] = outcome[0]
    return statements


def start_deep_thread(run: Any) -> threading.Thread:
    """A started thread with a stack of STACK_BYTES (the size is a process-wide setting, so it is
    set and put back under a lock)."""
    with _stack_lock:
        before = threading.stack_size(STACK_BYTES)
        try:
            thread = threading.Thread(target=run, name="deep", daemon=True)
            thread.start()
        finally:
            threading.stack_size(before)
    return thread


def _failure(error: Any) -> SqlError:
    message = (error.message or b"syntax error").decode("utf-8", "replace")
    position = max(error.cursorpos, 0)
    return SqlError(_sqlstate(message), message, position=position)


def _sqlstate(message: str) -> str:
    if "not yet implemented" in message or "not supported" in message:
        return "0A000"
    if "memory exhausted" in message or "stack depth" in message:
        return "54001"
    if message == "invalid Unicode escape":
        return "22025"
    if message.startswith(("frame start", "frame end")):
        return "42P20"
    if message.startswith("precision for type float"):
        return "22023"
    if message.startswith("invalid byte sequence"):
        return "22021"
    return "42601"
