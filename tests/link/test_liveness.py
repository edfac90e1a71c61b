"""Silence is counted in periods of the own loop."""

from __future__ import annotations

import asyncio

from trilithon.link.liveness import Liveness


async def test_silence_is_told_once_after_the_limit() -> None:
    silent = asyncio.Event()
    ticks: list[int] = []
    Liveness(0.001, 3, silent=silent.set, tick=lambda: ticks.append(1))
    await asyncio.wait_for(silent.wait(), 10)
    assert len(ticks) == 2


async def test_what_is_heard_keeps_it_quiet() -> None:
    silent: list[int] = []
    done = asyncio.Event()
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        if ticks % 2:
            liveness.heard()
        if ticks == 20:
            liveness.stop()
            done.set()

    liveness = Liveness(0.001, 3, silent=lambda: silent.append(1), tick=tick)
    await asyncio.wait_for(done.wait(), 10)
    assert silent == []
