"""Making configurations: the one that `trilithon up` starts with, variants of it, and their TOML."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from trilithon.chassis.config import SLOT_COUNT, ClusterConfig, ProcessConfig, RegionConfig
from trilithon.chassis.load import ROLES

# Below the ports that the kernel gives to outgoing connections (32768 up), so that nobody takes
# them while a process is down.
_PORT_FIRST: Final = 17_000
_PORT_LAST: Final = 31_999
POSTGRESQL_PORT_FIRST: Final = 15_432
GRPC_PORT_FIRST: Final = 16_432


class PortChooser:
    """Free ports of `host`, each given once. `taken` are promised to others, bound or not."""

    def __init__(
        self, host: str, source: random.Random | None = None, *, taken: Iterable[int] = ()
    ) -> None:
        self._host = host
        self._random = source or random.Random()
        self._given = set(taken)

    def prefer(self, port: int) -> str:
        """`port` when it is free, else any."""
        if port not in self._given and self._free(port):
            self._given.add(port)
            return f"{self._host}:{port}"
        return self.any()

    def any(self) -> str:
        for _ in range(10_000):
            port = self._random.randint(_PORT_FIRST, _PORT_LAST)
            if port not in self._given and self._free(port):
                self._given.add(port)
                return f"{self._host}:{port}"
        raise OSError(f"no free port from {_PORT_FIRST} to {_PORT_LAST} on {self._host}")

    def _free(self, port: int) -> bool:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._host, port))
            except OSError:
                return False
        return True


def default_config(
    *,
    cluster: str,
    regions: tuple[str, ...] = ("a", "b"),
    query: int = 1,
    adjudicator: int = 1,
    storage: int = 1,
    host: str = "127.0.0.1",
    preferred_ports: bool = True,
    source: random.Random | None = None,
) -> ClusterConfig:
    """Full Regions of these names, each with so many processes of each role.

    An even number of Regions gets the witness "w" beside it, one Region alone three journals; any
    other odd number votes among itself. Data folders are relative (to the file). Ports are free now.
    """
    ports = PortChooser(host, source)
    journals = 3 if len(regions) == 1 else 1

    def port(preferred: int) -> str:
        return ports.prefer(preferred) if preferred_ports else ports.any()

    def query_processor(region: int, number: int) -> ProcessConfig:
        # The first of each Region gets the well-known port, the others what is free.
        offset = region if number == 0 else region + 100 * number
        return ProcessConfig(
            name=f"{regions[region]}/query-{number}",
            address=port(GRPC_PORT_FIRST + offset),
            postgresql=port(POSTGRESQL_PORT_FIRST + offset),
            metrics=ports.any(),
        )

    def journal(region: str, number: int) -> ProcessConfig:
        name = f"{region}/journal-{number}"
        return ProcessConfig(name=name, address=ports.any(), metrics=ports.any(), data=name)

    def storage_process(region: str, number: int) -> ProcessConfig:
        name = f"{region}/storage-{number}"
        return ProcessConfig(
            name=name,
            address=ports.any(),
            metrics=ports.any(),
            data=name,
            slot_first=number * SLOT_COUNT // storage,
            slot_last=(number + 1) * SLOT_COUNT // storage - 1,
        )

    def adjudicator_process(region: str, number: int) -> ProcessConfig:
        name = f"{region}/adjudicator-{number}"
        return ProcessConfig(name=name, address=ports.any(), metrics=ports.any())

    made = [
        RegionConfig(
            name=name,
            query=tuple(query_processor(position, number) for number in range(query)),
            adjudicator=tuple(adjudicator_process(name, number) for number in range(adjudicator)),
            journal=tuple(journal(name, number) for number in range(journals)),
            storage=tuple(storage_process(name, number) for number in range(storage)),
        )
        for position, name in enumerate(regions)
    ]
    if len(regions) % 2 == 0:
        made.append(RegionConfig(name="w", witness=True, journal=(journal("w", 0),)))
    return ClusterConfig(cluster=cluster, regions=tuple(made))


def with_addresses(
    config: ClusterConfig, address: Callable[[RegionConfig, ProcessConfig], str]
) -> ClusterConfig:
    """The same cluster with other gRPC addresses: what one Region sees of the others through proxies."""
    regions = tuple(
        msgspec.structs.replace(
            region,
            **{
                role: tuple(
                    msgspec.structs.replace(process, address=address(region, process))
                    for process in getattr(region, role)
                )
                for role in ROLES
            },
        )
        for region in config.regions
    )
    return msgspec.structs.replace(config, regions=regions)


def to_toml(config: ClusterConfig) -> str:
    """The file that `load` reads; what equals the default is left out."""
    lines: list[str] = []
    plain = msgspec.to_builtins(config)
    tables = {key: plain.pop(key) for key in ("limits", "tls", "postgresql_tls")}
    regions = plain.pop("regions")
    defaults = msgspec.to_builtins(ClusterConfig(cluster="", regions=()))
    lines += _assignments(plain, defaults)
    for key, table in tables.items():
        changed = _assignments(table, defaults[key])
        if changed:
            lines += ["", f"[{key}]", *changed]
    region_defaults = msgspec.to_builtins(RegionConfig(name=""))
    process_defaults = msgspec.to_builtins(ProcessConfig(name="", address=""))
    for region in regions:
        roles = {role: region.pop(role) for role in ROLES}
        lines += ["", "[[regions]]", *_assignments(region, region_defaults)]
        for role, processes in roles.items():
            for process in processes:
                lines += [
                    "",
                    f"[[regions.{role}]]",
                    *_assignments(process, process_defaults),
                ]
    return "\n".join(lines) + "\n"


def _assignments(table: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    # JSON's strings, integers and booleans are valid TOML.
    return [
        f"{key} = {json.dumps(value)}" for key, value in table.items() if value != defaults.get(key)
    ]


def write_file(path: Path, text: str) -> None:
    """Replace the file in one step: a reader sees the old or the new text, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
