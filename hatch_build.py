"""Build step: Python code from protos/trilithon/v1/*.proto, into the same folder.

Runs for wheels and for editable installs. The generated files are not committed; those that are
newer than every source are left alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ProtoBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel":
            generate(Path(self.root))


def generate(root: Path) -> None:
    """Raises RuntimeError when protoc refuses; it has printed why."""
    sources = sorted((root / "protos" / "trilithon" / "v1").glob("*.proto"))
    outputs = [source.with_name(f"{source.stem}_pb2.py") for source in sources]
    newest = max(source.stat().st_mtime for source in sources)
    if all(output.exists() and output.stat().st_mtime > newest for output in outputs):
        return
    import grpc_tools
    from grpc_tools import protoc

    includes = [str(root / "protos"), str(Path(grpc_tools.__file__).parent / "_proto")]
    code = protoc.main(
        [
            "protoc",
            *(f"-I{folder}" for folder in includes),
            f"--python_out={root / 'protos'}",
            f"--pyi_out={root / 'protos'}",
            *map(str, sources),
        ]
    )
    if code:
        raise RuntimeError(f"protoc ended with code {code}")


if __name__ == "__main__":
    generate(Path(__file__).parent)
