"""The distribution: the wheel holds everything, and its base is a light client."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(one) for one in command], cwd=cwd, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy without generated code, with what is installed here."""
    copy = tmp_path_factory.mktemp("source") / "trilithon"
    shutil.copytree(
        ROOT,
        copy,
        ignore=shutil.ignore_patterns(
            ".git", ".venv", ".trilithon", "*_pb2*", "__pycache__", ".*_cache", ".hypothesis"
        ),
    )
    target = tmp_path_factory.mktemp("wheel")
    command = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation")
    run(*command, "--wheel-dir", target, copy, cwd=target)
    [built] = target.glob("*.whl")
    return built


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_wheel_is_complete_and_imports(wheel: Path, tmp_path: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for expected in (
        "trilithon/v1/sql_pb2.py",
        "trilithon/v1/sql_pb2.pyi",
        "trilithon/v1/sql.proto",
        "trilithon/core/csn.py",
        "trilithon/link/writer.py",
        "trilithon/client/__init__.py",
        "trilithon/adjudicator/__init__.py",
        "trilithon/chassis/main.py",
    ):
        assert expected in names
    assert "trilithon/__init__.py" not in names
    assert not any(name.startswith(("tests/", "node/")) for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)

    # Unpacked alone, in an interpreter that sees this environment's packages but not this checkout.
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import sys\n"
        f"sys.path[:] = [{str(tmp_path)!r}] + [p for p in sys.path if not p.startswith({str(ROOT)!r})"
        " or 'site-packages' in p]\n"
        "import trilithon.client, trilithon.chassis.main, trilithon.cli.main, trilithon.v1.sql_pb2\n"
        "print(trilithon.client.__file__)\n"
    )
    where = run(sys.executable, "-I", "-c", code, cwd=tmp_path).strip()
    assert where.startswith(str(tmp_path))


def test_the_client_alone_needs_three_packages() -> None:
    """What `import trilithon.client` loads must be covered by the base dependencies."""
    code = (
        "import sys, trilithon.client\n"
        "print(*sorted({m.split('.')[0] for m, x in sys.modules.items()"
        " if 'site-packages' in (getattr(x, '__file__', None) or '')}))\n"
    )
    loaded = set(run(sys.executable, "-c", code, cwd=ROOT).split())
    # grpc itself looks for its companions, and does without them.
    loaded -= {"grpc_health", "grpc_reflection", "grpc_tools", "grpc_status", "_distutils_hack"}
    assert loaded <= {"grpc", "google", "msgspec", "typing_extensions"}, loaded


def test_the_lock_has_hashes_and_names_no_host() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    pinned = re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)
    assert len(pinned) > 40
    blocks = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


def test_what_is_required_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {re.match(r"[a-zA-Z0-9_-]+", one)[0].lower() for one in wanted} - {"trilithon"}  # type: ignore[index]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.M))
    assert names <= locked, names - locked
