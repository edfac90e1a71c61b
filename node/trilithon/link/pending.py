"""Callers that wait for replies: futures and conversations by correlation id, with deadlines.

Deadlines are coarse: one timer sweeps all waiting callers every `SWEEP_SECONDS` while there are
any. A timer per request would cost as much as sending it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from trilithon.core.errors import Overloaded, Unavailable
from trilithon.core.world import Item

SWEEP_SECONDS: Final = 0.02

_log = logging.getLogger("trilithon.link")


@dataclass(slots=True)
class Conversation:
    """A request with any number of replies. The timeout counts from the newest reply."""

    # Returns True when this reply was the last one.
    received: Callable[[Item], bool]
    failed: Callable[[Exception], None]
    timeout: float
    deadline: float


class PendingRequests:
    """At most `bound` callers waiting at a time. Bound to the running loop."""

    __slots__ = ("_bound", "_conversations", "_futures", "_last_id", "_loop", "_sweep", "_target")

    def __init__(self, target: str, bound: int) -> None:
        self._target = target
        self._bound = bound
        self._loop = asyncio.get_running_loop()
        self._last_id = 0
        self._futures: dict[int, tuple[asyncio.Future[Any], float]] = {}
        self._conversations: dict[int, Conversation] = {}
        self._sweep: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._futures) + len(self._conversations)

    def __contains__(self, correlation_id: int) -> bool:
        return correlation_id in self._futures or correlation_id in self._conversations

    def open(self, timeout: float) -> tuple[int, asyncio.Future[Any]]:
        """A fresh correlation id and the future of its reply; Overloaded at the bound."""
        future: asyncio.Future[Any] = self._loop.create_future()
        correlation_id = self._next_id()
        self._futures[correlation_id] = (future, self._loop.time() + timeout)
        return correlation_id, future

    def converse(
        self,
        received: Callable[[Item], bool],
        failed: Callable[[Exception], None],
        timeout: float,
    ) -> int:
        correlation_id = self._next_id()
        deadline = self._loop.time() + timeout
        self._conversations[correlation_id] = Conversation(received, failed, timeout, deadline)
        return correlation_id

    def _next_id(self) -> int:
        if len(self._futures) + len(self._conversations) >= self._bound:
            raise Overloaded(f"{self._bound} requests to {self._target} are waiting for replies")
        if self._sweep is None:
            self._sweep = self._loop.call_later(SWEEP_SECONDS, self._expire)
        self._last_id += 1
        return self._last_id

    def forget(self, correlation_id: int) -> None:
        """The caller gave up; a late reply is ignored."""
        if self._futures.pop(correlation_id, None) is None:
            self._conversations.pop(correlation_id, None)

    def resolve(self, items: Iterable[Item]) -> list[Item]:
        """Hand replies to their callers; returns the items that were pushed (correlation id 0)."""
        futures = self._futures
        pushed: list[Item] = []
        for item in items:
            correlation_id = item.correlation_id
            if correlation_id == 0:
                pushed.append(item)
                continue
            waiting = futures.pop(correlation_id, None)
            if waiting is None:
                self._continue(correlation_id, item)
            elif not waiting[0].done():
                waiting[0].set_result(item)
        return pushed

    def _continue(self, correlation_id: int, item: Item) -> None:
        conversation = self._conversations.get(correlation_id)
        if conversation is None:
            return
        conversation.deadline = self._loop.time() + conversation.timeout
        try:
            done = conversation.received(item)
        except Exception as error:
            _log.exception("a conversation's receiver failed (%s)", self._target)
            self._conversations.pop(correlation_id, None)
            _tell(conversation, Unavailable(f"the receiver of the reply failed: {error!r}"))
            return
        if done:
            self._conversations.pop(correlation_id, None)

    def fail(self, correlation_id: int, error: Exception) -> None:
        waiting = self._futures.pop(correlation_id, None)
        if waiting is not None:
            if not waiting[0].done():
                waiting[0].set_exception(error)
            return
        conversation = self._conversations.pop(correlation_id, None)
        if conversation is not None:
            _tell(conversation, error)

    def fail_all(self, reason: str) -> None:
        futures, self._futures = self._futures, {}
        conversations, self._conversations = self._conversations, {}
        for future, _ in futures.values():
            if not future.done():
                future.set_exception(Unavailable(reason))
        for conversation in conversations.values():
            _tell(conversation, Unavailable(reason))

    def close(self, reason: str) -> None:
        self.fail_all(reason)
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def _expire(self) -> None:
        self._sweep = None
        now = self._loop.time()
        late = [id_ for id_, (_, deadline) in self._futures.items() if deadline <= now]
        for correlation_id in late:
            future, _ = self._futures.pop(correlation_id)
            if not future.done():
                future.set_exception(Unavailable(f"no reply from {self._target} in time"))
        slow = [id_ for id_, talk in self._conversations.items() if talk.deadline <= now]
        for correlation_id in slow:
            # A failing conversation may have ended others.
            conversation = self._conversations.pop(correlation_id, None)
            if conversation is not None:
                _tell(conversation, Unavailable(f"no reply from {self._target} in time"))
        if (self._futures or self._conversations) and self._sweep is None:
            self._sweep = self._loop.call_later(SWEEP_SECONDS, self._expire)


def _tell(conversation: Conversation, error: Exception) -> None:
    try:
        conversation.failed(error)
    except Exception:
        _log.exception("a conversation's failure handler failed")
