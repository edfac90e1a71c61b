"""Virtual time for a whole cluster in one thread: every simulated process has an event loop of its own.

The kernel always runs whatever is due next: a message's arrival, a fault, or one turn of one process's
loop. So a process can be *paused* (its loop gets no turns), *killed* (its loop is dropped between two
turns, with everything it had in memory) and given a clock that runs fast or slow, and nothing in the
services knows. The same seed gives the same turns.

Vocabulary
- *now_s* is the simulation's own time in seconds, which no process sees.
- A process's *local* time is `offset + rate * now_s`.
- A *turn* is one iteration of one process's event loop.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

_EPOCH_US = 1_790_000_000_000_000


class SimulationStuck(Exception):
    """Nothing is due and the simulation was asked to go on."""


class _NoSelector:
    """No file descriptors: what comes from outside a process comes through the kernel."""

    def select(self, timeout: float | None = None) -> list[Any]:
        return []


class ProcessLoop(asyncio.BaseEventLoop):
    """One process's event loop in virtual time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        super().__init__()
        self._selector = _NoSelector()
        self._clock_resolution = 1e-9
        self.set_exception_handler(process.loop_failed)

    def time(self) -> float:
        return self._process.local_s()

    def _process_events(self, events: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def _check_closed(self) -> None:
        """What is collected after the end may still cancel something; nobody hears it."""

    def next_due_local_s(self) -> float | None:
        """When this loop next has something to do, in its own time; None: only when woken."""
        if self._ready:  # type: ignore[attr-defined]
            return self.time()
        scheduled = self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
            self._timer_cancelled_count = max(self._timer_cancelled_count - 1, 0)  # type: ignore[has-type]
        return scheduled[0]._when if scheduled else None

    def turn(self) -> None:
        """One iteration: what is ready now, and the timers that are due. As `run_forever` does, less
        what costs system calls; `leave_loops` ends it."""
        sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)  # type: ignore[attr-defined]
        asyncio._set_running_loop(self)
        self._thread_id = threading.get_ident()
        try:
            self._run_once()  # type: ignore[attr-defined]
        finally:
            self._thread_id = None

    def run_in_executor(self, *_: Any) -> Any:
        raise AssertionError("a simulated process has no threads; inject a simulated store")


def leave_loops() -> None:
    """No loop is running any more."""
    asyncio._set_running_loop(None)
    sys.set_asyncgen_hooks(None, None)


class Process:
    """One simulated process life after another under one name.

    `rate` is how fast its clock runs (1.0: as the simulation's), within the drift bound.
    """

    def __init__(self, kernel: Kernel, name: str, rate: float) -> None:
        self.kernel = kernel
        self.name = name
        self.rate = rate
        self._offset_s = kernel.random.uniform(0, 1_000)
        self.wall_jump_us = 0
        self.life = 0
        self.running = False
        self.paused = False
        self.loop: ProcessLoop | None = None
        self.failure: BaseException | None = None
        # When the one turn that counts is due, and its number; None: none is due.
        self.turn_due_s: float | None = None
        self.turn_number = 0

    # -- clocks (core.world.Clock)

    def local_s(self) -> float:
        return self._offset_s + self.rate * self.kernel.now_s

    def monotonic_us(self) -> int:
        return int(self.local_s() * 1e6)

    def wall_us(self) -> int:
        return _EPOCH_US + int(self.kernel.now_s * 1e6) + self.wall_jump_us

    def set_clock(self, local_s: float) -> None:
        """Of the machine that boots now: call it right after `start`."""
        self._offset_s = local_s - self.rate * self.kernel.now_s

    def global_s(self, local_s: float) -> float:
        return (local_s - self._offset_s) / self.rate

    # -- life

    def start(self, main: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        assert not self.running
        self.life += 1
        self.running = True
        self.paused = False
        self.failure = None
        self.turn_due_s = None
        if self.kernel.random.random() < 0.3:
            # The machine was booted anew: its monotonic clock starts somewhere else.
            self._offset_s = self.kernel.random.uniform(0, 1_000)
        self.loop = ProcessLoop(self)
        self.run(main())

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task in this process. Its failure stops the process, as the chassis would."""
        assert self.loop is not None
        task = self.loop.create_task(coroutine)
        task.add_done_callback(self._task_ended)
        self.kernel.wake(self)
        return task

    def kill(self) -> None:
        """As SIGKILL: everything in memory is gone, no code of the process runs any more."""
        self.running = False
        self.paused = False
        loop, self.loop = self.loop, None
        if loop is not None:
            # Kept until the end: tasks must not run their `finally` blocks when collected.
            self.kernel.graveyard.append(loop)
            for callback in self.kernel.killed_callbacks:
                callback(self)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        if self.running:
            self.kernel.wake(self)

    def call(self, function: Callable[..., None], *arguments: Any) -> None:
        """Run `function` in this process's loop, at its next turn."""
        assert self.loop is not None
        self.loop.call_soon(function, *arguments)
        self.kernel.wake(self)

    def loop_failed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.fail(context.get("exception") or RuntimeError(context["message"]))

    def fail(self, error: BaseException) -> None:
        """The process stops itself; whether that was right is for the run's checks to say."""
        if self.failure is None:
            self.failure = error
            self.kernel.note(f"{self.name} stopped itself: {error!r}")
        self.kernel.at(0, self._die_of_failure, self.life)

    def _die_of_failure(self, life: int) -> None:
        if self.running and self.life == life:
            self.kernel.process_failed(self)
            self.kill()

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)


class Kernel:
    """Time, randomness and the queue of everything that is due."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.now_s = 0.0
        self.processes: list[Process] = []
        self.graveyard: list[ProcessLoop] = []
        self.killed_callbacks: list[Callable[[Process], None]] = []
        self.failures: list[tuple[str, BaseException]] = []
        # What happened, for people and for the comparison of two runs.
        self.events: list[str] = []
        self._queue: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = itertools.count()
        self.turn_count = 0

    def note(self, text: str) -> None:
        self.events.append(f"{self.now_s:9.4f} {text}")

    def process(self, name: str, rate: float = 1.0) -> Process:
        made = Process(self, name, rate)
        self.processes.append(made)
        return made

    def process_failed(self, process: Process) -> None:
        assert process.failure is not None
        self.failures.append((process.name, process.failure))

    def at(self, delay_s: float, function: Callable[..., None], *arguments: Any) -> None:
        due = self.now_s + max(delay_s, 0.0)
        heapq.heappush(self._queue, (due, next(self._numbers), function, arguments))

    def wake(self, process: Process) -> None:
        """Give the process's loop a turn when its next callback is due."""
        self._turn_at(process, self.now_s)

    def _turn_at(self, process: Process, due_s: float) -> None:
        """Only the earliest turn of a process counts: what is due later asks again after it."""
        if process.turn_due_s is not None and process.turn_due_s <= due_s:
            return
        process.turn_due_s = due_s
        process.turn_number += 1
        self.at(due_s - self.now_s, self._turn, process, process.turn_number)

    def _turn(self, process: Process, number: int) -> None:
        if number != process.turn_number or process.turn_due_s is None:
            return
        process.turn_due_s = None
        loop = process.loop
        if loop is None or process.paused or not process.running:
            return
        due = loop.next_due_local_s()
        if due is not None and due <= loop.time() + 1e-9:
            self.turn_count += 1
            loop.turn()
            due = loop.next_due_local_s()
        if due is not None and process.running:
            self._turn_at(process, max(process.global_s(due) + 1e-9, self.now_s))

    def run(self, seconds: float) -> None:
        """Go on for `seconds` of the simulation's time."""
        end = self.now_s + seconds
        queue = self._queue
        try:
            while queue and queue[0][0] <= end:
                due, _, function, arguments = heapq.heappop(queue)
                self.now_s = max(self.now_s, due)
                function(*arguments)
        finally:
            leave_loops()
        self.now_s = end

    def run_until(self, condition: Callable[[], bool], limit_s: float, what: str) -> None:
        """Go on until `condition`; raises SimulationStuck after `limit_s`."""
        end = self.now_s + limit_s
        while not condition():
            if self.now_s >= end:
                raise SimulationStuck(f"not within {limit_s} s of simulated time: {what}")
            self.run(min(0.05, end - self.now_s + 1e-6))

    def finish(self) -> None:
        """Let go of every loop without running a line of what was left in them."""
        for loop in [*self.graveyard, *(p.loop for p in self.processes if p.loop is not None)]:
            _abandon(loop)
        self.graveyard.clear()


def _abandon(loop: ProcessLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        # A coroutine that is collected runs its `finally` blocks; closing it here, with errors
        # ignored, keeps that out of later tests.
        coroutine = task.get_coro()
        try:
            coroutine.close()  # type: ignore[union-attr]
        except (RuntimeError, StopIteration, BaseException):
            continue
    loop._ready.clear()  # type: ignore[attr-defined]
    loop._scheduled.clear()  # type: ignore[attr-defined]
