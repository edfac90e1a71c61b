"""One process of a cluster: `python -m trilithon.chassis.main --config FILE --process a/journal-0`.

Exit codes: 0 stopped in order; 1 the role failed; 2 the configuration or the command line cannot be
used; 3 the role did not stop in time; 70 an invariant did not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib
import logging
import os
import random
import signal
import sys
import traceback
from collections.abc import Coroutine, Mapping
from typing import Any, Final, NoReturn, Protocol

from trilithon.chassis.clock import SystemClock
from trilithon.chassis.config import ClusterConfig, ProcessConfig, RegionConfig, TlsConfig
from trilithon.chassis.load import ConfigError, find_process, load
from trilithon.chassis.logs import configure_logs
from trilithon.chassis.metrics import MetricsServer
from trilithon.core.invariant import InvariantViolation, stop_process_with
from trilithon.core.world import World
from trilithon.link import GrpcNetwork, LinkTls
from trilithon.link.options import LinkOptions

EXIT_FAILED: Final = 1
EXIT_CONFIGURATION: Final = 2
EXIT_STOP_TIMED_OUT: Final = 3
EXIT_INVARIANT: Final = 70

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0

_ROLE_MODULES: Final = {
    "query": "trilithon.query.role",
    "adjudicator": "trilithon.adjudicator.role",
    "journal": "trilithon.journal.role",
    "storage": "trilithon.storage.role",
    "witness": "trilithon.witness.role",
}

_log = logging.getLogger("trilithon.chassis")


class RunningRole(Protocol):
    """What a role's `start` returns."""

    @property
    def address(self) -> str: ...

    # Completes with an exception when the process must stop, for example after a failed sync.
    @property
    def failed(self) -> asyncio.Future[Any]: ...

    async def stop(self) -> None: ...

    def metrics(self) -> Mapping[str, float]: ...


async def run_process(
    config: ClusterConfig, region: RegionConfig, role: str, process: ProcessConfig, module: Any
) -> int:
    """Start the role, run until a signal or a failure, stop in order. Returns the exit code."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_handle_loop_exception)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, stopping, number)
    random_source = random.Random(os.urandom(16))
    network = GrpcNetwork(
        options=LinkOptions(item_bytes_max=config.limits.message_bytes),
        tls=read_tls(config.tls),
        source=random_source,
    )
    world = World(clock=SystemClock(), random=random_source, network=network)
    start = asyncio.create_task(module.start(config, process, region, world))
    try:
        running = await _started(start, stopping)
    except OSError as error:
        # A port that is taken, a folder that cannot be used: the text says it.
        _log.critical("%s cannot start: %s", process.name, error)
        return EXIT_FAILED
    except Exception as error:
        _log.critical("%s cannot start: %s", process.name, error, exc_info=error)
        return EXIT_FAILED
    if running is None:
        return 0
    labels = {"region": region.name, "role": role, "process": process.name}
    metrics = MetricsServer(running.metrics, labels)
    try:
        if process.metrics:
            await metrics.start(process.metrics)
    except OSError as error:
        _log.critical("metrics = %r: cannot listen: %s", process.metrics, error)
        await _stop_in_time(running.stop())
        return EXIT_FAILED
    _settle_garbage_collector()
    _log.info("%s serves on %s", process.name, running.address)
    code = await _until_end(running, stopping)
    await metrics.stop()
    _log.info("%s stops", process.name)
    stopped = await _stop_in_time(running.stop())
    return code or (0 if stopped else EXIT_STOP_TIMED_OUT)


async def _started(start: asyncio.Task[RunningRole], stopping: asyncio.Event) -> RunningRole | None:
    """The running role; None when a signal came first. Raises what `start` raises."""
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait(
            {start, stop}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        stop.cancel()
    if start.done():
        return start.result()
    start.cancel()
    await asyncio.wait({start}, timeout=STOP_SECONDS)
    if stopping.is_set():
        return None
    raise TimeoutError(f"not started within {START_SECONDS} s")


async def _until_end(running: RunningRole, stopping: asyncio.Event) -> int:
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({stop, running.failed}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
    if stopping.is_set():
        return 0
    error = None if running.failed.cancelled() else running.failed.exception()
    if isinstance(error, InvariantViolation):
        stop_on_violation(str(error))
    _log.critical("the role failed: %s", error, exc_info=error)
    return EXIT_FAILED


async def _stop_in_time(stop: Coroutine[Any, Any, None]) -> bool:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await stop
    except TimeoutError:
        _log.error("the role did not stop within %s s", STOP_SECONDS)
        return False
    except Exception:
        _log.exception("stopping failed")
        return False
    return True


def _on_signal(stopping: asyncio.Event, number: int) -> None:
    if stopping.is_set():
        _log.warning("a second signal %d: exiting at once", number)
        _exit_now(EXIT_STOP_TIMED_OUT)
    stopping.set()


def stop_on_violation(rule: str) -> None:
    """An invariant does not hold: say so and end the process, whatever it was doing."""
    _log.critical("an invariant does not hold: %s", rule, extra={"stack": traceback.format_stack()})
    sys.stderr.write(f"invariant violated: {rule}\n")
    traceback.print_stack(file=sys.stderr)
    _exit_now(EXIT_INVARIANT)


def _handle_loop_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, InvariantViolation):
        traceback.print_exception(error, file=sys.stderr)
        stop_on_violation(str(error))
    _log.error("%s", context.get("message", "an error in the event loop"), exc_info=error)


def _exit_now(code: int) -> NoReturn:
    with contextlib.suppress(Exception):
        logging.shutdown()
        sys.stderr.flush()
    os._exit(code)


def _settle_garbage_collector() -> None:
    """What start-up made stays: collections need not look at it, and come seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def read_tls(tls: TlsConfig) -> LinkTls | None:
    def read(path: str) -> bytes:
        if not path:
            return b""
        with open(path, "rb") as file:
            return file.read()

    if not tls.certificate and not tls.ca:
        return None
    return LinkTls(certificate=read(tls.certificate), key=read(tls.key), ca=read(tls.ca))


def _run_loop(main: Coroutine[Any, Any, int]) -> int:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def run(config_path: str, process_name: str) -> int:
    """Run one process until it ends; returns its exit code."""
    try:
        config = load(config_path)
        region, role, process = find_process(config, process_name)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIGURATION
    labels = {"region": region.name, "role": role, "process": process.name}
    configure_logs(config.log_level, labels)
    stop_process_with(stop_on_violation)
    module = importlib.import_module(_ROLE_MODULES[role])
    return _run_loop(run_process(config, region, role, process, module))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m trilithon.chassis.main", description="Run one process of a cluster."
    )
    parser.add_argument("--config", required=True, help="the cluster's configuration (TOML)")
    parser.add_argument("--process", required=True, help='the process\'s name, e.g. "a/journal-0"')
    chosen = parser.parse_args(arguments)
    return run(chosen.config, chosen.process)


if __name__ == "__main__":
    sys.exit(main())
