"""Storage's golden scripts (`golden_script`): the machine and its engine, with readers that wait.

Keys are single words; every row holds one word. Csns are epoch.sequence.

    feed 1.0 1.1:apple=red,pear=- settled=1.0   entries (apple gets a row, pear a tombstone)
        cut=1.0                                 the log was cut back to there
    subscribe                                   a new feed is about to start
    read r1 1.1 apple pear                      a reader named r1 reads at a snapshot; 0: speculative
    scan r2 1.1 a..z limit=2 reverse
    wait                                        who waits for what
    apply collect=1.2                           what is settled goes to the disk; older versions go
    reopen                                      the process is killed and started again
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from storage_support import NO_DEADLINE, Store, entry, row, update

from trilithon.core.csn import format_csn, make_csn
from trilithon.storage.engine import FolderIdentity
from trilithon.storage.jobs import Job, PointJob, RangeJob, Step
from trilithon.storage.machine import FeedRefused
from trilithon.types.rows import decode_rows
from trilithon.v1 import storage_pb2, types_pb2


def csn(text: str) -> int:
    epoch, _, sequence = text.partition(".")
    return make_csn(int(epoch), int(sequence)) if sequence else 0


class Script:
    def __init__(self, folder: Path) -> None:
        self.store = Store(folder, FolderIdentity("cluster", 0, 1023))
        self._waiting: dict[str, Job] = {}

    def close(self) -> None:
        self.store.engine.close()

    def execute(self, line: str) -> list[str]:
        verb, *words = line.split()
        options = dict(word.split("=", 1) for word in words if "=" in word and ":" not in word)
        rest = [word for word in words if "=" not in word or ":" in word]
        match verb:
            case "feed":
                return self._feed(rest, options)
            case "subscribe":
                return [f"subscribes after {format_csn(self.store.machine.subscribe())}"]
            case "read":
                keys = [word.encode() for word in rest[2:]]
                job = PointJob(None, 1, csn(rest[1]), None, NO_DEADLINE, keys)
                return self._run(rest[0], job)
            case "scan":
                return self._run(rest[0], self._range(rest, options))
            case "wait":
                return [self._waits(name) for name in sorted(self._waiting)] or ["nobody waits"]
            case "apply":
                self.store.apply(collect_to=csn(options.get("collect", "0")))
                return [self._state()]
            case "reopen":
                self._waiting.clear()
                self.store.reopen()
                return [self._state()]
        raise AssertionError(f"no such command: {verb}")

    def _feed(self, rest: list[str], options: dict[str, str]) -> list[str]:
        machine = self.store.machine
        # After what this storage has, unless the script says otherwise.
        previous = machine.settled if machine._restarting else machine.position
        previous = csn(options.get("prev", options.get("cut", ""))) or previous
        entries: list[types_pb2.Entry] = []
        for word in rest:
            name, _, written = word.partition(":")
            writes: list[tuple[bytes, bytes | None]] = []
            for pair in written.split(",") if written else ():
                key, _, value = pair.partition("=")
                writes.append((key.encode(), None if value == "-" else row(value)))
            entries.append(entry(csn(name), previous, writes))
            previous = csn(name)
        cut_to = csn(options["cut"]) if "cut" in options else None
        try:
            woken = machine.feed(
                update(*entries, settled=csn(options.get("settled", "0")), cut_to=cut_to)
            )
        except FeedRefused as error:
            return [f"refused: {error}"]
        events = [self._state()]
        for name, job in list(self._waiting.items()):
            if any(job is one for one in woken):
                del self._waiting[name]
                events += self._run(name, job)
        return events

    def _range(self, rest: list[str], options: dict[str, str]) -> RangeJob:
        start, _, end = rest[2].partition("..")
        request = storage_pb2.RangeRead(
            snapshot_csn=csn(rest[1]),
            range=types_pb2.KeyRange(start=start.encode(), end=end.encode()),
            reverse="reverse" in rest,
            limit=int(options.get("limit", 0)),
            with_keys=True,
        )
        return RangeJob(None, 1, request, None, NO_DEADLINE)

    def _run(self, name: str, job: Job) -> list[str]:
        step = self.store.run(job)
        waiters = self.store.machine.waiters
        if step is Step.ANSWERED:
            return [f"{name} < {show_answer(job)}"]
        self._waiting[name] = job
        if step is Step.WAIT_POSITION:
            waiters.wait_for_position(job.wait_csn, job)
        else:
            waiters.wait_for_entry(job.wait_csn, job)
        return [self._waits(name)]

    def _waits(self, name: str) -> str:
        return f"{name} waits for {format_csn(self._waiting[name].wait_csn)}"

    def _state(self) -> str:
        machine = self.store.machine
        return (
            f"position {format_csn(machine.position)} settled {format_csn(machine.settled)} "
            f"applied {format_csn(machine.applied)} collected {format_csn(machine.collected)}"
        )


def show_answer(job: Job) -> str:
    reply: Any = job.reply
    kind = reply.WhichOneof("reply")
    if kind == "point_rows":
        text = show_rows(decode_rows(reply.point_rows.rows))
        if job.speculative:
            answer = reply.point_rows
            text += f", examined {format_csn(answer.examined_csn)}, position {format_csn(answer.position_csn)}"
        return text
    if kind == "range_rows":
        answer = reply.range_rows
        pairs = zip(answer.keys, decode_rows(answer.rows), strict=True)
        text = " ".join(f"{key.decode()}={show_rows([one])}" for key, one in pairs) or "nothing"
        return f"{text}, more from {answer.resume_key.decode()}" if answer.resume_key else text
    code = types_pb2.Failure.Code.Name(reply.failure.code).removeprefix("CODE_")
    return f"{code}: {reply.failure.message}"


def show_rows(rows: Sequence[Any]) -> str:
    return " ".join("-" if one is None else str(one[0]) for one in rows)
