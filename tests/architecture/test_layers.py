"""The tree is the architecture: who may import whom, what pure modules may touch, file sizes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_FOLDERS = ("node", "adjudicator", "witness", "client")

# Layer → what of `trilithon` it may import besides itself. DESIGN.md and ARCHITECTURE.md say why.
BASE = {"v1", "core"}
LAYERS: dict[str, set[str]] = {
    "core": set(),
    "link": BASE,
    "types": BASE,
    "expression": BASE | {"types"},
    "disk": BASE,
    "journal": BASE | {"link", "types", "disk", "chassis.config", "chassis.identity"},
    "storage": BASE | {"link", "types", "expression", "disk", "chassis.config", "chassis.identity"},
    "query": BASE | {"link", "types", "expression", "chassis.config", "chassis.identity"},
    "adjudicator": BASE | {"link", "types", "chassis.config", "chassis.identity"},
    "witness": BASE | {"link", "types", "journal", "chassis.config", "chassis.identity"},
    "client": {"v1", "core.errors", "core.ids", "core.world", "link"},
    "chassis": BASE | {"link"},
    "cli": BASE | {"link", "chassis", "client"},
}
# The chassis's main starts the roles by name, at run time; nobody imports them.

# What decides without doing: no I/O, no clock, no randomness of its own, no logging.
PURE_NAMES = {"machine.py"}
IMPURE = {
    "asyncio", "concurrent", "grpc", "lmdb", "logging", "multiprocessing", "os", "pathlib",
    "secrets", "select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl",
    "subprocess", "sys", "tempfile", "threading", "time", "uuid", "uvloop",
}  # fmt: skip

LINES_MAX = 800
# Tables of data, made from PostgreSQL's own: nobody reads them from top to bottom.
TABLES = {"parameter_table.py"}


def sources() -> list[Path]:
    """Every module of ours; what protoc made is not ours."""
    return sorted(
        path for folder in SOURCE_FOLDERS for path in (ROOT / folder / "trilithon").rglob("*.py")
    )


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything that the module imports; names below `trilithon.x` are
    resolved as far as they name modules."""
    tree = ast.parse(path.read_text("utf-8"), str(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def layer_of(path: Path) -> str:
    parts = path.parts
    return parts[parts.index("trilithon") + 1]


def allowed(layer: str, name: str) -> bool:
    """Whether `layer` may import `name`, the part after "trilithon."."""
    may = LAYERS[layer] | {layer}
    return any(name == one or name.startswith(one + ".") for one in may)


def test_every_folder_is_a_known_layer() -> None:
    found = {layer_of(path) for path in sources()}
    assert found <= set(LAYERS), f"unknown: {found - set(LAYERS)}; add them with their place"


def test_imports_follow_the_layers() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {layer_of(path)} imports {name}"
        for path in sources()
        for line, name in imports(path)
        if name.startswith("trilithon.")
        and not allowed(layer_of(path), name.removeprefix("trilithon."))
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_link_knows_grpc_and_only_stores_know_lmdb() -> None:
    homes = {"grpc": {"link"}, "lmdb": {"disk", "storage"}, "typer": {"cli"}, "rich": {"cli"}}
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: imports {name}"
        for path in sources()
        for line, name in imports(path)
        if name.split(".")[0] in homes and layer_of(path) not in homes[name.split(".")[0]]
    ]
    assert not wrong, "\n".join(wrong)


def says_pure(path: Path) -> bool:
    return path.name in PURE_NAMES or layer_of(path) == "core"


def test_pure_modules_import_no_io() -> None:
    wrong: list[str] = []
    for path in sources():
        if not says_pure(path):
            continue
        for line, name in imports(path):
            top = name.split(".")[0]
            if top in IMPURE:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: imports {name}")
        wrong += own_randomness(path)
    assert not wrong, "\n".join(wrong)


def own_randomness(path: Path) -> list[str]:
    """A `random.Random` may be given to a machine; the module's shared source is not for it."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}: random.{node.attr}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "random"
        and node.attr != "Random"
    ]


def test_what_machines_are_made_of_is_pure_as_well() -> None:
    """A machine's own package modules, as far as it imports them, hold to the same rule."""
    by_name = {module_name(path): path for path in sources()}
    wrong: list[str] = []
    for machine in (path for path in sources() if path.name in PURE_NAMES):
        seen: set[Path] = set()
        todo = [machine]
        while todo:
            path = todo.pop()
            if path in seen:
                continue
            seen.add(path)
            for line, name in imports(path):
                if name.split(".")[0] in IMPURE and layer_of(path) != "core":
                    where = f"{path.relative_to(ROOT)}:{line}"
                    wrong.append(f"{where}: imports {name}, and is part of {module_name(machine)}")
            wrong += own_randomness(path)
            for _, name in imports(path):
                for candidate in (name, name.rpartition(".")[0]):
                    if candidate in by_name:
                        todo.append(by_name[candidate])
    assert not wrong, "\n".join(sorted(set(wrong)))


def module_name(path: Path) -> str:
    parts = path.parts[path.parts.index("trilithon") :]
    return ".".join(parts).removesuffix(".py").removesuffix(".__init__")


def test_files_stay_readable() -> None:
    folders = [*sources(), *sorted((ROOT / "tests").rglob("*.py"))]
    long = [
        f"{path.relative_to(ROOT)}: {count} lines"
        for path in folders
        if path.name not in TABLES
        and (count := len(path.read_text("utf-8").splitlines())) > LINES_MAX
    ]
    assert not long, f"split by concept before {LINES_MAX} lines:\n" + "\n".join(long)


@pytest.mark.parametrize("folder", [*SOURCE_FOLDERS, "protos"])
def test_trilithon_is_a_namespace(folder: str) -> None:
    assert not (ROOT / folder / "trilithon" / "__init__.py").exists()


def test_packages_say_what_they_are() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources()
        if ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None
    ]
    assert not silent, "a module opens with its purpose:\n" + "\n".join(silent)


def test_every_package_folder_has_its_init() -> None:
    missing = {
        str(path.parent.relative_to(ROOT))
        for path in sources()
        if path.parent.name != "trilithon" and not (path.parent / "__init__.py").exists()
    }
    assert not missing, missing


def test_tests_do_not_sleep() -> None:
    """What a test waits for is a condition. (An awaited sleep inside a wait loop is how it asks.)"""
    wrong: list[str] = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "sleep"
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "time"
            ):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong, "time.sleep in:\n" + "\n".join(wrong)


def test_test_files_have_unique_names() -> None:
    names: dict[str, list[str]] = {}
    for path in (ROOT / "tests").rglob("*.py"):
        if path.name != "conftest.py":
            names.setdefault(path.name, []).append(str(path.relative_to(ROOT)))
    double = {name: paths for name, paths in names.items() if len(paths) > 1}
    assert not double, double
