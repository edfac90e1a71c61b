"""The journal's golden scripts (`golden_script`).

Commands (csns as epoch.sequence, `-` for none; `x` is a peer and the process behind it, `x'` its next
life; incarnations are letters, this journal's is `a`):

    promise x 2                     pre-vote x 2
    append x 2 prev=1.3 2.0 2.1     entries: `2.1!` changes the catalog, `2.1:ab` requires a and b,
                                    `1.0[abw]` brings a member list, `2.1[abw>abc]` a joint one
        hb=3 settled=2.0 marks=b:2.1,w:2.0 lease=900 ago=100 (milliseconds) life=old to=b base=1.7
    snapshot q      subscribe s after=1.3 storage=s-0      applied s 1.4 storage=s-0
    read-log q after=1.0 to=1.4 bytes=100
    wait 250        milliseconds          tick bytes=1000
    sync            the oldest write     sync all
    read            the store answers    gone s     kill      a new life on what is durable
Any request may carry `corr=7`.
"""

from __future__ import annotations

import re
from typing import Any

from journal_support import (
    LIFE,
    Driver,
    append,
    applied,
    c,
    entry,
    grant,
    inc,
    members,
    pre_vote,
    promise,
    read_log,
    snapshot,
    subscribe,
)

from trilithon.core.csn import format_csn
from trilithon.journal.operations import (
    AppendEntries,
    Cut,
    Operation,
    SetBase,
    SetLeaseTtl,
    SetPromise,
    SetSettled,
)
from trilithon.v1.journal_pb2 import Base, EpochSpan, JournalReply, JournalRequest
from trilithon.v1.types_pb2 import Entry, Failure

ENTRY = re.compile(r"^(\d+\.\d+)(!?)(?::(\w+))?(?:\[(\w+)(?:>(\w+))?\])?$")


class Script:
    def __init__(self) -> None:
        self.driver: Driver | None = None
        self.options: dict[str, Any] = {}
        self.lives = 0

    def execute(self, line: str) -> list[str]:
        return self.command(*line.split())

    def command(self, verb: str, *words: str) -> list[str]:
        if verb == "journal":
            values = dict(word.split("=") for word in words)
            storages = tuple(values.pop("storages", "").split(","))
            settings: dict[str, Any] = {name: int(value) for name, value in values.items()}
            settings["full"] = bool(settings.get("full", 1))
            self.driver = Driver(storages=storages if storages != ("",) else (), **settings)
            return []
        if self.driver is None:
            self.driver = Driver()
        before = len(self.driver.unsynced)
        reads = {one.token for one in self.driver.reads}
        replies = self.do(self.driver, verb, words)
        events = [f"{peer} < {show(reply)}" for peer, reply in replies]
        if verb == "sync":
            before = len(self.driver.unsynced)
        for number, operations in self.driver.unsynced[before:]:
            events.append(f"write {number}: {'; '.join(show_operation(one) for one in operations)}")
        events += [
            f"read {one.token}: ({format_csn(one.after_csn)}, {format_csn(one.to_csn)}]"
            for one in self.driver.reads
            if one.token not in reads
        ]
        return events

    def do(self, driver: Driver, verb: str, words: tuple[str, ...]) -> list[tuple[Any, Any]]:
        options = dict(word.split("=") for word in words if "=" in word)
        rest = [word for word in words if "=" not in word]
        corr = int(options.get("corr", 0))
        match verb:
            case "wait":
                driver.now_us += int(rest[0]) * 1000
                return []
            case "tick":
                size = options.get("bytes")
                return driver.tick(None if size is None else int(size))
            case "sync":
                return driver.sync(None if rest == ["all"] else 1)
            case "read":
                return driver.read()
            case "gone":
                driver.machine.disconnected(rest[0])
                return driver.take()
            case "kill":
                self.lives += 1
                driver.start(life=inc(f"life {self.lives}"), recent=0)
                return driver.take()
        return driver.send(rest[0], self.request(driver, verb, rest, options, corr))

    def request(
        self, driver: Driver, verb: str, rest: list[str], options: dict[str, str], corr: int
    ) -> JournalRequest:
        match verb:
            case "promise":
                return promise(rest[0], int(rest[1]), corr=corr)
            case "pre-vote":
                return pre_vote(rest[0], int(rest[1]), corr=corr)
            case "snapshot":
                return snapshot(corr)
            case "subscribe":
                return subscribe(options.get("after", "-"), options.get("storage", ""), corr)
            case "applied":
                return applied(options["storage"], rest[1], corr)
            case "read-log":
                size = int(options.get("bytes", 0))
                return read_log(options.get("after", "-"), options.get("to", "-"), size, corr)
            case "append":
                return self.append(driver, rest, options, corr)
        raise AssertionError(f"no such command: {verb}")

    def append(
        self, driver: Driver, rest: list[str], options: dict[str, str], corr: int
    ) -> JournalRequest:
        previous = options.get("prev", "-")
        made: list[Entry] = []
        last = c(previous)
        for word in rest[2:]:
            match = ENTRY.match(word)
            assert match is not None, word
            csn, catalog, required, now, then = match.groups()
            lists = None if now is None else members(now, then or "")
            made.append(
                entry(c(csn), last, required=required or "", catalog=bool(catalog), lists=lists)
            )
            last = c(csn)
        marks = dict(pair.split(":") for pair in options.get("marks", "").split(",") if pair)
        lease = None
        if "lease" in options:
            reading = driver.now_us - int(options.get("ago", 0)) * 1000
            life = inc(options["life"]) if "life" in options else driver.machine.life
            lease = grant(reading, int(options["lease"]) * 1000, life or LIFE)
        base = None
        if "base" in options:
            base = Base(
                csn=c(options["base"]), member_entries=[entry(1 << 40, 0, lists=members("abw"))]
            )
        return append(
            rest[0],
            int(rest[1]),
            previous,
            made,
            settled=options.get("settled", "-"),
            marks=marks,
            heartbeat=int(options.get("hb", 0)),
            grant=lease,
            incarnation=inc(options.get("to", "a")),
            base=base,
            corr=corr,
        )


def show_operation(operation: Operation) -> str:
    match operation:
        case AppendEntries(entries):
            return "append " + show_entries(entries)
        case Cut(csn):
            return f"cut to {format_csn(csn)}"
        case SetPromise(epoch, candidate):
            return f"promise {epoch} to {candidate.name}"
        case SetLeaseTtl(lease_ttl_us):
            return f"lease_ttl {lease_ttl_us // 1000}"
        case SetSettled(csn):
            return f"settled {format_csn(csn)}"
        case SetBase(base):
            return f"base {format_csn(base.csn)}"


def show_entries(entries: Any) -> str:
    return " ".join(format_csn(one.csn) for one in entries) or "nothing"


def show_history(history: Any) -> str:
    def span(one: EpochSpan) -> str:
        return f"{format_csn(one.first_csn)}..{format_csn(one.last_csn)}"

    return " ".join(span(one) for one in history) or "nothing"


def show(reply: JournalReply) -> str:
    kind = reply.WhichOneof("reply")
    text = f"{kind} {show_content(kind, getattr(reply, str(kind)))}"
    return f"{text} #{reply.correlation_id}" if reply.correlation_id else text


def show_content(kind: str | None, content: Any) -> str:
    match kind:
        case "ack":
            return (
                f"{content.epoch}: {format_csn(content.synced_csn)} heartbeat {content.heartbeat}"
            )
        case "gap":
            return f"{content.epoch}: {show_history(content.history)}, base {format_csn(content.base_csn)}"
        case "refused":
            left = f"{content.time_left_us // 1000} ms left"
            return f"{content.epoch}: promised {content.promised_epoch}, {left}, led by {content.leader or 'nobody'}"
        case "promised":
            lists = show_entries(content.member_entries)
            return (
                f"{content.epoch}: {show_history(content.history)}, base {format_csn(content.base_csn)}, "
                f"settled {format_csn(content.settled_csn)}, lists {lists}"
            )
        case "pre_vote":
            answer = "granted" if content.granted else f"{content.time_left_us // 1000} ms left"
            return (
                f"{answer}, promised {content.promised_epoch}, tail {format_csn(content.tail_csn)}"
            )
        case "snapshot":
            return (
                f"{format_csn(content.csn)}, catalog {format_csn(content.catalog_csn)}, "
                f"settled {format_csn(content.settled_csn)}"
            )
        case "feed":
            cut = (
                f"cut to {format_csn(content.cut_to_csn)}, "
                if content.HasField("cut_to_csn")
                else ""
            )
            led = f"epoch {content.epoch} of {content.leader or 'nobody'}"
            return f"{cut}{show_entries(content.entries)}, settled {format_csn(content.settled_csn)}, {led}"
        case "log_part":
            return (
                f"{show_entries(content.entries)}, base {format_csn(content.base_csn)}, "
                f"tail {format_csn(content.tail_csn)}, settled {format_csn(content.settled_csn)}"
            )
        case "failure":
            return f"{Failure.Code.Name(content.code).removeprefix('CODE_')}: {content.message}"
    raise AssertionError(kind)
