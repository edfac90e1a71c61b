"""The adjudicator's golden scripts (`golden_script`): one adjudicator in Region a, journals a, b and w.

The journals are real machines whose disks sync at once; silent ones answer nothing. `client` is a query processor, `follower`
another adjudicator; csns are epoch.sequence, and `tail` and `settled` are this adjudicator's own.

    adjudicator window_entries_max=3        its settings
    silent b w        heard b               journals that do not answer; that do again
    disk b            b lost its disk: a new incarnation, empty
    lead              until it leads (or a second has passed)
    follow 7          b leads epoch 7; the log is empty
    feed 7 7.0 7.1:5=key settled=7.0        b's epoch 7 brings entries; 7.1 is transaction 5's, writing key
    wait 250          milliseconds
    commit 5 key mode=exclusive snapshot=tail resend reads=other catalog=table
    forward 5 key epoch=1 ...               the same from a follower, bound to an epoch
    ask 5 snapshot=tail                     what became of transaction 5?
    verdict 5 committed 7.1 epoch=7         b's answer to a request that was forwarded
    replace b         order: the journal's new incarnation becomes a member
    gone              the client's link is lost
"""

from __future__ import annotations

import itertools
from typing import Any

from adjudicator_rig import CLIENT, FOLLOWER, JOURNALS, Rig, commit, forwarded, question

from trilithon.adjudicator.outbox import Output
from trilithon.core.csn import format_csn, make_csn
from trilithon.journal.machine import JournalMachine
from trilithon.journal.operations import DurableState
from trilithon.journal.settings import JournalSettings
from trilithon.v1 import adjudicator_pb2 as adjudicator
from trilithon.v1 import journal_pb2 as journal
from trilithon.v1 import types_pb2 as types

_MODES = {
    "exclusive": types.MODE_EXCLUSIVE,
    "update": types.MODE_UPDATE,
    "key-share": types.MODE_KEY_SHARE,
    "blind": types.MODE_BLIND,
}
_PEERS = {CLIENT: "client", FOLLOWER: "follower"}


class RealJournal:
    """A journal's machine with a disk that syncs at once."""

    def __init__(self, name: str, *, full: bool) -> None:
        self._name = name
        self._settings = JournalSettings(lease_ttl_us=1_500_000, full=full)
        self._disks = 0
        self.lose_disk()

    def lose_disk(self) -> None:
        letter = self._name[:1] + "'" * self._disks
        self._disk = DurableState(letter.encode().ljust(16, b"."))
        self._disks += 1
        life = f"life {self._disks}".encode().ljust(16, b".")
        self._machine = JournalMachine(self._settings, self._disk.recover(None), life, 0)

    def answer(self, request: journal.JournalRequest, now_us: int) -> list[journal.JournalReply]:
        machine = self._machine
        # What was sent must not change when the other side goes on working with it.
        machine.receive(
            "adjudicator", type(request).FromString(request.SerializeToString()), now_us
        )
        replies: list[journal.JournalReply] = []
        while True:
            output = machine.take(now_us)
            replies += [reply for _, reply in output.replies]
            if output.operations:
                self._disk.apply(output.operations)
                machine.synced(output.write_number, now_us)
            for read in output.reads:
                found = self._disk.read_entries(read.after_csn, read.to_csn, read.max_bytes)
                machine.read_done(read.token, found, now_us)
            if not (output.replies or output.operations or output.reads):
                return replies


class ScriptRig(Rig):
    """With real journals; tells what goes out."""

    def __init__(self, **settings: Any) -> None:
        self.journals = {one.name: RealJournal(one.name, full=one.full) for one in JOURNALS}
        self.happened: list[str] = []
        self._granted: dict[str, bool] = {}
        super().__init__(**settings)

    def take(self) -> None:
        for _ in range(30):
            output = self.machine.take(self.now, self.now)
            self.replies += output.replies
            sent = [
                (name, adjudicator.AdjudicatorRequest.FromString(item.SerializeToString()))
                for name, item in output.adjudicators
            ]
            self.forwarded += sent
            self._tell(output, sent)
            answers = [
                (name, answer)
                for name, request in output.journals
                if name not in self.silent
                for answer in self.journals[name].answer(request, self.now)
            ]
            if not answers:
                return
            for name, answer in answers:
                self.machine.journal_reply(name, answer, self.now, self.now)

    def _tell(self, output: Output, sent: list[tuple[str, adjudicator.AdjudicatorRequest]]) -> None:
        tell = self.happened.append
        for name, request in output.journals:
            tell(f"{name[0]} < {show_request(request)}")
            if request.WhichOneof("request") == "append":
                self._tell_grant(name, request.append)
        for name, item in sent:
            tell(f"{name} < {show_forward(item)}")
        for peer, reply in output.replies:
            tell(f"{_PEERS[peer]} < {show_reply(reply)}")
        for event, details in output.events:
            shown = " ".join(f"{key}={value}" for key, value in details.items())
            tell(f"event {event} {shown}".rstrip())

    def _tell_grant(self, name: str, append: journal.Append) -> None:
        granted = append.HasField("grant")
        if append.heartbeat and granted != self._granted.get(name, False):
            self._granted[name] = granted
            self.happened.append(f"{name[0]} is given {'a lease' if granted else 'no lease'}")


class Script:
    def __init__(self) -> None:
        self._rig: ScriptRig | None = None

    @property
    def rig(self) -> ScriptRig:
        if self._rig is None:
            self._rig = ScriptRig()
        return self._rig

    def execute(self, line: str) -> list[str]:
        verb, *words = line.split()
        options = dict(
            word.split("=", 1) for word in words if "=" in word and not word[0].isdigit()
        )
        rest = [word for word in words if "=" not in word or word[0].isdigit()]
        if verb == "adjudicator":
            self._rig = ScriptRig(**{name: int(value) for name, value in options.items()})
            return []
        rig = self.rig
        self._do(rig, verb, rest, options)
        rig.take()
        happened, rig.happened = rig.happened, []
        return collapse(happened)

    def _do(self, rig: ScriptRig, verb: str, rest: list[str], options: dict[str, str]) -> None:
        now = rig.now
        match verb:
            case "silent":
                rig.silent |= {f"{name}/journal-0" for name in rest}
            case "heard":
                rig.silent -= {f"{name}/journal-0" for name in rest}
            case "disk":
                name = f"{rest[0]}/journal-0"
                rig.journals[name].lose_disk()
                rig.machine.journal_down(name)
                rig.machine.journal_up(name)
            case "lead":
                rig.run(1_000_000)
            case "follow":
                rig.follow(int(rest[0]))
            case "wait":
                rig.run(int(rest[0]) * 1000)
            case "gone":
                rig.machine.disconnected(CLIENT)
            case "replace":
                hindrance = rig.machine.replace_journal(f"{rest[0]}/journal-0", now, now)
                if hindrance is not None:
                    rig.happened.append(f"hindered: {hindrance.text}")
            case "commit":
                rig.request(self._commit(rest, options))
            case "forward":
                rig.request(forwarded(self._commit(rest, options), int(options["epoch"])), FOLLOWER)
            case "ask":
                rig.request(question(int(rest[0]), self._csn(options.get("snapshot", "tail"))))
            case "verdict":
                rig.machine.adjudicator_reply(self._verdict(rest, options), now, now)
            case "feed":
                self._feed(rig, rest, options)
            case _:
                raise AssertionError(f"no such command: {verb}")

    def _csn(self, text: str) -> int:
        copy = self.rig.machine.copy
        if text in ("tail", "settled"):
            return copy.tail_csn if text == "tail" else copy.settled_csn
        epoch, _, sequence = text.partition(".")
        return make_csn(int(epoch), int(sequence))

    def _commit(self, rest: list[str], options: dict[str, str]) -> adjudicator.AdjudicatorRequest:
        more: dict[str, Any] = {"resend": "resend" in rest}
        checks = [
            adjudicator.ReadCheck(key=options[name].encode(), catalog=name == "catalog")
            for name in ("reads", "catalog")
            if name in options
        ]
        mode = _MODES[options.get("mode", "update")]
        snapshot = self._csn(options.get("snapshot", "tail"))
        key = rest[1].encode()
        made = commit(int(rest[0]), snapshot, key, mode, read_checks=checks, **more)
        if mode == types.MODE_KEY_SHARE:
            # Only ever a lock, beside writes of other keys.
            write_set = types.WriteSet()
            write_set.writes.add(key=b"own row %d" % int(rest[0]), mode=types.MODE_EXCLUSIVE)
            write_set.locks.add(key=key, mode=mode)
            made.commit.write_set = write_set.SerializeToString()
        return made

    def _verdict(self, rest: list[str], options: dict[str, str]) -> adjudicator.AdjudicatorReply:
        outcome = adjudicator.Verdict.Outcome.Value(f"OUTCOME_{rest[1].upper()}")
        token = next(
            item.token
            for _, item in reversed(self.rig.forwarded)
            if item.commit.transaction_id == int(rest[0]).to_bytes(16, "big")
        )
        verdict = adjudicator.Verdict(outcome=outcome, epoch=int(options["epoch"]))
        if len(rest) > 2:
            verdict.csn = self._csn(rest[2])
        return adjudicator.AdjudicatorReply(token=token, verdict=verdict)

    def _feed(self, rig: ScriptRig, rest: list[str], options: dict[str, str]) -> None:
        leader = f"{options.get('leader', 'b')}/adjudicator-0"
        previous = rig.machine.copy.tail_csn
        update: dict[str, Any] = {"epoch": int(rest[0]), "leader": leader, "entries": []}
        if "cut" in options:
            previous = update["cut_to_csn"] = self._csn(options["cut"])
        for word in rest[1:]:
            name, _, written = word.partition(":")
            made = types.Entry(csn=self._csn(name), previous_csn=previous)
            if written:
                number, _, key = written.partition("=")
                made.transaction_id = int(number).to_bytes(16, "big")
                write_set = types.WriteSet()
                write_set.writes.add(key=key.encode(), mode=types.MODE_UPDATE, value=b"value")
                made.write_set = write_set.SerializeToString()
            else:
                made.epoch_start.leader = leader
            update["entries"].append(made)
            previous = made.csn
        if "settled" in options:
            update["settled_csn"] = self._csn(options["settled"])
        reply = journal.JournalReply(feed=journal.FeedUpdate(**update))
        rig.machine.feed_reply(reply, rig.now, rig.now)


def collapse(lines: list[str]) -> list[str]:
    """Heartbeats and empty appends are not shown; what goes to several at once is one line."""
    found: list[str] = []
    for text, group in itertools.groupby(
        [line for line in lines if not line.endswith("< nothing")], lambda line: line[1:]
    ):
        names = [line[0] for line in group]
        together = len(names) > 1 and len(set(names)) == len(names)
        found += [" ".join(names) + text] if together else [name + text for name in names]
    return found


def show_request(request: journal.JournalRequest) -> str:
    kind = request.WhichOneof("request")
    match kind:
        case "append" if request.append.entries:
            return f"append {' '.join(map(show_entry, request.append.entries))}"
        case "promise":
            return f"promise {request.promise.epoch}"
        case "append" | "pre_vote":
            return "nothing"
    return str(kind)


def show_entry(one: types.Entry) -> str:
    required = "".join(sorted(name.rstrip(b".").decode() for name in one.required))
    kind = one.WhichOneof("content")
    what = f" refuses {one.refusal.transaction_id[-1]}" if kind == "refusal" else ""
    if one.HasField("members"):
        lists = ["".join(_member(m) for m in one.members.members)]
        if one.members.next:
            lists.append("".join(_member(m) for m in one.members.next))
        what = f" members {' and '.join(lists)}"
    if one.transaction_id:
        what = f" of {one.transaction_id[-1]}"
    if kind == "epoch_start" and one.epoch_start.HasField("members"):
        what = f" members {''.join(_member(m) for m in one.epoch_start.members.members)}"
    return f"({format_csn(one.csn)}{what} required {required or 'nobody'})"


def _member(member: Any) -> str:
    return bytes(member.incarnation).rstrip(b".").decode()


def show_forward(item: adjudicator.AdjudicatorRequest) -> str:
    if item.WhichOneof("request") == "transaction_status":
        status = item.transaction_status
        return f"question about {status.transaction_id[-1]}, bound to epoch {status.epoch}"
    again = ", a resend" if item.commit.resend else ""
    return f"commit {item.commit.transaction_id[-1]}, bound to epoch {item.commit.epoch}{again}"


def show_reply(reply: adjudicator.AdjudicatorReply) -> str:
    match reply.WhichOneof("reply"):
        case "verdict":
            verdict = reply.verdict
            text = (
                adjudicator.Verdict.Outcome.Name(verdict.outcome).removeprefix("OUTCOME_").lower()
            )
            if verdict.csn:
                text += f" {format_csn(verdict.csn)}"
            if verdict.HasField("error"):
                text += f": {verdict.error.sqlstate} {verdict.error.message}"
            if verdict.conflict_key:
                text += f", {verdict.conflict_key.decode()} at {format_csn(verdict.conflict_csn)}"
            return text
        case "not_judged":
            return f"not judged: epoch {reply.not_judged.epoch} of {reply.not_judged.leader or 'nobody'}"
        case "failure":
            code = types.Failure.Code.Name(reply.failure.code).removeprefix("CODE_")
            return f"{code}: {reply.failure.message}"
    return str(reply.WhichOneof("reply"))
