"""The engine as a process of its own: python engine_process.py [tight] prints "host port" and serves until stdin ends.

`tight`: reads come in small chunks, and whatever can spill to files does so at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
STOP_TIMEOUT_S = 10.0


@contextlib.contextmanager
def running_engine(*, tight: bool = False) -> Iterator[tuple[str, int, subprocess.Popen[str]]]:
    """(host, port, process) while it lasts. Whoever holds the process may kill it: a statement that
    never ends must not hold the comparison up."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "engine_process.py"), *(["tight"] if tight else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        host, _, port = process.stdout.readline().strip().partition(" ")
        yield host, int(port), process
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
        if process.poll() is None:
            process.kill()
            process.wait(STOP_TIMEOUT_S)
        process.stdout.close()


async def _main() -> None:
    from engine_server import serving

    async with serving(generous=True, tight=sys.argv[1:] == ["tight"]) as (host, port):
        print(host, port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent / "transaction"))
    asyncio.run(_main())
