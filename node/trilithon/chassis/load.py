"""Reading the configuration file. Every complaint names the key, the value and what was expected."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from trilithon.chassis.config import (
    SLOT_COUNT,
    ClusterConfig,
    Limits,
    ProcessConfig,
    RegionConfig,
    TlsConfig,
)

ROLES: Final = ("query", "adjudicator", "journal", "storage")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
# LMDB keys end at 1,978 bytes; ids before and the CSN after the columns take 16 of them.
KEY_BYTES_MAX: Final = 1_900
# What a commit's message carries besides the write set.
_COMMIT_OVERHEAD_BYTES: Final = 1024 * 1024

Problems = Iterator[str]


class ConfigError(Exception):
    """The configuration cannot be used; `problems` says why, one sentence each."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        super().__init__("\n".join([f"{source}:", *(f"  {problem}" for problem in problems)]))


def load(path: str | Path) -> ClusterConfig:
    """Read, check and complete the file: relative paths count from its folder. ConfigError."""
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), [f"cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [f"is no valid TOML: {error}"]) from None
    try:
        config = msgspec.convert(raw, ClusterConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(str(path), [_explain(str(error), raw)]) from None
    config = _with_absolute_paths(config, path.resolve().parent)
    problems = list(check(config))
    if problems:
        raise ConfigError(str(path), problems)
    return config


def _explain(message: str, raw: Any) -> str:
    """Turn msgspec's "Expected `int`, got `str` - at `$.lease_ttl_ms`" into key, value, expected."""
    text, _, place = message.partition(" - at ")
    path = place.strip("`").removeprefix("$").removeprefix(".")
    value = raw
    for step in re.findall(r"[^.\[\]]+", path):
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return f"{path}: {text}"
    if isinstance(value, dict | list):
        return f"{path or 'the file'}: {text}"
    return f"{path} = {value!r}: {text}"


def _with_absolute_paths(config: ClusterConfig, folder: Path) -> ClusterConfig:
    def absolute(value: str) -> str:
        return str(folder / value) if value else ""

    def processes(role: tuple[ProcessConfig, ...]) -> tuple[ProcessConfig, ...]:
        return tuple(
            msgspec.structs.replace(process, data=absolute(process.data)) for process in role
        )

    def tls(files: TlsConfig) -> TlsConfig:
        return TlsConfig(absolute(files.certificate), absolute(files.key), absolute(files.ca))

    regions = tuple(
        msgspec.structs.replace(
            region, **{role: processes(getattr(region, role)) for role in ROLES}
        )
        for region in config.regions
    )
    return msgspec.structs.replace(
        config, regions=regions, tls=tls(config.tls), postgresql_tls=tls(config.postgresql_tls)
    )


def check(config: ClusterConfig) -> Problems:
    """Everything that is wrong with a configuration, in words."""
    if not _NAME.fullmatch(config.cluster):
        yield f"cluster = {config.cluster!r}: expected a name of letters, digits, '.', '_' and '-'"
    yield from _check_regions(config)
    yield from _check_processes(config)
    yield from _check_numbers(config)
    yield from _check_limits(config.limits)
    yield from _check_tls("tls", config.tls)
    yield from _check_tls("postgresql_tls", config.postgresql_tls)
    yield from _check_choice("authentication", config.authentication, ("trust", "scram-sha-256"))
    levels = ("debug", "info", "warning", "error")
    yield from _check_choice("log_level", config.log_level, levels)


def _check_regions(config: ClusterConfig) -> Problems:
    for name, count in Counter(region.name for region in config.regions).items():
        if count > 1:
            yield f"regions: {count} are named {name!r}; expected unique names"
    if not any(not region.witness for region in config.regions):
        yield "regions: expected at least one full Region (witness = false)"
    journals = sum(len(region.journal) for region in config.regions)
    if journals % 2 == 0:
        yield f"regions: {journals} journals in all; expected an odd number, so that majorities are clear"
    for region in config.regions:
        where = f"region {region.name!r}"
        if not _NAME.fullmatch(region.name):
            yield f"{where}: expected a name of letters, digits, '.', '_' and '-'"
        for role in ROLES:
            count = len(getattr(region, role))
            if region.witness and role != "journal" and count:
                yield f"{where}: a witness has {count} {role}; expected journals only"
            elif not count and (role == "journal" or not region.witness):
                yield f"{where}: has no {role}; expected at least one"
        if not region.witness and region.storage:
            yield from _check_slots(region)


def _check_slots(region: RegionConfig) -> Problems:
    expected = 0
    for process in sorted(region.storage, key=lambda one: one.slot_first):
        first, last = process.slot_first, process.slot_last
        if not 0 <= first <= last < SLOT_COUNT:
            yield (
                f"{process.name}: slot_first = {first}, slot_last = {last}; expected "
                f"0 <= slot_first <= slot_last <= {SLOT_COUNT - 1}"
            )
            return
        if first != expected:
            what = "belong to nobody" if first > expected else "belong to two storage processes"
            low, high = sorted((first, expected))
            yield (
                f"{process.name}: slot_first = {first}; expected {expected}, "
                f"as slots {low} to {high - 1} {what}"
            )
            return
        expected = last + 1
    if expected != SLOT_COUNT:
        yield (
            f"region {region.name!r}: slots {expected} to {SLOT_COUNT - 1} belong to no storage; "
            f"expected 0 to {SLOT_COUNT - 1} to be covered"
        )


def processes_of(config: ClusterConfig) -> Iterator[tuple[RegionConfig, str, ProcessConfig]]:
    """Every process with its Region and the list it stands in."""
    for region in config.regions:
        for role in ROLES:
            for process in getattr(region, role):
                yield region, role, process


def _check_processes(config: ClusterConfig) -> Problems:
    names: Counter[str] = Counter()
    addresses: Counter[str] = Counter()
    folders: Counter[str] = Counter()
    for region, role, process in processes_of(config):
        names[process.name] += 1
        prefix, _, rest = process.name.partition("/")
        if prefix != region.name or not _NAME.fullmatch(rest):
            yield f"name = {process.name!r}: expected the form '{region.name}/{role}-0'"
        optional = ("postgresql", "metrics")
        for key in ("address", *optional):
            value = getattr(process, key)
            if not value and key in optional:
                continue
            host, port = split_address(value)
            if not host:
                yield f"{process.name}: {key} = {value!r}; expected host:port with a port of 0 to 65535"
            elif port:
                addresses[value] += 1
        if role == "query" and not process.postgresql:
            yield f"{process.name}: postgresql is missing; expected host:port"
        if role != "query" and process.postgresql:
            yield f"{process.name}: postgresql = {process.postgresql!r}; expected in query processors only"
        if role in ("journal", "storage"):
            if process.data:
                folders[process.data] += 1
            else:
                yield f"{process.name}: data is missing; expected the data folder of this {role}"
        elif process.data:
            yield f"{process.name}: data = {process.data!r}; expected in journals and storage only"
    for what, counter in (("name", names), ("address", addresses), ("data", folders)):
        for value, count in counter.items():
            if count > 1:
                yield f"{what} = {value!r}: used {count} times; expected to be unique in the cluster"


def split_address(address: str) -> tuple[str, int]:
    """("host", port) of "host:port" or "[v6]:port"; ("", 0) when it is none."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):([0-9]{1,5})", address)
    if match is None or int(match[2]) > 65_535:
        return "", 0
    return match[1], int(match[2])


def _check_numbers(config: ClusterConfig) -> Problems:
    yield from _check_range("lease_ttl_ms", config.lease_ttl_ms, 100, 60_000)
    yield from _check_range("availability_timeout_ms", config.availability_timeout_ms, 100, 600_000)
    yield from _check_range("retention_s", config.retention_s, 0, 365 * 86_400)
    yield from _check_range("log_bytes_max", config.log_bytes_max, 64 * 1024 * 1024, 1 << 50)


def _check_limits(limits: Limits) -> Problems:
    for field in msgspec.structs.fields(limits):
        yield from _check_range(f"limits.{field.name}", getattr(limits, field.name), 1, 1 << 40)
    yield from _check_range("limits.key_bytes", limits.key_bytes, 1, KEY_BYTES_MAX)
    for smaller, larger in (
        ("value_bytes", "row_bytes"),
        ("row_bytes", "transaction_bytes"),
    ):
        low, high = getattr(limits, smaller), getattr(limits, larger)
        if low > high:
            yield f"limits.{smaller} = {low}: expected at most limits.{larger} = {high}"
    needed = limits.transaction_bytes + _COMMIT_OVERHEAD_BYTES
    if limits.message_bytes < needed:
        yield (
            f"limits.message_bytes = {limits.message_bytes}: expected at least {needed}, "
            "since a commit of limits.transaction_bytes travels as one message"
        )
    yield from _check_range("limits.message_bytes", limits.message_bytes, 1, (1 << 31) - (1 << 20))


def _check_range(key: str, value: int, low: int, high: int) -> Problems:
    if not low <= value <= high:
        yield f"{key} = {value}: expected {low} to {high}"


def _check_choice(key: str, value: str, choices: tuple[str, ...]) -> Problems:
    if value not in choices:
        yield f"{key} = {value!r}: expected {' or '.join(repr(choice) for choice in choices)}"


def _check_tls(key: str, tls: TlsConfig) -> Problems:
    if bool(tls.certificate) != bool(tls.key):
        missing = "key" if tls.certificate else "certificate"
        yield f"{key}.{missing} is missing; expected certificate and key together"
    if tls.ca and not tls.certificate:
        yield f"{key}.certificate is missing; expected with {key}.ca, which asks for certificates"
    for name in ("certificate", "key", "ca"):
        file = getattr(tls, name)
        if not file:
            continue
        try:
            with open(file, "rb") as opened:
                if b"-----BEGIN" not in opened.read():
                    yield f"{key}.{name} = {file!r}: expected a PEM file"
        except OSError as error:
            yield f"{key}.{name} = {file!r}: expected a readable PEM file ({error.strerror})"


def ports_of(config: ClusterConfig) -> set[int]:
    """Every port that the configuration gives away."""
    return {
        split_address(address)[1]
        for _, _, process in processes_of(config)
        for address in (process.address, process.postgresql, process.metrics)
        if address
    }


def find_process(config: ClusterConfig, name: str) -> tuple[RegionConfig, str, ProcessConfig]:
    """The Region, the role (query, adjudicator, journal, storage or witness) and the process."""
    for region, role, process in processes_of(config):
        if process.name == name:
            return region, "witness" if region.witness else role, process
    known = ", ".join(process.name for _, _, process in processes_of(config))
    raise ConfigError(
        "--process", [f"{name!r} is not in the configuration; expected one of {known}"]
    )
