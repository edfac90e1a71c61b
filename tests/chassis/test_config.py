"""The configuration file: what is accepted, and how each mistake is named."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.chassis.load import ConfigError, check, find_process, load, processes_of
from trilithon.chassis.render import PortChooser, default_config, to_toml, with_addresses


def written(folder: Path, text: str) -> Path:
    path = folder / "cluster.toml"
    path.write_text(text)
    return path


def problems(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text))
    return str(caught.value)


@pytest.fixture
def plain() -> str:
    return to_toml(default_config(cluster="test"))


def test_the_default_is_valid_and_survives_its_file(tmp_path: Path) -> None:
    config = default_config(cluster="test")
    read = load(written(tmp_path, to_toml(config)))
    assert list(check(read)) == []
    assert [region.name for region in read.regions] == ["a", "b", "w"]
    assert read.region("w").witness
    for _, _, process in processes_of(read):
        if process.data:
            assert process.data == str(tmp_path / process.name)
    addresses = [process.address for _, _, process in processes_of(config)]
    assert addresses == [process.address for _, _, process in processes_of(read)]
    assert read.limits == config.limits


@settings(max_examples=25, deadline=None)
@given(
    regions=st.integers(1, 5),
    query=st.integers(1, 3),
    adjudicator=st.integers(1, 3),
    storage=st.integers(1, 7),
)
def test_every_shape_is_valid(regions: int, query: int, adjudicator: int, storage: int) -> None:
    config = default_config(
        cluster="test",
        regions=tuple("abcde"[:regions]),
        query=query,
        adjudicator=adjudicator,
        storage=storage,
        preferred_ports=False,
    )
    assert list(check(config)) == []
    assert sum(len(region.journal) for region in config.regions) % 2 == 1


def test_values_survive_the_file(tmp_path: Path) -> None:
    config = msgspec.structs.replace(
        default_config(cluster="test"),
        lease_ttl_ms=777,
        log_level="debug",
        limits=msgspec.structs.replace(ClusterConfig("x", ()).limits, tables=5),
    )
    read = load(written(tmp_path, to_toml(config)))
    assert (read.lease_ttl_ms, read.log_level, read.limits.tables) == (777, "debug", 5)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('cluster = "test"', "cluster = 7", "cluster = 7: Expected `str`, got `int`"),
        ('cluster = "test"', 'cluster = "a b"', "cluster = 'a b': expected a name"),
        (
            'cluster = "test"',
            'cluster = "test"\nlease_ttl_ms = "1s"',
            "lease_ttl_ms = '1s': Expected `int`",
        ),
        (
            'cluster = "test"',
            'cluster = "test"\nlease_ttl_ms = 5',
            "lease_ttl_ms = 5: expected 100 to 60000",
        ),
        ('cluster = "test"', 'cluster = "test"\nleese = 1', "unknown field `leese`"),
        (
            'cluster = "test"',
            'cluster = "test"\nauthentication = "md5"',
            "authentication = 'md5': expected 'trust' or 'scram-sha-256'",
        ),
        ('cluster = "test"', 'cluster = "test"\nlog_level = "loud"', "log_level = 'loud'"),
        (
            'cluster = "test"',
            'cluster = "test"\nlimits.message_bytes = 1000',
            "limits.message_bytes = 1000: expected at least 11534336",
        ),
        (
            'cluster = "test"',
            'cluster = "test"\nlimits.value_bytes = 3000000',
            "limits.value_bytes = 3000000: expected at most limits.row_bytes = 2097152",
        ),
        (
            'cluster = "test"',
            'cluster = "test"\nlimits.key_bytes = 4000',
            "limits.key_bytes = 4000: expected 1 to 1900",
        ),
        (
            'cluster = "test"',
            'cluster = "test"\ntls.certificate = "no.pem"',
            "tls.key is missing",
        ),
        (
            'cluster = "test"',
            'cluster = "test"\ntls.certificate = "no.pem"\ntls.key = "no.pem"',
            "expected a readable PEM file (No such file",
        ),
        ('name = "b"', 'name = "a"', "2 are named 'a'; expected unique names"),
        (
            "witness = true",
            "",
            "region 'w': has no query; expected at least one",
        ),
        ('"b/journal-0"', '"a/journal-0"', "name = 'a/journal-0': used 2 times"),
        ('"b/journal-0"', '"journal"', "name = 'journal': expected the form 'b/journal-0'"),
        ('name = "a/storage-0"', 'name = "a/storage-0"\nslot_first = 3', "slots 0 to 2 belong to"),
        (
            'name = "a/storage-0"',
            'name = "a/storage-0"\nslot_last = 1000',
            "slots 1001 to 1023 belong to no storage",
        ),
        ('name = "a/storage-0"', 'name = "a/storage-0"\nslot_last = 5000', "slot_last = 5000"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, plain: str, old: str, new: str, expected: str) -> None:
    assert old in plain
    assert expected in problems(tmp_path, plain.replace(old, new, 1))


def region(name: str, **changes: object) -> RegionConfig:
    [made, *_] = default_config(cluster="x", regions=(name,), preferred_ports=False).regions
    return msgspec.structs.replace(made, **changes)


def test_structural_mistakes_are_named() -> None:
    a = region("a")
    cases = {
        "at least one full Region": (RegionConfig("w", True, journal=a.journal[:1]),),
        "expected an odd number": (msgspec.structs.replace(a, journal=a.journal[:2]),),
        "has no adjudicator": (msgspec.structs.replace(a, adjudicator=()),),
        "witness has 1 query": (a, msgspec.structs.replace(a, name="w", witness=True)),
        "address = 'nowhere'; expected host:port": (
            msgspec.structs.replace(a, query=(ProcessConfig("a/q", "nowhere", "x:1"),)),
        ),
        "expected host:port with a port of 0 to 65535": (
            msgspec.structs.replace(a, query=(ProcessConfig("a/q", "h:99999", "x:1"),)),
        ),
        "postgresql is missing": (
            msgspec.structs.replace(a, query=(ProcessConfig("a/q", "h:1"),)),
        ),
        "expected in query processors only": (
            msgspec.structs.replace(a, adjudicator=(ProcessConfig("a/x", "h:1", "h:2"),)),
        ),
        "data is missing": (msgspec.structs.replace(a, storage=(ProcessConfig("a/s", "h:1"),)),),
        "expected in journals and storage only": (
            msgspec.structs.replace(a, adjudicator=(ProcessConfig("a/x", "h:1", data="d"),)),
        ),
        "used 2 times": (
            msgspec.structs.replace(
                a, adjudicator=(msgspec.structs.replace(a.query[0], name="a/x", postgresql=""),)
            ),
        ),
        "belong to two storage": (
            msgspec.structs.replace(
                a,
                storage=(
                    ProcessConfig("a/s0", "h:1", data="0", slot_last=600),
                    ProcessConfig("a/s1", "h:2", data="1", slot_first=500),
                ),
            ),
        ),
    }
    for expected, regions in cases.items():
        found = "\n".join(check(ClusterConfig("x", regions)))
        assert expected in found, (expected, found)


def test_no_file_and_no_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nothing.toml")
    assert "is no valid TOML" in problems(tmp_path, "cluster = ")
    assert "is no valid TOML" in problems(tmp_path, "\x00")


def test_processes_are_found_by_name() -> None:
    config = default_config(cluster="test")
    assert find_process(config, "w/journal-0")[1] == "witness"
    found_region, role, process = find_process(config, "b/storage-0")
    assert (found_region.name, role, process.name) == ("b", "storage", "b/storage-0")
    with pytest.raises(ConfigError, match="expected one of a/query-0"):
        find_process(config, "c/storage-0")


def test_a_region_can_see_the_others_elsewhere() -> None:
    config = default_config(cluster="test")
    seen = with_addresses(
        config, lambda region, process: process.address if region.name == "a" else "x:1"
    )
    assert seen.region("a") == config.region("a")
    assert {process.address for process in seen.region("b").journal} == {"x:1"}
    assert seen.region("b").query[0].postgresql == config.region("b").query[0].postgresql


def test_ports_are_given_once() -> None:
    ports = PortChooser("127.0.0.1")
    given = [ports.any() for _ in range(50)]
    assert len(set(given)) == 50
    first = ports.prefer(19_997)
    assert ports.prefer(19_997) != first
