"""Losers of a conflict are told when their next attempt has a chance.

Under optimistic concurrency all who work on one hot row lose to the first that commits. Told at once,
they all come back at once: with a snapshot from before the winner (a certain loss), and then against
each other, so that each commit costs as many attempts as there are clients. Therefore the error is
held back, for a bounded time, until

- the winner's entry is in this Region's snapshots, and
- it is this loser's turn: per key one loser is let go for each entry that won there. An entry may
  have won in any Region; it is heard of from a commit or a loss of this query processor.

Vocabulary: a *turn* is the time given to one loser to come back and commit. It ends with the next
winner of the key or runs out. Whoever does not come back costs the others that time, nobody else.

Not here: fairness between query processors; anything that a transaction's outcome depends on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from trilithon.core.errors import SqlError
from trilithon.core.world import World
from trilithon.query.transaction.ports import SnapshotSourceLike

# The longest that one loser is held back for its turn, and for the winner's entry, in seconds.
HELD_MAX_S: Final = 1.0
SEEN_MAX_S: Final = 0.1
# A turn: this many times what the lost attempt took, within bounds in seconds.
_TURN_FACTOR: Final = 2
_TURN_MIN_S: Final = 0.005
_TURN_MAX_S: Final = 0.2
# Between two looks at the newest snapshot, in seconds; doubles.
_LOOK_S: Final = 0.001
_KEYS_MAX: Final = 256
_WAITING_MAX: Final = 1_024


@dataclass(slots=True)
class _Turns:
    """Of one key. `newest_csn`: of the entries known to have won there."""

    newest_csn: int
    timer: asyncio.TimerHandle
    # With how long their turn will be, in seconds.
    waiting: deque[tuple[asyncio.Future[None], float]] = field(default_factory=deque)


class Contention:
    def __init__(self, world: World, snapshots: SnapshotSourceLike) -> None:
        self._world = world
        self._snapshots = snapshots
        self._turns: dict[bytes, _Turns] = {}
        # Every later snapshot of this Region holds at least this.
        self._seen_csn = 0
        self.held = 0

    @property
    def contended(self) -> bool:
        """Whether anybody has to hear of winners."""
        return bool(self._turns)

    @property
    def keys(self) -> list[bytes]:
        """The keys whose winners somebody waits for; at most a few hundred."""
        return list(self._turns)

    def seen(self, csn: int) -> None:
        """A snapshot held this csn, or a commit was settled there."""
        self._seen_csn = max(self._seen_csn, csn)

    def won(self, key: bytes, csn: int) -> None:
        """An entry with this csn wrote or locked the key."""
        turns = self._turns.get(key)
        if turns is not None and csn > turns.newest_csn:
            turns.newest_csn = csn
            if turns.waiting:
                self._pass_on(key)

    async def lost(self, key: bytes, csn: int, attempt_us: int) -> None:
        """Return when it makes sense to tell who lost on `key` to the entry at `csn`.

        `attempt_us`: how long the lost attempt took, in microseconds. Never raises SqlError.
        """
        turn_s = min(_TURN_MAX_S, max(_TURN_MIN_S, attempt_us * _TURN_FACTOR / 1e6))
        self.won(key, csn)
        turns = self._turns.get(key)
        if turns is not None:
            await self._wait_for_turn(turns, turn_s)
        elif len(self._turns) < _KEYS_MAX:
            self._turns[key] = _Turns(csn, self._start_timer(key, turn_s))
        await self._wait_until_seen(csn)

    async def _wait_for_turn(self, turns: _Turns, turn_s: float) -> None:
        if len(turns.waiting) >= _WAITING_MAX:
            return
        self.held += 1
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turns.waiting.append((mine, turn_s))
        try:
            async with asyncio.timeout(HELD_MAX_S):
                await mine
        except TimeoutError:
            # The future is cancelled now, and passed over.
            pass

    def _start_timer(self, key: bytes, turn_s: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(turn_s, self._pass_on, key)

    def _pass_on(self, key: bytes) -> None:
        """The turn is over: the next one's, or nobody is left."""
        turns = self._turns[key]
        turns.timer.cancel()
        while turns.waiting:
            future, turn_s = turns.waiting.popleft()
            if not future.done():
                turns.timer = self._start_timer(key, turn_s)
                future.set_result(None)
                return
        del self._turns[key]

    async def _wait_until_seen(self, csn: int) -> None:
        pause_s = _LOOK_S
        try:
            async with asyncio.timeout(SEEN_MAX_S):
                while self._seen_csn < csn:
                    self.seen((await self._snapshots.snapshot()).csn)
                    if self._seen_csn >= csn:
                        return
                    await asyncio.sleep(pause_s)
                    pause_s *= 2
        except (TimeoutError, SqlError):
            # An entry may have gone with its epoch; the next attempt will tell.
            pass

    def close(self) -> None:
        for turns in self._turns.values():
            turns.timer.cancel()
            for future, _ in turns.waiting:
                if not future.done():
                    future.set_result(None)
        self._turns.clear()
