"""json and jsonb: taking apart, testing, changing.

Functions on json keep the text of what they take out; functions on jsonb give canonical text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from trilithon.core.errors import SqlError
from trilithon.expression.registry import function, operator, type_oid
from trilithon.types import json_value as jv
from trilithon.types.values import ArrayValue

_scan: Final = json.JSONDecoder(strict=True).raw_decode
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_JSON_SPACE: Final = " \t\n\r"


# --- json: slices of the text


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def members_of(text: str) -> list[tuple[str, str]] | list[str] | None:
    """(key, text of the value) of an object, texts of an array's elements, None of a scalar.

    The text was checked on input.
    """
    at = _skip(text, 0)
    opening = text[at : at + 1]
    if opening not in ("{", "["):
        return None
    pairs: list[tuple[str, str]] = []
    items: list[str] = []
    at = _skip(text, at + 1)
    while text[at] not in "}]":
        key = ""
        if opening == "{":
            key, at = _scan(text, at)
            at = _skip(text, _skip(text, at) + 1)
        start = at
        at = _scan(text, at)[1]
        if opening == "{":
            pairs.append((key, text[start:at]))
        else:
            items.append(text[start:at])
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return pairs if opening == "{" else items


def _json_field(text: str, key: str) -> str | None:
    members = members_of(text)
    found = None
    if members and isinstance(members[0], tuple):
        for name, value in members:
            if name == key:
                found = value
    return found


def _json_item(text: str, index: int) -> str | None:
    members = members_of(text)
    if not members or isinstance(members[0], tuple):
        return None
    index = index if index >= 0 else len(members) + index
    return str(members[index]) if 0 <= index < len(members) else None


def json_text(value: str | None) -> str | None:
    """What ->> gives: strings unquoted, null as NULL."""
    if value is None:
        return None
    stripped = value.strip(" \t\n\r")
    if stripped == "null":
        return None
    if stripped.startswith('"'):
        text: str = _scan(stripped)[0]
        return text
    return value


def _json_path(text: str | None, path: ArrayValue) -> str | None:
    if text is not None and not path.items:
        # PostgreSQL begins at the first token of an object or array, and with the text of anything else.
        bare = text.strip(_JSON_SPACE)
        return bare if bare[:1] in ("{", "[") else text.rstrip(_JSON_SPACE)
    for step in path.items:
        if text is None or step is None:
            return None
        if _SPACE.sub("", text, count=1).startswith("["):
            text = _json_item(text, int(step)) if re.fullmatch(r"\s*[+-]?\d+", step) else None
        else:
            text = _json_field(text, step)
    return text


def _define_json() -> None:
    flags: dict[str, Any] = {"nullable": True}
    _operator("json", "->", "text", "json", _json_field, **flags)
    _operator("json", "->", "int4", "json", _json_item, **flags)
    _operator("json", "->>", "text", "text", lambda t, k: json_text(_json_field(t, k)), **flags)
    _operator("json", "->>", "int4", "text", lambda t, i: json_text(_json_item(t, i)), **flags)
    _operator("json", "#>", "text[]", "json", _json_path, **flags)
    _operator("json", "#>>", "text[]", "text", lambda t, p: json_text(_json_path(t, p)), **flags)


def _operator(
    left: str, name: str, right: str, result: str, call: Callable[..., Any], **flags: Any
) -> None:
    operator(f"{left} {name} {right} -> {result}", **flags)(call)


_define_json()


# --- jsonb: loaded, changed, dumped


def _load(text: str) -> Any:
    return jv.load(text, "jsonb")


def _get(value: Any, step: Any) -> tuple[bool, Any]:
    """(found, value) of one step: a key of an object, an index of an array."""
    if isinstance(value, dict) and isinstance(step, str):
        return step in value, value.get(step)
    if isinstance(value, list):
        if isinstance(step, str):
            if not re.fullmatch(r"\s*[+-]?\d+", step):
                return False, None
            step = int(step)
        index = step if step >= 0 else len(value) + step
        if 0 <= index < len(value):
            return True, value[index]
    return False, None


def _entered(text: str, step: str | int) -> Any:
    """What one step goes into. To a number a scalar is an array of it, as PostgreSQL keeps it; to a name
    an array is nothing."""
    value = _load(text)
    if isinstance(step, int):
        return value if isinstance(value, dict | list) else [value]
    return None if isinstance(value, list) else value


def _field(text: str, step: str | int) -> str | None:
    value = _entered(text, step)
    found, item = _get(value, step)
    return jv.dump(item) if found else None


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else jv.dump(value)


def _field_text(text: str, step: str | int) -> str | None:
    return _as_text(_get(_entered(text, step), step)[1])


def _at_path(text: str, path: ArrayValue) -> tuple[bool, Any]:
    value = _load(text)
    for step in path.items:
        if step is None:
            return False, None
        found, value = _get(value, step)
        if not found:
            return False, None
    return True, value


def _path(text: str, path: ArrayValue) -> str | None:
    found, value = _at_path(text, path)
    return jv.dump(value) if found else None


def _path_text(text: str, path: ArrayValue) -> str | None:
    return _as_text(_at_path(text, path)[1])


for _step in ("text", "int4"):
    _operator("jsonb", "->", _step, "jsonb", _field, nullable=True)
    _operator("jsonb", "->>", _step, "text", _field_text, nullable=True)
_operator("jsonb", "#>", "text[]", "jsonb", _path, nullable=True)
_operator("jsonb", "#>>", "text[]", "text", _path_text, nullable=True)


def _extract(get: Callable[..., Any]) -> Callable[..., Any]:
    return lambda text, *steps: get(text, ArrayValue.of(steps))


for _kind, _get_json, _get_text in (
    ("json", _json_path, lambda t, p: json_text(_json_path(t, p))),
    ("jsonb", _path, _path_text),
):
    function(f"{_kind}_extract_path({_kind}, variadic text) -> {_kind}", nullable=True)(
        _extract(_get_json)
    )
    function(f"{_kind}_extract_path_text({_kind}, variadic text) -> text", nullable=True)(
        _extract(_get_text)
    )


# --- jsonb: tests


def _contains(left: Any, right: Any) -> bool:
    if isinstance(right, dict):
        return isinstance(left, dict) and all(
            key in left and _contains(left[key], item) for key, item in right.items()
        )
    if isinstance(right, list):
        return isinstance(left, list) and all(
            any(_contains(candidate, item) for candidate in left) for item in right
        )
    return _same_scalar(left, right)


def _same_scalar(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return type(left) is type(right) and bool(left == right)


@operator("jsonb @> jsonb -> bool")
def contains(left: str, right: str) -> bool:
    outer, inner = _load(left), _load(right)
    # At the top level an array may contain a scalar.
    if isinstance(outer, list) and not isinstance(inner, dict | list):
        inner = [inner]
    return _contains(outer, inner)


operator("jsonb <@ jsonb -> bool")(lambda left, right: contains(right, left))


@operator("jsonb ? text -> bool")
def has_key(text: str, key: str) -> bool:
    value = _load(text)
    return key in value if isinstance(value, dict | list) else value == key


operator("jsonb ?| text[] -> bool")(
    lambda text, keys: any(key is not None and has_key(text, key) for key in keys.items)
)
operator("jsonb ?& text[] -> bool")(
    lambda text, keys: all(key is None or has_key(text, key) for key in keys.items)
)


def _array_length(text: str) -> int:
    value = _load(text)
    if isinstance(value, list):
        return len(value)
    what = "non-array" if isinstance(value, dict) else "scalar"
    raise SqlError("22023", f"cannot get array length of a {what}")


for _kind in ("json", "jsonb"):
    function(f"{_kind}_typeof({_kind}) -> text")(lambda text: jv.kind_of(_load(text)))
    function(f"{_kind}_array_length({_kind}) -> int4")(_array_length)


# --- jsonb: changing


@operator("jsonb || jsonb -> jsonb")
def _concatenate(left: str, right: str) -> str:
    first, second = _load(left), _load(right)
    if isinstance(first, dict) and isinstance(second, dict):
        return jv.dump({**first, **second})
    first = first if isinstance(first, list) else [first]
    second = second if isinstance(second, list) else [second]
    return jv.dump(first + second)


@operator("jsonb - text -> jsonb")
def _delete_key(text: str, key: str) -> str:
    value = _load(text)
    if isinstance(value, dict):
        value.pop(key, None)
    elif isinstance(value, list):
        value = [item for item in value if item != key]
    else:
        raise SqlError("22023", "cannot delete from scalar")
    return jv.dump(value)


@operator("jsonb - text[] -> jsonb")
def _delete_keys(text: str, keys: ArrayValue) -> str:
    if len(keys.dimensions) > 1:
        raise SqlError("2202E", "wrong number of array subscripts")
    value = _load(text)
    if isinstance(value, dict):
        return jv.dump({key: item for key, item in value.items() if key not in keys.items})
    if isinstance(value, list):
        names = [key for key in keys.items if key is not None]
        return jv.dump([item for item in value if not (isinstance(item, str) and item in names)])
    raise SqlError("22023", "cannot delete from scalar")


@operator("jsonb - int4 -> jsonb")
def _delete_index(text: str, index: int) -> str:
    value = _load(text)
    if isinstance(value, dict):
        raise SqlError("22023", "cannot delete from object using integer index")
    if not isinstance(value, list):
        raise SqlError("22023", "cannot delete from scalar")
    index = index if index >= 0 else len(value) + index
    if 0 <= index < len(value):
        del value[index]
    return jv.dump(value)


def _path_index(value: list[Any], step: str, position: int) -> int:
    if not re.fullmatch(r"\s*[+-]?\d+", step):
        raise SqlError("22P02", f'path element at position {position} is not an integer: "{step}"')
    index = int(step)
    return index if index >= 0 else len(value) + index


def _steps(path: ArrayValue) -> list[str]:
    for number, step in enumerate(path.items, start=1):
        if step is None:
            raise SqlError("22004", f"path element at position {number} is null")
    return list(path.items)


@operator("jsonb #- text[] -> jsonb")
def _delete_path(text: str, path: ArrayValue) -> str:
    value = _load(text)
    if not isinstance(value, dict | list):
        raise SqlError("22023", "cannot delete path in scalar")
    if not value:
        return text
    steps = _steps(path)
    holder = value
    for number, step in enumerate(steps, start=1):
        last = number == len(steps)
        if isinstance(holder, dict):
            if step not in holder:
                break
            if last:
                del holder[step]
                break
            holder = holder[step]
        elif isinstance(holder, list):
            index = _path_index(holder, step, number)
            if not 0 <= index < len(holder):
                break
            if last:
                del holder[index]
                break
            holder = holder[index]
        else:
            break
    return jv.dump(value)


def _set(text: str, path: ArrayValue, new: str, create: bool = True) -> str:
    value, item, steps = _load(text), _load(new), _steps(path)
    if not isinstance(value, dict | list):
        raise SqlError("22023", "cannot set path in scalar")
    holder = value
    for number, step in enumerate(steps, start=1):
        last = number == len(steps)
        if isinstance(holder, dict):
            if last:
                if create or step in holder:
                    holder[step] = item
                break
            if step not in holder:
                break
            holder = holder[step]
        elif isinstance(holder, list):
            index = _path_index(holder, step, number)
            inside = 0 <= index < len(holder)
            if last:
                if inside:
                    holder[index] = item
                elif create:
                    holder.insert(0 if index < 0 else len(holder), item)
                break
            if not inside:
                break
            holder = holder[index]
        else:
            break
    return jv.dump(value)


function("jsonb_set(jsonb, text[], jsonb) -> jsonb")(_set)
function("jsonb_set(jsonb, text[], jsonb, bool) -> jsonb")(_set)


@function("jsonb_set_lax(jsonb, text[], jsonb) -> jsonb", strict=False, nullable=True)
@function("jsonb_set_lax(jsonb, text[], jsonb, bool) -> jsonb", strict=False, nullable=True)
@function("jsonb_set_lax(jsonb, text[], jsonb, bool, text) -> jsonb", strict=False, nullable=True)
def _set_lax(
    text: str | None,
    path: ArrayValue | None,
    new: str | None,
    create: bool | None = True,
    treatment: str | None = "use_json_null",
) -> str | None:
    if text is None or path is None or create is None:
        return None
    if new is not None:
        return _set(text, path, new, create)
    if treatment not in ("use_json_null", "delete_key", "return_target", "raise_exception"):
        raise SqlError(
            "22023",
            'null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"',
        )
    match treatment:
        case "use_json_null":
            return _set(text, path, "null", create)
        case "delete_key":
            return _delete_path(text, path)
        case "return_target":
            return text
    raise SqlError(
        "22004",
        "JSON value must not be null",
        detail='Exception was raised because null_value_treatment is "raise_exception".',
        hint="To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.",
    )


def _insert(text: str, path: ArrayValue, new: str, after: bool = False) -> str:
    value, item, steps = _load(text), _load(new), _steps(path)
    if not isinstance(value, dict | list):
        raise SqlError("22023", "cannot set path in scalar")
    holder = value
    for number, step in enumerate(steps, start=1):
        last = number == len(steps)
        if isinstance(holder, dict):
            if last:
                if step in holder:
                    raise SqlError(
                        "22023",
                        "cannot replace existing key",
                        hint="Try using the function jsonb_set to replace key value.",
                    )
                holder[step] = item
                break
            if step not in holder:
                break
            holder = holder[step]
        elif isinstance(holder, list):
            index = _path_index(holder, step, number)
            if last:
                holder.insert(max(0, min(index + after, len(holder))), item)
                break
            if not 0 <= index < len(holder):
                break
            holder = holder[index]
        else:
            break
    return jv.dump(value)


function("jsonb_insert(jsonb, text[], jsonb) -> jsonb")(_insert)
function("jsonb_insert(jsonb, text[], jsonb, bool) -> jsonb")(_insert)


def _strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strip(item) for key, item in value.items() if item is not None}
    return [_strip(item) for item in value] if isinstance(value, list) else value


function("jsonb_strip_nulls(jsonb) -> jsonb")(lambda text: jv.dump(_strip(_load(text))))


@function("json_strip_nulls(json) -> json")
def _strip_json(text: str) -> str:
    """Members keep their order and their doubles; nothing but strings and numbers is left as written."""
    found = members_of(text)
    if found is None:
        stripped = text.strip(" \t\n\r")
        return jv.quote(_scan(stripped)[0]) if stripped.startswith('"') else stripped
    if text.lstrip(" \t\n\r").startswith("["):
        return "[" + ",".join(_strip_json(str(item)) for item in found) + "]"
    pairs = [(pair[0], _strip_json(pair[1])) for pair in found if pair[1] != "null"]
    return "{" + ",".join(f"{jv.quote(key)}:{item}" for key, item in pairs) + "}"


@function("jsonb_pretty(jsonb) -> text")
def _pretty(text: str) -> str:
    parts: list[str] = []
    _pretty_into(_load(text), 0, parts)
    return "".join(parts)


def _pretty_into(value: Any, level: int, parts: list[str]) -> None:
    indent = "    " * (level + 1)
    if isinstance(value, dict):
        parts.append("{\n")
        for number, key in enumerate(sorted(value, key=jv.key_order)):
            parts.append(",\n" if number else "")
            parts.append(f"{indent}{jv.quote(key)}: ")
            _pretty_into(value[key], level + 1, parts)
        parts.append(("\n" if value else "") + "    " * level + "}")
    elif isinstance(value, list):
        parts.append("[\n")
        for number, item in enumerate(value):
            parts.append((",\n" if number else "") + indent)
            _pretty_into(item, level + 1, parts)
        parts.append(("\n" if value else "") + "    " * level + "]")
    else:
        parts.append(jv.dump(value))


# --- sets


def _elements(text: str) -> list[Any]:
    value = _load(text)
    if isinstance(value, list):
        return value
    what = "an object" if isinstance(value, dict) else "a scalar"
    raise SqlError("22023", f"cannot extract elements from {what}")


def _keys(kind: str) -> Callable[[str], Iterator[str]]:
    def keys(text: str) -> Iterator[str]:
        value = _load(text)
        if not isinstance(value, dict):
            what = "an array" if isinstance(value, list) else "a scalar"
            raise SqlError("22023", f"cannot call {kind}_object_keys on {what}")
        if kind == "jsonb":
            return iter(sorted(value, key=jv.key_order))
        return iter([str(pair[0]) for pair in members_of(text) or []])

    return keys


def _json_elements(text: str) -> list[str]:
    _elements(text)
    return [str(item) for item in members_of(text) or []]


function("jsonb_array_elements(jsonb) -> setof jsonb")(
    lambda text: [jv.dump(item) for item in _elements(text)]
)
function("jsonb_array_elements_text(jsonb) -> setof text")(
    lambda text: [_as_text(item) for item in _elements(text)]
)
function("json_array_elements(json) -> setof json")(_json_elements)
function("json_array_elements_text(json) -> setof text")(
    lambda text: [json_text(item) for item in _json_elements(text)]
)
for _kind in ("json", "jsonb"):
    function(f"{_kind}_object_keys({_kind}) -> setof text")(_keys(_kind))


def _json_each(name: str, take: Callable[[str], Any]) -> Callable[[str], Iterator[tuple[str, Any]]]:
    def each(text: str) -> Iterator[tuple[str, Any]]:
        value = _load(text)
        if not isinstance(value, dict):
            what = "an array as an object" if isinstance(value, list) else "a scalar"
            raise SqlError("22023", f"cannot deconstruct {what}")
        # Of an empty object there are no members.
        members: Any = members_of(text) or ()
        for key, item in members:
            yield key, take(item)

    return each


def _jsonb_each(
    name: str, take: Callable[[Any], Any]
) -> Callable[[str], Iterator[tuple[str, Any]]]:
    def each(text: str) -> Iterator[tuple[str, Any]]:
        value = _load(text)
        if not isinstance(value, dict):
            raise SqlError("22023", f"cannot call {name} on a non-object")
        for key in sorted(value, key=jv.key_order):
            yield key, take(value[key])

    return each


def _define_each(kind: str, each: Callable[..., Any], value: Any, text: Any) -> None:
    for name, type_, take in ((f"{kind}_each", kind, value), (f"{kind}_each_text", "text", text)):
        columns = (("key", type_oid("text")), ("value", type_oid(type_)))
        function(f"{name}({kind}) -> setof record", columns=columns)(each(name, take))


_define_each("json", _json_each, lambda item: item, json_text)
_define_each("jsonb", _jsonb_each, jv.dump, _as_text)
