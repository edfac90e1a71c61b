"""LIKE, SIMILAR TO and PostgreSQL's regular expressions (ARE).

LIKE is matched by its own matcher, whose cost is bounded by pattern × text. Regular expressions are
translated for the `regex` library, in its POSIX mode (leftmost, longest) unless a non-greedy quantifier
asks otherwise, and searches have time limits (search_budget): a pattern that explodes ends in SQLSTATE
54001.

PostgreSQL gives the longest text to the earliest part of a pattern, backtracking engines give what they
find first. Where the two can differ (greedy beside non-greedy quantifiers, groups that alternatives
divide in several ways) a function that returns parts refuses with 0A000; whether a pattern matches is
never in doubt. Collating elements other than single characters are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.core.lazy import LazyModule
from trilithon.expression.search_budget import bounded

regex: Final[Any] = LazyModule("regex")

PATTERN_MAX: Final = 100_000
REPETITIONS_MAX: Final = 255

Matcher = Callable[[str], bool]


# --- LIKE


@lru_cache(maxsize=1024)
def like_matcher(pattern: str) -> Matcher:
    """% any text, _ any character, backslash escapes. Raises SqlError 22025."""
    segments: list[list[str | None]] = [[]]
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "%":
            segments.append([])
        elif character == "_":
            segments[-1].append(None)
        else:
            if character == "\\":
                at += 1
                if at >= len(pattern):
                    return _ends_with_escape(pattern[:-1])
                character = pattern[at]
            segments[-1].append(character)
        at += 1
    return _segments_matcher(segments)


def _ends_with_escape(rest: str) -> Matcher:
    """The lone escape at the end is an error once a text has got that far with more to come."""
    reaches = like_matcher(rest + "_%")

    def match(text: str) -> bool:
        if reaches(text):
            raise SqlError("22025", "LIKE pattern must not end with escape character")
        return False

    return match


def _segments_matcher(segments: list[list[str | None]]) -> Matcher:
    if all(None not in segment for segment in segments):
        texts = ["".join(part or "" for part in segment) for segment in segments]
        return _literal_matcher(texts)
    first, *middle = segments
    if not middle:
        return lambda text: len(text) == len(first) and _fits(text, 0, first)
    last = middle.pop()
    wanted = [segment for segment in middle if segment]

    def match(text: str) -> bool:
        end = len(text) - len(last)
        if end < len(first) or not _fits(text, 0, first) or not _fits(text, end, last):
            return False
        at = len(first)
        for segment in wanted:
            while at + len(segment) <= end and not _fits(text, at, segment):
                at += 1
            if at + len(segment) > end:
                return False
            at += len(segment)
        return True

    return match


def _fits(text: str, at: int, segment: list[str | None]) -> bool:
    return all(part is None or text[at + number] == part for number, part in enumerate(segment))


def _literal_matcher(texts: list[str]) -> Matcher:
    """Without _: string searches only."""
    if len(texts) == 1:
        return texts[0].__eq__
    first, last = texts[0], texts[-1]
    middle = [text for text in texts[1:-1] if text]
    shortest = len(first) + len(last)
    if not middle:
        return lambda text: len(text) >= shortest and text.startswith(first) and text.endswith(last)

    def match(text: str) -> bool:
        end = len(text) - len(last)
        if end < len(first) or not text.startswith(first) or not text.endswith(last):
            return False
        at = len(first)
        for part in middle:
            found = text.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    return match


def bytes_like_matcher(pattern: bytes) -> Callable[[bytes], bool]:
    """LIKE for bytea: byte by byte."""
    matcher = like_matcher(pattern.decode("latin-1"))
    return lambda data: matcher(data.decode("latin-1"))


def replace_escape(pattern: str, escape: str) -> str:
    """LIKE … ESCAPE: the pattern with backslash as its escape. Raises SqlError 22025."""
    if len(escape) > 1:
        raise SqlError(
            "22025",
            "invalid escape string",
            hint="Escape string must be empty or one character.",
        )
    if escape == "\\":
        return pattern
    out: list[str] = []
    escaped = False
    for character in pattern:
        if escape and character == escape and not escaped:
            out.append("\\")
            escaped = True
        elif character == "\\":
            out.append("\\\\" if not escaped else "\\")
            escaped = False
        else:
            out.append(character)
            escaped = False
    return "".join(out)


# --- SIMILAR TO


def similar_to_regex(pattern: str, escape: str = "\\") -> str:
    """similar_escape(): an SQL pattern as an ARE, anchored at both ends."""
    if len(escape) > 1:
        raise SqlError(
            "22025", "invalid escape string", hint="Escape string must be empty or one character."
        )
    out = ["^(?:"]
    escaped = in_set = False
    separators = 0
    for character in pattern:
        if escaped:
            if character == '"' and not in_set:
                if separators == 0:
                    out.append("){1,1}?(")
                elif separators == 1:
                    out.append("){1,1}(?:")
                else:
                    raise SqlError(
                        "2200C",
                        "SQL regular expression may not contain more than two escape-double-quote "
                        "separators",
                    )
                separators += 1
            else:
                out.append("\\" + character)
            escaped = False
        elif character == escape:
            escaped = True
        elif in_set:
            out.append("\\\\" if character == "\\" else character)
            in_set = character != "]"
        elif character == "[":
            out.append(character)
            in_set = True
        elif character == "%":
            out.append(".*")
        elif character == "_":
            out.append(".")
        elif character == "(":
            out.append("(?:")
        elif character in "\\.^$":
            out.append("\\" + character)
        else:
            out.append(character)
    return "".join(out) + ")$"


# --- regular expressions


def _invalid(reason: str) -> SqlError:
    return SqlError("2201B", f"invalid regular expression: {reason}")


_CLASSES: Final = frozenset(
    [
        "alnum",
        "alpha",
        "ascii",
        "blank",
        "cntrl",
        "digit",
        "graph",
        "lower",
        "print",
        "punct",
        "space",
        "upper",
        "word",
        "xdigit",
    ]
)
_CLASS_SETS: Final = {"ascii": r"\x00-\x7f", "word": r"\w", "digit": r"\d", "space": r"\s"}
_SIMPLE_ESCAPES: Final = {
    "a": "\\x07", "b": "\\x08", "e": "\\x1b", "f": "\\f", "n": "\\n", "r": "\\r", "t": "\\t",
    "v": "\\v", "B": "\\\\",
}  # fmt: skip
_CONSTRAINTS: Final = {
    "A": "\\A",
    "Z": "\\Z",
    "m": "(?:(?<!\\w)(?=\\w))",
    "M": "(?:(?<=\\w)(?!\\w))",
    "y": "(?:\\b)",
    "Y": "(?:\\B)",
}
_SPECIAL_OUTSIDE: Final = frozenset("\\^$.|?*+()[]{}")


class _Translator:
    """One pattern of PostgreSQL as a pattern of the regex library."""

    def __init__(self, pattern: str, options: str, *, backwards: bool = False) -> None:
        """`backwards` tries alternatives last to first: same language, other groups."""
        self.backwards = backwards
        self.alternatives = False
        self.greedy = False
        self.pattern = pattern
        self.at = 0
        self.options = options
        self.groups = 0
        self.open = 0
        self.lazy = False
        self.partial_newline = "p" in options or "n" in options or "m" in options
        self.line_anchors = "w" in options or "n" in options or "m" in options
        self.expanded = "x" in options

    def translate(self) -> str:
        # One list of branches for each group that is open, and what opened it.
        stack: list[tuple[str, list[list[str]]]] = [("", [[]])]
        quantifiable = False
        while self.at < len(self.pattern):
            character = self.pattern[self.at]
            if character in "*+?" or (character == "{" and self._is_bound()):
                if not quantifiable:
                    raise _invalid("quantifier operand invalid")
                stack[-1][1][-1].append(self._quantifier())
                quantifiable = False
                continue
            piece, quantifiable = self._atom(character)
            if character == "|":
                self.alternatives = True
                stack[-1][1].append([])
            elif character == "(" and piece:
                stack.append((piece, [[]]))
            elif character == ")":
                opening, branches = stack.pop()
                stack[-1][1][-1].append(f"{opening}{self._join(branches)})")
            else:
                stack[-1][1][-1].append(piece)
        if self.open:
            raise _invalid("parentheses () not balanced")
        return self._join(stack[0][1])

    def _join(self, branches: list[list[str]]) -> str:
        ordered = reversed(branches) if self.backwards else branches
        return "|".join("".join(branch) for branch in ordered)

    def _is_bound(self) -> bool:
        following = self.pattern[self.at + 1 : self.at + 2]
        return following.isdigit()

    def _quantifier(self) -> str:
        character = self.pattern[self.at]
        self.at += 1
        text = character
        if character == "{":
            end = self.pattern.find("}", self.at)
            body = self.pattern[self.at : end] if end >= 0 else ""
            low, comma, high = body.partition(",")
            if end < 0 or not low.isdigit() or (high and not high.isdigit()):
                raise _invalid("invalid repetition count(s)")
            if int(low) > REPETITIONS_MAX or (
                high and (int(high) > REPETITIONS_MAX or int(high) < int(low))
            ):
                raise _invalid("invalid repetition count(s)")
            self.at = end + 1
            text = "{" + low + comma + high + "}"
        if self.pattern[self.at : self.at + 1] == "?":
            self.at += 1
            self.lazy = True
            text += "?"
        elif not (text[0] == "{" and "," not in text):
            self.greedy = True
        return text

    def _atom(self, character: str) -> tuple[str, bool]:
        """(translation, whether a quantifier may follow)."""
        self.at += 1
        match character:
            case "\\":
                return self._escape()
            case "[":
                return self._bracket()
            case "(":
                return self._group()
            case ")":
                if not self.open:
                    raise _invalid("parentheses () not balanced")
                self.open -= 1
                return ")", True
            case "|":
                return "|", False
            case ".":
                return ("[^\\n]" if self.partial_newline else "(?s:.)"), True
            case "^":
                return ("(?m:^)" if self.line_anchors else "\\A"), False
            case "$":
                return ("(?m:$)" if self.line_anchors else "\\Z"), False
        if self.expanded and (character.isspace() or character == "#"):
            if character == "#":
                end = self.pattern.find("\n", self.at)
                self.at = len(self.pattern) if end < 0 else end
            return "", False
        return (
            "\\" + character if character in _SPECIAL_OUTSIDE else regex.escape(character)
        ), True

    def _group(self) -> tuple[str, bool]:
        rest = self.pattern[self.at : self.at + 3]
        if rest.startswith("?#"):
            end = self.pattern.find(")", self.at)
            self.at = len(self.pattern) if end < 0 else end + 1
            return "", False
        for opening in ("?:", "?=", "?!", "?<=", "?<!"):
            if rest.startswith(opening):
                self.at += len(opening)
                self.open += 1
                return "(" + opening, False
        if rest.startswith("?"):
            raise _invalid("quantifier operand invalid")
        self.open += 1
        self.groups += 1
        return f"(?P<g{self.groups}>", False

    def _hex(self, digits: int, *, exact: bool) -> str:
        text = ""
        while len(text) < digits and self.pattern[self.at : self.at + 1] in set(
            "0123456789abcdefABCDEF"
        ):
            text += self.pattern[self.at]
            self.at += 1
        if not text or (exact and len(text) != digits):
            raise _invalid("invalid escape \\ sequence")
        code = int(text, 16)
        if code > 0x10FFFF:
            raise _invalid("invalid escape \\ sequence")
        return str(regex.escape(chr(code)))

    def _escape(self, *, inside: bool = False) -> tuple[str, bool]:
        if self.at >= len(self.pattern):
            raise _invalid("invalid escape \\ sequence")
        character = self.pattern[self.at]
        self.at += 1
        if character in "dsw":
            return "\\" + character, True
        if character in "DSW":
            if inside:
                return "\\" + character, True
            return "\\" + character, True
        if character in _SIMPLE_ESCAPES:
            return _SIMPLE_ESCAPES[character], True
        match character:
            case "x":
                return self._hex(255, exact=False), True
            case "u":
                return self._hex(4, exact=True), True
            case "U":
                return self._hex(8, exact=True), True
            case "c":
                control = self.pattern[self.at : self.at + 1]
                self.at += 1
                return f"\\x{ord(control or '@') & 31:02x}", True
        if inside:
            if character.isalnum():
                raise _invalid("invalid escape \\ sequence")
            return "\\" + character, True
        if character in _CONSTRAINTS:
            return _CONSTRAINTS[character], False
        if character.isdigit():
            return self._digits(character)
        if character.isalpha():
            raise _invalid("invalid escape \\ sequence")
        return regex.escape(character), True

    def _digits(self, first: str) -> tuple[str, bool]:
        text = first
        while self.pattern[self.at : self.at + 1].isdigit() and len(text) < 3:
            text += self.pattern[self.at]
            self.at += 1
        if first != "0" and (len(text) == 1 or int(text) <= self.groups):
            if int(text) > self.groups:
                raise _invalid("invalid backreference number")
            return f"(?P=g{int(text)})", True
        if any(digit in "89" for digit in text):
            raise _invalid("invalid backreference number")
        return regex.escape(chr(int(text, 8))), True

    def _bracket(self) -> tuple[str, bool]:
        for word, translation in (("[[:<:]]", "m"), ("[[:>:]]", "M")):
            if self.pattern.startswith(word, self.at - 1):
                self.at += len(word) - 1
                return _CONSTRAINTS[translation], False
        negated = self.pattern[self.at : self.at + 1] == "^"
        self.at += negated
        items: list[str] = []
        first = True
        while True:
            if self.at >= len(self.pattern):
                raise _invalid("brackets [] not balanced")
            character = self.pattern[self.at]
            if character == "]" and not first:
                self.at += 1
                break
            first = False
            items.append(self._member())
            if self.pattern[self.at : self.at + 1] == "-" and self.pattern[
                self.at + 1 : self.at + 2
            ] not in ("]", ""):
                self.at += 1
                low, high = items[-1], self._member()
                if _character_of(low) > _character_of(high):
                    raise _invalid("invalid character range")
                items[-1] = f"{low}-{high}"
        body = "".join(items)
        if negated and self.partial_newline:
            body += "\\n"
        return f"[{'^' if negated else ''}{body}]", True

    def _member(self) -> str:
        character = self.pattern[self.at]
        following = self.pattern[self.at + 1 : self.at + 2]
        if character == "[" and following in (":", ".", "="):
            end = self.pattern.find(following + "]", self.at + 2)
            if end < 0:
                raise _invalid("brackets [] not balanced")
            name = self.pattern[self.at + 2 : end]
            self.at = end + 2
            if following == ":":
                if name.lower() not in _CLASSES:
                    raise _invalid("invalid character class")
                return _CLASS_SETS.get(name.lower()) or f"[:{name.lower()}:]"
            if len(name) != 1:
                raise _invalid("invalid collating element")
            return str(regex.escape(name))
        self.at += 1
        if character == "\\":
            return self._escape(inside=True)[0]
        return "\\" + character if character in "\\[]^-&~|" else character


def _character_of(item: str) -> str:
    """The character that a member of a bracket stands for, for checking ranges."""
    if len(item) == 1:
        return item
    if item.startswith("\\x"):
        return chr(int(item[2:], 16))
    if len(item) == 2 and item[0] == "\\" and item[1] not in "dswDSW":
        return {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}.get(item[1], item[1])
    raise _invalid("invalid character range")


class Regex:
    """A compiled pattern. All methods raise SqlError 54001 when the time limit is hit.

    `test` only says whether; the others give matches, and refuse (0A000) where PostgreSQL might divide
    the text otherwise.
    """

    __slots__ = ("_backwards", "_compiled", "_unclear", "groups")

    def __init__(
        self, compiled: Any, groups: int, backwards: Any = None, unclear: bool = False
    ) -> None:
        self._compiled = compiled
        self._backwards = backwards
        self._unclear = unclear
        self.groups = groups

    def test(self, text: str) -> bool:
        return bounded(self._compiled.search, text, 0) is not None

    def search(self, text: str, at: int = 0) -> Any:
        """The first match as PostgreSQL finds it, or None."""
        if self._unclear:
            raise _unclear()
        match = bounded(self._compiled.search, text, at)
        if match is not None and self._backwards is not None:
            self._compare(match, bounded(self._backwards.search, text, at))
        return match

    def matches(self, text: str, at: int = 0) -> list[Any]:
        """All matches, left to right; an empty one right after another match counts."""
        if self._unclear:
            raise _unclear()
        found = _all_matches(self._compiled, text, at)
        if self._backwards is not None:
            others = _all_matches(self._backwards, text, at)
            if len(others) != len(found):
                raise _unclear()
            for match, other in zip(found, others, strict=True):
                self._compare(match, other)
        return found

    def _compare(self, match: Any, other: Any) -> None:
        """Alternatives tried in either order must divide the text the same way."""
        if other is None or any(
            match.span(group) != other.span(group) for group in range(self.groups + 1)
        ):
            raise _unclear()


def _unclear() -> SqlError:
    return SqlError(
        "0A000",
        "regular expression divides its text in several ways",
        hint="Greedy and non-greedy quantifiers together, and groups beside alternatives of different "
        "lengths, are not supported where parts of a match are returned.",
    )


def _all_matches(compiled: Any, text: str, at: int) -> list[Any]:
    found: list[Any] = bounded(
        lambda *where, timeout: list(compiled.finditer(*where, timeout=timeout)), text, at
    )
    return found


@lru_cache(maxsize=512)
def compile_regex(pattern: str, options: str = "") -> Regex:
    """`options` are the letters of regexp_match() but g. Raises SqlError 2201B, 22023."""
    if len(pattern) > PATTERN_MAX:
        raise _invalid("regular expression is too complex")
    literal = "q" in options
    if pattern.startswith("***="):
        pattern, literal = pattern[4:], True
    elif pattern.startswith("***:"):
        pattern = pattern[4:]
    elif pattern.startswith("***"):
        raise _invalid("quantifier operand invalid")
    if not literal and pattern.startswith("(?") and pattern[2:3].isalpha():
        end = pattern.find(")")
        letters = pattern[2:end] if end >= 0 else ""
        if not letters.isalpha() or set(letters) - set("bceimnpqstwx"):
            raise _invalid("invalid embedded option")
        options += letters
        pattern = pattern[end + 1 :]
        literal = "q" in letters
    bad = set(options) - set("bceimnpqstwx")
    if bad:
        raise SqlError("22023", f'invalid regular expression option: "{min(bad)}"')
    if not literal and _kind(options) != "a" and _ADVANCED.search(pattern):
        # PostgreSQL takes both letters for basic expressions, where most of these characters are no operators.
        raise SqlError("0A000", "this pattern as a basic regular expression is not supported")
    insensitive = _last_of(options, "i", "c")
    flags = regex.V0 | (regex.IGNORECASE if insensitive else 0)
    if literal:
        return Regex(regex.compile(regex.escape(pattern), flags), 0)
    translator = _Translator(pattern, options)
    translated = translator.translate()
    # Between anchors the whole match is one, however greedy its parts are.
    anchored = translated.startswith("\\A") and translated.endswith("\\Z")
    unclear = translator.lazy and not anchored and (translator.greedy or translator.alternatives)
    if not translator.lazy:
        flags |= regex.POSIX
    try:
        backwards = None
        if translator.alternatives and translator.groups:
            other = _Translator(pattern, options, backwards=True).translate()
            backwards = regex.compile(other, flags)
        compiled = regex.compile(translated, flags)
        return Regex(compiled, translator.groups, backwards, unclear)
    except (regex.error, RecursionError, OverflowError) as error:
        raise _invalid(str(error)) from None


# What basic regular expressions read otherwise than advanced ones.
_ADVANCED: Final = re.compile(r"[\\+?|(){}*^$]")


def _kind(options: str) -> str:
    """ "b" (or "e") where the last option that says so asks for basic regular expressions."""
    return next((letter for letter in reversed(options) if letter in "be"), "a")


def _last_of(options: str, wanted: str, other: str) -> bool:
    """Of two options that contradict each other the last one counts."""
    return options.rfind(wanted) > options.rfind(other)
