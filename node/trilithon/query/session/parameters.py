"""Configuration parameters: what exists, which values are legal, how they are shown.

A value is kept in its canonical text form, as SHOW prints it without units; `canonical` makes it from
what a client wrote. Contexts: "user" may be SET; "start" only in the startup packet; "server" and
"fixed" cannot be changed by a session. Parameters that Trilithon does not heed are accepted when every
legal value means the same here; where a value would change results and is not honoured, only the
honoured values are legal (`honoured`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from trilithon.core.errors import SqlError

_TRUE: Final = ("true", "yes", "on", "1")
_FALSE: Final = ("false", "no", "off", "0")
_MEMORY_UNITS: Final = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_TIME_UNITS: Final = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_NUMBER: Final = re.compile(
    r"\s*([+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?))\s*([A-Za-z]*)\s*"
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`honoured`: the only values that are legal although PostgreSQL knows more. `report`: changes are
    told to the client in ParameterStatus."""

    name: str
    kind: str
    default: str
    context: str = "user"
    unit: str = ""
    minimum: float = 0
    maximum: float = 0
    choices: tuple[str, ...] = ()
    description: str = ""
    honoured: tuple[str, ...] = ()
    report: bool = False
    hidden: bool = False


def canonical(parameter: Parameter, text: str) -> str:
    """The canonical form of a value. Raises SqlError 22023."""
    match parameter.kind:
        case "bool":
            value = _boolean(parameter, text)
        case "integer":
            value = str(_integer(parameter, text))
        case "real":
            value = _real(parameter, text)
        case "enum":
            value = _choice(parameter, text)
        case _:
            value = text
    if parameter.honoured and value.lower() not in parameter.honoured:
        raise SqlError(
            "0A000",
            f'parameter "{parameter.name}" cannot be set to "{text}"',
            hint="Supported: " + ", ".join(f'"{one}"' for one in parameter.honoured) + ".",
        )
    return value


def parse_boolean(text: str) -> bool | None:
    """PostgreSQL's parse_bool: unique prefixes of true, false, yes, no, on, off; None: none of them."""
    lowered = text.strip().lower()
    if not lowered:
        return None
    if lowered in ("1", "on") or any(word.startswith(lowered) for word in ("true", "yes")):
        return True
    if lowered == "0" or any(word.startswith(lowered) for word in ("false", "no")):
        return False
    # "o" alone is ambiguous between on and off.
    return False if lowered in ("of", "off") else None


def _boolean(parameter: Parameter, text: str) -> str:
    value = parse_boolean(text)
    if value is None:
        raise SqlError("22023", f'parameter "{parameter.name}" requires a Boolean value')
    return "on" if value else "off"


def _choice(parameter: Parameter, text: str) -> str:
    lowered = text.strip().lower()
    if lowered in parameter.choices:
        return lowered
    if "on" in parameter.choices or "off" in parameter.choices:
        boolean = parse_boolean(text)
        if boolean is not None and ("on" if boolean else "off") in parameter.choices:
            return "on" if boolean else "off"
    raise invalid_value(
        parameter.name, text, hint="Available values: " + ", ".join(parameter.choices) + "."
    )


def invalid_value(name: str, text: str, *, detail: str = "", hint: str = "") -> SqlError:
    return SqlError(
        "22023", f'invalid value for parameter "{name}": "{text}"', detail=detail, hint=hint
    )


def _units(unit: str) -> Mapping[str, int]:
    if not unit:
        return {}
    return _TIME_UNITS if unit in _TIME_UNITS else _MEMORY_UNITS


def _base(unit: str) -> int:
    """The size of one of the parameter's own units, in bytes or µs."""
    multiple, name = re.fullmatch(r"(\d*)(\w+)", unit).groups()  # type: ignore[union-attr]
    return int(multiple or 1) * _units(name)[name]


def _number(parameter: Parameter, text: str) -> float:
    found = _NUMBER.fullmatch(text)
    units = _units(re.sub(r"^\d+", "", parameter.unit))
    if found is None or (found[2] and found[2] not in units):
        hint = ""
        if found is not None and units:
            listed = ", ".join(f'"{unit}"' for unit in units)
            hint = f"Valid units for this parameter are {listed}."
        raise invalid_value(parameter.name, text, hint=hint)
    digits = found[1]
    number = float(int(digits, 16)) if "x" in digits.lower() else float(digits)
    if found[2]:
        number = number * units[found[2]] / _base(parameter.unit)
    return number


def _check_range(parameter: Parameter, number: float, shown: str) -> None:
    if not parameter.minimum <= number <= parameter.maximum:
        raise SqlError(
            "22023",
            f"{shown}{' ' + parameter.unit if parameter.unit else ''} is outside the valid range "
            f'for parameter "{parameter.name}" ({parameter.minimum:g} .. {parameter.maximum:g})'
            if parameter.kind == "real"
            else f"{shown}{' ' + parameter.unit if parameter.unit else ''} is outside the valid range "
            f'for parameter "{parameter.name}" ({int(parameter.minimum)} .. {int(parameter.maximum)})',
        )


def _integer(parameter: Parameter, text: str) -> int:
    number = _number(parameter, text)
    if abs(number) > 2**62:
        raise invalid_value(parameter.name, text, hint="Value exceeds integer range.")
    rounded = round(number)
    _check_range(parameter, rounded, str(rounded))
    return rounded


def _real(parameter: Parameter, text: str) -> str:
    number = _number(parameter, text)
    _check_range(parameter, number, f"{number:g}")
    return f"{number:.6g}" if float(f"{number:.6g}") == number else repr(number)


def shown(parameter: Parameter, value: str) -> str:
    """As SHOW prints it: integers with units in the largest unit that divides them."""
    if not parameter.unit or parameter.kind != "integer":
        return value
    number = int(value)
    if number <= 0:
        return value
    name = re.sub(r"^\d+", "", parameter.unit)
    size = number * _base(parameter.unit)
    for unit, factor in sorted(_units(name).items(), key=lambda pair: -pair[1]):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return value


def time_ms(value: str) -> int:
    """A canonical integer in ms."""
    return int(value)
