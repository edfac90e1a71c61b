"""LIKE, ILIKE, SIMILAR TO, regular expressions and the functions around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.builtins.strings import LENGTH_MAX, lower, too_large
from trilithon.expression.patterns import (
    Regex,
    bytes_like_matcher,
    compile_regex,
    like_matcher,
    replace_escape,
    similar_to_regex,
)
from trilithon.expression.registry import function, operator
from trilithon.types.values import ArrayValue

# --- LIKE


def like(text: str, pattern: str) -> bool:
    return like_matcher(pattern)(text)


def ilike(text: str, pattern: str) -> bool:
    return like_matcher(lower(pattern))(lower(text))


def _unlike(call: Callable[..., bool]) -> Callable[..., bool]:
    return lambda text, pattern: not call(text, pattern)


def _trimmed(call: Callable[..., bool]) -> Callable[..., bool]:
    """bpchar keeps its blanks when it is matched."""
    return call


for _left in ("text", "name", "bpchar"):
    operator(f"{_left} ~~ text -> bool")(_trimmed(like))
    operator(f"{_left} !~~ text -> bool")(_unlike(like))
    operator(f"{_left} ~~* text -> bool")(_trimmed(ilike))
    operator(f"{_left} !~~* text -> bool")(_unlike(ilike))
operator("bytea ~~ bytea -> bool")(lambda data, pattern: bytes_like_matcher(pattern)(data))
operator("bytea !~~ bytea -> bool")(lambda data, pattern: not bytes_like_matcher(pattern)(data))
function("like(text, text) -> bool")(like)
function("notlike(text, text) -> bool")(_unlike(like))
function("like_escape(text, text) -> text")(replace_escape)
function("similar_to_escape(text) -> text")(similar_to_regex)
function("similar_to_escape(text, text) -> text")(similar_to_regex)


@function("similar_escape(text, text) -> text", strict=False, nullable=True)
def _similar_escape(pattern: str | None, escape: str | None) -> str | None:
    return (
        None if pattern is None else similar_to_regex(pattern, "\\" if escape is None else escape)
    )


# --- regular expressions: operators


def _matches(text: str, pattern: str) -> bool:
    return compile_regex(pattern).test(text)


def _matches_any_case(text: str, pattern: str) -> bool:
    return compile_regex(pattern, "i").test(text)


for _left in ("text", "name", "bpchar"):
    operator(f"{_left} ~ text -> bool")(_matches)
    operator(f"{_left} !~ text -> bool")(_unlike(_matches))
    operator(f"{_left} ~* text -> bool")(_matches_any_case)
    operator(f"{_left} !~* text -> bool")(_unlike(_matches_any_case))

# --- regular expressions: functions

_GLOBAL_ALLOWED: Final = frozenset({"regexp_matches", "regexp_replace"})


def _compile(pattern: str, flags: str, name: str) -> tuple[Regex, bool]:
    """(the pattern, whether all matches are wanted)."""
    everywhere = "g" in flags
    if everywhere and name not in _GLOBAL_ALLOWED:
        hint = "Use the regexp_matches function instead." if name == "regexp_match" else ""
        raise SqlError("22023", f'{name}() does not support the "global" option', hint=hint)
    return compile_regex(pattern, flags.replace("g", "")), everywhere


def _captured(match: Any, groups: int) -> ArrayValue:
    if not groups:
        return ArrayValue.of([match.group()])
    return ArrayValue.of(match.groups())


def _match(text: str, pattern: str, flags: str = "") -> ArrayValue | None:
    compiled, _ = _compile(pattern, flags, "regexp_match")
    match = compiled.search(text)
    return None if match is None else _captured(match, compiled.groups)


def _all_matches(text: str, pattern: str, flags: str = "") -> Iterator[ArrayValue]:
    compiled, everywhere = _compile(pattern, flags, "regexp_matches")
    if everywhere:
        for match in compiled.matches(text):
            yield _captured(match, compiled.groups)
        return
    match = compiled.search(text)
    if match is not None:
        yield _captured(match, compiled.groups)


def _template(replacement: str) -> list[str | int]:
    """Literal pieces and group numbers (\\1 … \\9; \\& is 0)."""
    pieces: list[str | int] = []
    at = 0
    while at < len(replacement):
        mark = replacement.find("\\", at)
        if mark < 0 or mark == len(replacement) - 1:
            pieces.append(replacement[at:])
            break
        pieces.append(replacement[at:mark])
        following = replacement[mark + 1]
        if following.isdigit() and following != "0":
            pieces.append(int(following))
        elif following == "&":
            pieces.append(0)
        elif following == "\\":
            pieces.append("\\")
        else:
            pieces.append("\\" + following)
        at = mark + 2
    return pieces


def _replaced(text: str, compiled: Regex, replacement: str, start: int, nth: int) -> str:
    """Replace the nth match from `start` on; 0: every one."""
    pieces = _template(replacement)
    out: list[str] = []
    at, size = 0, 0
    matches = compiled.matches(text, start) if nth != 1 else [compiled.search(text, start)]
    for number, match in enumerate(matches, start=1):
        if match is None or (nth and number != nth):
            continue
        out.append(text[at : match.start()])
        for piece in pieces:
            if isinstance(piece, str):
                out.append(piece)
            elif piece <= compiled.groups:
                out.append(match.group(piece) or "")
        at = match.end()
        size += len(replacement)
        if size > LENGTH_MAX:
            raise too_large()
    out.append(text[at:])
    return "".join(out)


@function("regexp_replace(text, text, text) -> text")
def _replace_first(text: str, pattern: str, replacement: str) -> str:
    return _replaced(text, compile_regex(pattern), replacement, 0, 1)


@function("regexp_replace(text, text, text, text) -> text")
def _replace(text: str, pattern: str, replacement: str, flags: str) -> str:
    if flags[:1].isdigit():
        raise SqlError(
            "22023",
            f'invalid regular expression option: "{flags[0]}"',
            hint="If you meant to use regexp_replace() with a start parameter, cast the fourth "
            "argument to integer explicitly.",
        )
    compiled, everywhere = _compile(pattern, flags, "regexp_replace")
    return _replaced(text, compiled, replacement, 0, 0 if everywhere else 1)


def _start(value: int, name: str = "start") -> int:
    if value <= 0:
        raise SqlError("22023", f'invalid value for parameter "{name}": {value}')
    return value - 1


@function("regexp_replace(text, text, text, int4, int4, text) -> text")
def _replace_nth(
    text: str, pattern: str, replacement: str, start: int, nth: int, flags: str
) -> str:
    if nth < 0:
        raise SqlError("22023", f'invalid value for parameter "n": {nth}')
    at = _start(start)
    compiled, _ = _compile(pattern, flags, "regexp_replace")
    return text if at > len(text) else _replaced(text, compiled, replacement, at, nth)


@function("regexp_replace(text, text, text, int4, int4) -> text")
def _replace_nth_plain(text: str, pattern: str, replacement: str, start: int, nth: int) -> str:
    return _replace_nth(text, pattern, replacement, start, nth, "")


@function("regexp_replace(text, text, text, int4) -> text")
def _replace_from(text: str, pattern: str, replacement: str, start: int) -> str:
    return _replace_nth(text, pattern, replacement, start, 1, "")


def _split(text: str, pattern: str, flags: str = "") -> list[str]:
    """Empty matches split between characters, but not at the ends or right after a match."""
    compiled, _ = _compile(pattern, flags, "regexp_split_to_array")
    parts: list[str] = []
    at = 0
    for match in compiled.matches(text):
        if (
            match.end() == match.start()
            and match.start() in (at, len(text))
            and (match.start() == 0 or match.start() == at or match.start() == len(text))
        ):
            continue
        parts.append(text[at : match.start()])
        at = match.end()
    return [*parts, text[at:]]


def _count(text: str, pattern: str, start: int = 1, flags: str = "") -> int:
    at = _start(start)
    compiled, _ = _compile(pattern, flags, "regexp_count")
    return 0 if at > len(text) else len(compiled.matches(text, at))


def _instr(
    text: str,
    pattern: str,
    start: int = 1,
    nth: int = 1,
    end_option: int = 0,
    flags: str = "",
    group: int = 0,
) -> int:
    at = _start(start)
    if nth <= 0:
        raise SqlError("22023", f'invalid value for parameter "n": {nth}')
    if end_option not in (0, 1):
        raise SqlError("22023", f'invalid value for parameter "endoption": {end_option}')
    if group < 0:
        raise SqlError("22023", f'invalid value for parameter "subexpr": {group}')
    compiled, _ = _compile(pattern, flags, "regexp_instr")
    matches = compiled.matches(text, at) if at <= len(text) else []
    if len(matches) < nth or group > compiled.groups:
        return 0
    match = matches[nth - 1]
    position = match.end(group) if end_option else match.start(group)
    return position + 1 if match.start(group) >= 0 else 0


def _substr(
    text: str, pattern: str, start: int = 1, nth: int = 1, flags: str = "", group: int = 0
) -> str | None:
    at = _start(start)
    if nth <= 0:
        raise SqlError("22023", f'invalid value for parameter "n": {nth}')
    if group < 0:
        raise SqlError("22023", f'invalid value for parameter "subexpr": {group}')
    compiled, _ = _compile(pattern, flags, "regexp_substr")
    matches = compiled.matches(text, at) if at <= len(text) else []
    if len(matches) < nth or group > compiled.groups:
        return None
    found: str | None = matches[nth - 1].group(group)
    return found


def _like(text: str, pattern: str, flags: str = "") -> bool:
    return _compile(pattern, flags, "regexp_like")[0].test(text)


def _define() -> None:
    for flags in ("", ", text"):
        function(f"regexp_match(text, text{flags}) -> text[]", nullable=True)(_match)
        function(f"regexp_matches(text, text{flags}) -> setof text[]")(_all_matches)
        function(f"regexp_split_to_array(text, text{flags}) -> text[]")(
            lambda *arguments: ArrayValue.of(_split(*arguments))
        )
        function(f"regexp_split_to_table(text, text{flags}) -> setof text")(_split)
        function(f"regexp_like(text, text{flags}) -> bool")(_like)
    for more in ("", ", int4", ", int4, text"):
        function(f"regexp_count(text, text{more}) -> int4")(_count)
    chain = ["int4", "int4", "int4", "text", "int4"]
    for count in range(len(chain) + 1):
        types = "".join(f", {kind}" for kind in chain[:count])
        function(f"regexp_instr(text, text{types}) -> int4")(_instr)
    chain = ["int4", "int4", "text", "int4"]
    for count in range(len(chain) + 1):
        types = "".join(f", {kind}" for kind in chain[:count])
        function(f"regexp_substr(text, text{types}) -> text", nullable=True)(_substr)


_define()


@function("substring(text, text) -> text", nullable=True)
def _substring(text: str, pattern: str) -> str | None:
    """The first group where there is one, else the whole match."""
    compiled = compile_regex(pattern)
    match = compiled.search(text)
    if match is None:
        return None
    found: str | None = match.group(1 if compiled.groups else 0)
    return found


@function("substring(text, text, text) -> text", nullable=True)
def _substring_similar(text: str, pattern: str, escape: str) -> str | None:
    before, mark, rest = similar_to_regex(pattern, escape).partition("){1,1}?(")
    # What stands before the part that is looked for matches as little as it can.
    return _substring(text, (_lazily(before) if mark else before) + mark + rest)


_PART: Final = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|(?P<times>(?<!\()[*+?]|\{[^}]*\})|.", re.DOTALL)


def _lazily(regex: str) -> str:
    """The expression with each of its quantifiers as the one that takes least."""
    return "".join(
        match.group() + ("?" if match["times"] else "") for match in _PART.finditer(regex)
    )
