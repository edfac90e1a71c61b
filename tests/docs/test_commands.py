"""Every shell command and Python snippet of README.md and docs/operating.md runs as it is printed,
against a real cluster: only the default ports are replaced by this cluster's."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from harness import Cluster

from trilithon.chassis.config import ClusterConfig, Limits

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs" / "operating.md"]
COMMAND_S = 100


def blocks(language: str) -> list[tuple[str, str]]:
    """(page, text) of every fenced block."""
    found = []
    for page in PAGES:
        pattern = rf"^```{language}\n(.*?)^```"
        for text in re.findall(pattern, page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            found.append((page.name, text))
    return found


def commands() -> list[str]:
    """In the order of the pages, comments off; and commands within a line's text."""
    lines = [
        shlex.join(words)
        for _, text in blocks("sh")
        for line in text.splitlines()
        if (words := shlex.split(line, comments=True))
    ]
    lines += [
        inline
        for page in PAGES
        for inline in re.findall(r"`(\.venv/bin/trilithon sql [^`\n]*)`", page.read_text("utf-8"))
    ]
    return lines


class Reader:
    """Somebody who types what the pages say, in a folder where it should work."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.folder = folder
        self.cluster = cluster
        (folder / ".venv").symlink_to(Path(sys.prefix))
        (folder / "cluster.toml").symlink_to(cluster.plan.config_file)
        # Where `trilithon` looks unless it is told otherwise.
        (folder / ".trilithon").symlink_to(cluster.folder.path)
        self._ports = {
            default: cluster.endpoints[region][kind].rpartition(":")[2]
            for default, region, kind in (
                ("15432", "a", "postgresql"),
                ("15433", "b", "postgresql"),
                ("16432", "a", "grpc"),
                ("16433", "b", "grpc"),
            )
        }

    def translated(self, text: str) -> str:
        return re.sub(r"\b1[56]43[23]\b", lambda match: self._ports[match[0]], text)

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name != "TRILITHON_DATA"}

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", self.translated(command)],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def run_one_process(self, command: str) -> None:
        """`trilithon run`: in place of the cluster's own one, until it serves."""
        name = shlex.split(command)[-1]
        self.cluster.stop_processes(name)
        process = subprocess.Popen(
            shlex.split(command),
            cwd=self.folder,
            env=self.environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stderr is not None
            while "serves on" not in (line := process.stderr.readline()):
                assert line, f"$ {command}\nended with {process.wait()}"
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=COMMAND_S)
            assert process.returncode == 0
        finally:
            process.kill()
            self.cluster.resume(name)
            self.cluster.wait_ready()


@pytest.mark.timeout(300)
def test_every_command(cluster: Cluster, tmp_path: Path) -> None:
    """In order: later ones build on earlier ones. Python snippets come after them."""
    reader = Reader(cluster, tmp_path)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    found = commands()
    assert len(found) > 10
    said = ""
    for command in found:
        words = shlex.split(command)
        print(f"$ {command}", flush=True)
        if words[0] == "make":
            assert words[1] in targets, command
        elif words[1:2] == ["run"]:
            reader.run_one_process(command)
        elif words[1:3] == ["demo", "banking"]:
            said += reader.run(f"{command} --seconds 1 --accounts 5")
        else:
            said += reader.run(command)
    assert "written in a, changed in b" in said
    for page, text in blocks("python"):
        snippet = tmp_path / "snippet.py"
        snippet.write_text(reader.translated(text))
        assert "from the SDK" in reader.run(".venv/bin/python snippet.py"), page


def test_links_lead_somewhere() -> None:
    for page in [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "docs" / "sql.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_configuration_table_names_every_key() -> None:
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    for settings in (ClusterConfig, Limits):
        for field in msgspec.structs.fields(settings):
            assert re.search(rf"`[^`\n]*\b{field.name}\b[^`\n]*`", text), field.name
