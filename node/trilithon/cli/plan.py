"""From a data folder and options to what is to be started: configuration, proxies, commands."""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig
from trilithon.chassis.load import ConfigError, load, ports_of, processes_of
from trilithon.chassis.render import (
    PortChooser,
    default_config,
    to_toml,
    with_addresses,
    write_file,
)
from trilithon.cli.state import DataFolder

# The order in which roles start; they stop in the opposite one.
START_ORDER = ("proxy", "witness", "journal", "storage", "adjudicator", "query")


@dataclass(frozen=True, slots=True)
class Command:
    """One process to be started."""

    name: str
    region: str
    role: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    folder: DataFolder
    config_file: Path
    config: ClusterConfig
    commands: tuple[Command, ...]
    # Of the proxy between Regions; empty without one.
    proxy_control: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a new cluster is to look like; used when the data folder has none yet."""

    regions: tuple[str, ...] = ("a", "b")
    query: int = 1
    adjudicator: int = 1
    storage: int = 1
    preferred_ports: bool = True
    lease_ttl_ms: int = 0
    extra: dict[str, object] = field(default_factory=dict)


def find_or_make_config(folder: DataFolder, shape: Shape) -> Path:
    """The folder's cluster.toml, made once: ports and the cluster's id stay the same."""
    path = folder.config_file
    if path.exists():
        return path
    cluster = f"local-{random.SystemRandom().getrandbits(48):012x}"
    try:
        config = default_config(
            cluster=cluster,
            regions=shape.regions,
            query=shape.query,
            adjudicator=shape.adjudicator,
            storage=shape.storage,
            preferred_ports=shape.preferred_ports,
        )
    except OSError as error:
        raise ConfigError(str(path), [str(error)]) from None
    text = to_toml(config)
    if shape.lease_ttl_ms:
        text = f"lease_ttl_ms = {shape.lease_ttl_ms}\n{text}"
    for key, value in shape.extra.items():
        text = f"{key} = {json.dumps(value)}\n{text}"
    write_file(path, text)
    return path


def make_plan(folder: DataFolder, config_file: Path, *, rtt_ms: float | None) -> Plan:
    """Check the configuration and lay out every process.

    With `rtt_ms` (0 counts) each Region gets a configuration of its own, in which the other
    Regions' addresses are those of a proxy.
    """
    config_file = config_file.resolve()
    config = load(config_file)
    for _, _, process in processes_of(config):
        if process.data:
            Path(process.data).parent.mkdir(parents=True, exist_ok=True)
    files = {region.name: config_file for region in config.regions}
    commands: list[Command] = []
    control = ""
    if rtt_ms is not None:
        control = str(Path(tempfile.mkdtemp(prefix="trilithon-")) / "proxy.sock")
        files = _write_proxied(folder, config, rtt_ms, control)
        proxy_file = str(folder.run_file("proxy.json"))
        start = (sys.executable, "-m", "trilithon.chassis.proxy", proxy_file)
        commands.append(Command("proxy", "", "proxy", start))
    for region, role, process in processes_of(config):
        arguments = (
            *(sys.executable, "-m", "trilithon.chassis.main"),
            *("--config", str(files[region.name]), "--process", process.name),
        )
        kind = "witness" if region.witness else role
        commands.append(Command(process.name, region.name, kind, arguments))
    commands.sort(key=lambda command: START_ORDER.index(command.role))
    return Plan(folder, config_file, config, tuple(commands), control)


def _write_proxied(
    folder: DataFolder, config: ClusterConfig, rtt_ms: float, control: str
) -> dict[str, Path]:
    """Write the proxy's routes and each Region's own view of the cluster."""
    ports = PortChooser("127.0.0.1", taken=ports_of(config))
    routes: list[dict[str, str]] = []
    files: dict[str, Path] = {}
    for viewer in config.regions:

        def seen(
            region: RegionConfig, process: ProcessConfig, viewer: RegionConfig = viewer
        ) -> str:
            if region.name == viewer.name:
                return process.address
            listen = ports.any()
            name = f"{viewer.name}>{process.name}"
            routes.append({"name": name, "listen": listen, "target": process.address})
            return listen

        files[viewer.name] = folder.run_file(f"region-{viewer.name}.toml")
        write_file(files[viewer.name], to_toml(with_addresses(config, seen)))
    proxy = {"control": control, "delay_ms": rtt_ms / 2, "routes": routes}
    write_file(folder.run_file("proxy.json"), json.dumps(proxy, indent=1))
    return files


def environment() -> dict[str, str]:
    """For child processes: the same import path, unbuffered output."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONUNBUFFERED": "1",
    }


def stop_order(commands: Sequence[Command]) -> list[list[str]]:
    """Names in groups: a group is stopped once the one before it is gone."""
    groups: dict[str, list[str]] = {role: [] for role in reversed(START_ORDER)}
    for command in commands:
        groups[command.role].append(command.name)
    return [names for names in groups.values() if names]
