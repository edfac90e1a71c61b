"""jsonpath: from text to a tree.

Vocabulary (PostgreSQL's jsonpath_gram.y)
- *chain*: items of which each takes what the one before it gave; the first one is a start (`$`, `@`, a
  literal, a variable, an operator), the others are accessors, methods and filters.
- *predicate*: an item that is true, false or unknown. It is no operand of arithmetic, but may begin a chain.

Regular expressions of like_regex are kept as they are written. What they are is known to
`trilithon.expression`, which leaves its check here. The way back to text is `jsonpath_text`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.types import numeric

# Parser and evaluation recurse: both stay far from Python's limit.
DEPTH_MAX: Final = 60
CHAIN_MAX: Final = 200

Chain = tuple["Item", ...]

COMPARISONS: Final = ("==", "!=", "<>", "<", "<=", ">", ">=")
METHODS: Final = ("type", "size", "double", "abs", "floor", "ceiling", "keyvalue")
# The level of `**` that means "the last one".
LAST_LEVEL: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Item:
    """One item. `kind` says what `value` and `args` are:

    null, root, current, last, any_key, any_array: nothing; bool, numeric, string: the value;
    variable, key: the name; any: (first level, last level); index: pairs (from, to or None) of chains;
    filter, exists, not, unknown: args[0]; unary: "+" or "-" and args[0]; binary: the operator and two
    args; like_regex: (pattern, flags) and args[0]; method: its name; datetime: the template or None.
    """

    kind: str
    value: Any = None
    args: tuple[Chain, ...] = ()


@dataclass(frozen=True, slots=True)
class JsonPath:
    lax: bool
    chain: Chain


@dataclass(frozen=True, slots=True)
class _Token:
    """`kind`: word (not quoted), string, variable, number, integer, symbol, end."""

    kind: str
    text: str
    source: str


_SPECIAL: Final = r"\?%$.\[\]{}()|&!=<>@#,*:\-+/\\\"\s"
_BLANK: Final = re.compile(r"(?:[ \t\n\r\f]+|/\*.*?\*/)+", re.DOTALL)
_NUMBER: Final = re.compile(
    r"(?P<real>(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)[Ee][-+]?\d+)"
    r"|(?P<decimal>(?:0|[1-9]\d*)\.\d*|\.\d+)|(?P<integer>0|[1-9]\d*)",
    re.ASCII,
)
_SYMBOL: Final = re.compile(r"\*\*|&&|\|\||==|!=|<>|<=|>=|[?%$.\[\]{}()|&!=<>@#,*:\-+/]")
_PLAIN: Final = re.compile(rf"[^{_SPECIAL}]+")
_QUOTED: Final = re.compile(r'[^"\\]+')
_SIMPLE_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE: Final = re.compile(
    r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL
)


def _syntax(text: str, what: str = "syntax error") -> SqlError:
    where = f'at or near "{text}"' if text else "at end"
    return SqlError("42601", f"{what} {where} of jsonpath input")


_pattern_checks: Final[list[Callable[[str, str], object]]] = []


def add_pattern_check(check: Callable[[str, str], object]) -> None:
    """`check` (pattern, flags) raises SqlError for a pattern that like_regex cannot have."""
    _pattern_checks.append(check)


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def tokens(self) -> list[_Token]:
        found: list[_Token] = []
        while True:
            blank = _BLANK.match(self.text, self.at)
            self.at = blank.end() if blank else self.at
            if self.at >= len(self.text):
                return [*found, _Token("end", "", "")]
            begin = self.at
            kind, value = self._next()
            found.append(_Token(kind, value, self.text[begin : self.at]))

    def _next(self) -> tuple[str, str]:
        character = self.text[self.at]
        if self.text.startswith("/*", self.at):
            raise _syntax("", "unexpected end of comment")
        if character == '"':
            return "string", self._quoted()
        if character == "$" and self.at + 1 < len(self.text):
            following = self.text[self.at + 1]
            if following == '"':
                self.at += 1
                return "variable", self._quoted()
            if _PLAIN.match(following):
                self.at += 1
                return "variable", self._word()
        number = _NUMBER.match(self.text, self.at)
        if number is not None:
            return self._number(number)
        symbol = _SYMBOL.match(self.text, self.at)
        if symbol is not None:
            self.at = symbol.end()
            return "symbol", symbol.group()
        begin = self.at
        word = self._word()
        # What was written with an escape is never a keyword.
        escaped = "\\" in self.text[begin : self.at]
        return ("name" if escaped else "word"), word

    def _number(self, match: re.Match[str]) -> tuple[str, str]:
        self.at = match.end()
        text = match.group()
        if self.text[self.at : self.at + 1] not in ("", "\\") and _PLAIN.match(self.text, self.at):
            raise _syntax(text + self.text[self.at], "trailing junk after numeric literal")
        return ("integer" if match.lastgroup == "integer" else "number"), text

    def _word(self) -> str:
        parts = []
        while self.at < len(self.text):
            plain = _PLAIN.match(self.text, self.at)
            if plain is not None:
                parts.append(plain.group())
                self.at = plain.end()
            elif self.text[self.at] == "\\":
                parts.append(self._escape())
            else:
                break
        return _characters("".join(parts))

    def _quoted(self) -> str:
        self.at += 1
        parts = []
        while True:
            plain = _QUOTED.match(self.text, self.at)
            if plain is not None:
                parts.append(plain.group())
                self.at = plain.end()
            if self.at >= len(self.text):
                raise _syntax("", "unterminated quoted string")
            if self.text[self.at] == '"':
                self.at += 1
                return _characters("".join(parts))
            parts.append(self._escape())

    def _escape(self) -> str:
        match = _ESCAPE.match(self.text, self.at)
        if match is None:
            raise _syntax("", "unexpected end after backslash")
        braced, four, two, simple = match.groups()
        self.at = match.end()
        if simple is not None:
            if simple in "ux":
                kind = "Unicode escape" if simple == "u" else "hexadecimal character"
                raise _syntax(match.group(), f"invalid {kind} sequence")
            return _SIMPLE_ESCAPES.get(simple, simple)
        code = int(braced or four or two, 16)
        if code == 0:
            raise SqlError(
                "22P05",
                "unsupported Unicode escape sequence",
                detail="\\u0000 cannot be converted to text.",
            )
        if code > 0x10FFFF:
            raise SqlError("22P02", "invalid Unicode escape sequence")
        return chr(code)


_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE: Final = re.compile("[\ud800-\udfff]")


def _characters(text: str) -> str:
    """Surrogate pairs as the characters that they stand for. Raises SqlError 22P02."""
    joined = _PAIR.sub(
        lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"), text
    )
    if _LONE.search(joined):
        raise SqlError(
            "22P02",
            "invalid input syntax for type jsonpath",
            detail="Unicode low surrogate must follow a high surrogate.",
        )
    return joined


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.at = tokens, 0
        self.depth = 0
        # How deep in filters, where @ has a meaning, and in subscripts, where last has one.
        self.filters = self.subscripts = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def error(self) -> SqlError:
        return _syntax(self.token.source)

    def is_symbol(self, *symbols: str) -> bool:
        return self.token.kind == "symbol" and self.token.text in symbols

    def is_word(self, *words: str) -> bool:
        return self.token.kind == "word" and self.token.text.lower() in words

    def take(self) -> _Token:
        token = self.token
        self.at += 1
        return token

    def expect(self, text: str) -> None:
        word = text.isalpha()
        if not (self.is_word(text) if word else self.is_symbol(text)):
            raise self.error()
        self.at += 1

    def parse(self) -> JsonPath:
        lax = True
        if self.is_word("lax", "strict"):
            lax = self.take().text.lower() == "lax"
        chain = self.any_expression()[0]
        if self.token.kind != "end":
            raise self.error()
        return JsonPath(lax, chain)

    # --- predicates and expressions: each gives (chain, whether it is a predicate)

    def any_expression(self) -> tuple[Chain, bool]:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise SqlError("54001", "stack depth limit exceeded")
        found = self.logical("||", ("&&",))
        self.depth -= 1
        return found

    def logical(self, operator: str, tighter: tuple[str, ...]) -> tuple[Chain, bool]:
        def operand() -> tuple[Chain, bool]:
            return self.logical(tighter[0], ()) if tighter else self.comparison()

        left, predicate = operand()
        count = 0
        while self.is_symbol(operator):
            if not predicate:
                raise self.error()
            self.take()
            right, predicate = operand()
            if not predicate:
                raise self.error()
            left = self.joined(operator, left, right)
            count += 1
            self.bound(count)
        return left, predicate

    def bound(self, count: int) -> None:
        """Operators of one level nest to the left."""
        if count > CHAIN_MAX:
            raise SqlError("54001", "stack depth limit exceeded")

    @staticmethod
    def joined(operator: str, left: Chain, right: Chain) -> Chain:
        return (Item("binary", operator, (left, right)),)

    def predicate(self) -> Chain:
        chain, predicate = self.any_expression()
        if not predicate:
            raise self.error()
        return chain

    def expression(self) -> Chain:
        chain, predicate = self.any_expression()
        if predicate:
            raise self.error()
        return chain

    def comparison(self) -> tuple[Chain, bool]:
        if self.is_symbol("!"):
            self.take()
            return (Item("not", None, (self.delimited(),)),), True
        left, predicate = self.additive()
        if predicate:
            return left, True
        if self.is_symbol(*COMPARISONS):
            operator = self.take().text
            right, predicate = self.additive()
            if predicate:
                raise self.error()
            return self.joined("!=" if operator == "<>" else operator, left, right), True
        if self.is_word("starts"):
            self.take()
            self.expect("with")
            if self.token.kind not in ("string", "variable"):
                raise self.error()
            initial = self.take()
            right = (Item(initial.kind, initial.text),)
            return self.joined("starts with", left, right), True
        if self.is_word("like_regex"):
            self.take()
            return self.like_regex(left), True
        return left, False

    def delimited(self) -> Chain:
        """What `!` takes: a predicate in parentheses, or exists."""
        if self.is_word("exists"):
            return self.exists()
        self.expect("(")
        chain = self.predicate()
        self.expect(")")
        return chain

    def exists(self) -> Chain:
        self.expect("exists")
        self.expect("(")
        chain = self.expression()
        self.expect(")")
        return (Item("exists", None, (chain,)),)

    def like_regex(self, left: Chain) -> Chain:
        if self.token.kind != "string":
            raise self.error()
        pattern, flags = self.take().text, ""
        if self.is_word("flag"):
            self.take()
            if self.token.kind != "string":
                raise self.error()
            flags = self.take().text
        for letter in flags:
            if letter not in "ismxq":
                raise SqlError(
                    "42601",
                    "invalid input syntax for type jsonpath",
                    detail=f'Unrecognized flag character "{letter}" in LIKE_REGEX predicate.',
                )
        if "x" in flags and "q" not in flags:
            raise SqlError(
                "0A000", 'XQuery "x" flag (expanded regular expressions) is not implemented'
            )
        kept = "".join(letter for letter in "ismxq" if letter in flags)
        for check in _pattern_checks:
            check(pattern, kept)
        return (Item("like_regex", (pattern, kept), (left,)),)

    def additive(self) -> tuple[Chain, bool]:
        return self.arithmetic(("+", "-"), self.multiplicative)

    def multiplicative(self) -> tuple[Chain, bool]:
        return self.arithmetic(("*", "/", "%"), self.unary)

    def arithmetic(self, operators: tuple[str, ...], operand: Any) -> tuple[Chain, bool]:
        left, predicate = operand()
        count = 0
        while not predicate and self.is_symbol(*operators):
            operator = self.take().text
            right, bad = operand()
            if bad:
                raise self.error()
            left = self.joined(operator, left, right)
            count += 1
            self.bound(count)
        return left, predicate

    def unary(self) -> tuple[Chain, bool]:
        signs = []
        while self.is_symbol("+", "-"):
            signs.append(self.take().text)
            self.bound(len(signs))
        chain, predicate = self.accessors()
        if predicate and signs:
            raise self.error()
        for sign in reversed(signs):
            if len(chain) == 1 and chain[0].kind == "numeric":
                value = chain[0].value
                chain = (Item("numeric", numeric.normal(-value) if sign == "-" else value),)
            else:
                chain = (Item("unary", sign, (chain,)),)
        return chain, predicate

    def accessors(self) -> tuple[Chain, bool]:
        chain, predicate = self.primary()
        more = []
        while self.is_symbol(".", "[", "?"):
            more.append(self.accessor())
            self.bound(len(more))
        if not more:
            return chain, predicate
        return chain + tuple(more), False

    def primary(self) -> tuple[Chain, bool]:
        if self.is_symbol("("):
            self.take()
            chain, predicate = self.any_expression()
            self.expect(")")
            if predicate and self.is_word("is"):
                self.take()
                self.expect("unknown")
                return (Item("unknown", None, (chain,)),), True
            return chain, predicate
        if self.is_word("exists"):
            return self.exists(), True
        return (self.start(),), False

    def start(self) -> Item:
        token = self.take()
        match token.kind, token.text:
            case "symbol", "$":
                return Item("root")
            case "symbol", "@":
                if not self.filters:
                    raise SqlError("42601", "@ is not allowed in root expressions")
                return Item("current")
            case ("string" | "variable") as kind, text:
                return Item(kind, text)
            case (("number" | "integer"), text):
                return Item("numeric", numeric.normal(Decimal(text)))
            case "word", "null":
                return Item("null")
            case "word", ("true" | "false") as text:
                return Item("bool", text == "true")
            case "word", text if text.lower() == "last":
                if not self.subscripts:
                    raise SqlError("42601", "LAST is allowed only in array subscripts")
                return Item("last")
        self.at -= 1
        raise self.error()

    # --- accessors

    def accessor(self) -> Item:
        symbol = self.take().text
        if symbol == "?":
            self.expect("(")
            self.filters += 1
            chain = self.predicate()
            self.filters -= 1
            self.expect(")")
            return Item("filter", None, (chain,))
        if symbol == "[":
            return self.subscript()
        if self.is_symbol("**"):
            self.take()
            return Item("any", self.levels())
        if self.is_symbol("*"):
            self.take()
            return Item("any_key")
        return self.member()

    def subscript(self) -> Item:
        if self.is_symbol("*"):
            self.take()
            self.expect("]")
            return Item("any_array")
        pairs: list[tuple[Chain, Chain | None]] = []
        self.subscripts += 1
        while True:
            first = self.expression()
            last = None
            if self.is_word("to"):
                self.take()
                last = self.expression()
            pairs.append((first, last))
            if not self.is_symbol(","):
                break
            self.take()
        self.subscripts -= 1
        self.expect("]")
        return Item("index", tuple(pairs))

    def levels(self) -> tuple[int, int]:
        if not self.is_symbol("{"):
            return 0, LAST_LEVEL
        self.take()
        first = self.level()
        last = first
        if self.is_word("to"):
            self.take()
            last = self.level()
        self.expect("}")
        return first, last

    def level(self) -> int:
        token = self.token
        if self.is_word("last"):
            self.take()
            return LAST_LEVEL
        if token.kind != "integer":
            raise self.error()
        self.take()
        value = int(token.text[:12])
        if value > 0x7FFF_FFFF:
            raise SqlError("22003", f'value "{token.text}" is out of range for type integer')
        return value

    def member(self) -> Item:
        token = self.token
        if token.kind not in ("word", "name", "string"):
            raise self.error()
        self.take()
        if token.kind == "word" and self.is_symbol("("):
            name = token.text.lower()
            if name in METHODS:
                self.take()
                self.expect(")")
                return Item("method", name)
            if name == "datetime":
                self.take()
                template = self.take().text if self.token.kind == "string" else None
                self.expect(")")
                return Item("datetime", template)
            raise self.error()
        return Item("key", token.text)


@lru_cache(maxsize=512)
def parse(text: str) -> JsonPath:
    """Raises SqlError 22P02, 42601, 0A000, and 54001 for what nests too deep."""
    tokens = _Lexer(text).tokens()
    if len(tokens) == 1:
        raise SqlError("22P02", f'invalid input syntax for type jsonpath: "{text}"')
    return _Parser(tokens).parse()
