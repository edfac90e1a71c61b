"""Named scenarios of two logs: x dies with a longer log, y's epoch begins on the witness only, x's log
is revived over a majority without the beginning of x's new epoch, and y's log wins in the end.

The entries of x's old epoch that a majority then held never counted: no journal may have taken them
for settled, no leader may have acknowledged them. (Raft's figure 8.) Three variants differ in who hears
what while x's log is revived.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster import QueryNode
from fault_processes import keep_paused
from scenario import Scenario, brings_entries, brings_epoch, is_ack, scenario

SMALL_STEPS = {"append_entries_max": 1, "in_flight_bytes_max": 1_500}


class TwoLogs:
    """The stage of all variants. Journals: jx, jy, jw; adjudicators: x (the first leader), y."""

    def __init__(self, one: Scenario) -> None:
        self.one = one
        self.x, self.y = one.adjudicator(one.leading), one.adjudicator(one.other)
        self.jx, self.jy, self.jw = (one.journal(name) for name in (one.leading, one.other, "w"))

    def tail(self, node: Any) -> int:
        csn: int = node.running.machine.synced_csn
        return csn

    def x_dies_with_a_longer_log(self) -> None:
        """What x appended last is on jx only."""
        one = self.one
        self.x_alone = one.cut(self.x, self.jy, self.jw)
        shared = self.tail(self.jw)
        one.until(lambda: self.tail(self.jx) > shared + 1, 2.0, "x appends on jx alone")
        self.x_back = one.kill(self.x)
        self.longer = self.tail(self.jx)

    def y_begins_on_the_witness_only(self, jy_hears: Callable[[Any], bool]) -> None:
        """y's (epoch, 0) is synced by jw; jy gets what `jy_hears` lets through."""
        one = self.one
        self.y_without_jx = one.part(self.y, self.jx)
        undo = one.hold(self.y, self.jy, lambda message: not jy_hears(message))
        one.until_led(self.y)
        epoch = self.y.running.machine.leader.epoch
        one.until(lambda: self.tail(self.jw) >> 40 == epoch, 2.0, "y's epoch begins on jw")
        self.y_dies(undo)

    def y_dies(self, undo: Callable[[], None]) -> None:
        self.y_back = self.one.kill(self.y)
        undo()

    def y_wins(self) -> None:
        """With jy and jw, whose log is the newest."""
        one = self.one
        one.kill(self.x)
        self.y_back()
        one.run(3.0)

    def heal(self) -> None:
        self.x_alone()
        self.y_without_jx()
        self.x.held_down = 0
        self.x.start()


def _before_its_epoch(stage: TwoLogs) -> Callable[[Any], bool]:
    """Nothing of a newer epoch than what x left behind."""
    newer = (stage.longer >> 40) + 1
    return lambda message: not brings_epoch(newer)(message)


def a_revived_log_is_not_settled_by_a_majority(seed: int) -> None:
    """jy has all of x's old log again and hears that jx has it too, but not of x's new epoch."""
    with scenario(seed=seed, adjudicator=SMALL_STEPS) as one:
        stage = TwoLogs(one)
        stage.x_dies_with_a_longer_log()
        stage.y_begins_on_the_witness_only(_before_its_epoch(stage))
        stage.x_alone()
        stage.x_alone = one.part(stage.x, stage.jw)
        undo = one.hold(stage.x, stage.jy, brings_epoch((stage.longer >> 40) + 1))
        stage.x_back()
        one.until_led(stage.x)
        one.until(lambda: stage.tail(stage.jy) >= stage.longer, 2.0, "jy has x's old log")
        one.run(0.3)
        undo_all = one.kill(stage.x)
        undo()
        undo_all()
        stage.y_wins()
        stage.heal()


def marks_of_the_epoch_before(seed: int) -> None:
    """jy lags; it heard that jw has the beginning of y's epoch, and then gets x's old log instead."""
    with scenario(seed=seed, adjudicator=SMALL_STEPS) as one:
        stage = TwoLogs(one)
        jy_back = one.kill(stage.jy)
        one.run(1.6)
        stage.x_dies_with_a_longer_log()
        jy_back()
        stage.jy.disk.extra_s = 0.4
        stage.y_without_jx = one.part(stage.y, stage.jx)
        one.until_led(stage.y)
        epoch = stage.y.running.machine.leader.epoch
        one.until(lambda: stage.tail(stage.jw) >> 40 == epoch, 2.0, "y's epoch begins on jw")
        one.run(0.25)
        stage.y_dies(lambda: None)
        stage.jy.disk.extra_s = 0.0
        assert stage.tail(stage.jy) < stage.longer
        stage.x_alone()
        stage.x_alone = one.part(stage.x, stage.jw)
        # x hears no marks, so it tells none: jy has only those that it heard from y.
        undo_marks = one.hold(stage.jx, stage.x, is_ack)
        undo = one.hold(stage.x, stage.jy, brings_epoch((stage.longer >> 40) + 1))
        stage.x_back()
        one.until_led(stage.x)
        one.until(lambda: stage.tail(stage.jy) >= stage.longer, 2.0, "jy has x's old log")
        undo_all = one.kill(stage.x)
        undo()
        undo_marks()
        undo_all()
        stage.y_wins()
        stage.heal()


def marks_of_another_log(seed: int) -> None:
    """jw acknowledges x's heartbeats before it gets x's entries: with what it holds of y's log."""
    with scenario(seed=seed, adjudicator=SMALL_STEPS) as one:
        stage = TwoLogs(one)
        stage.x_dies_with_a_longer_log()
        stage.y_begins_on_the_witness_only(_before_its_epoch(stage))
        stage.x_alone()
        # jy votes, and gets nothing more.
        undo_jy = one.hold(stage.x, stage.jy, lambda message: message.HasField("append"))
        undo_jw = one.hold(stage.x, stage.jw, brings_entries)
        stage.x_alone = one.cut(stage.jw, stage.x)
        # Nobody commits meanwhile: only what is old may be taken for settled.
        clients_back = keep_paused(one.cluster.of(QueryNode))
        stage.x_back()
        one.until_led(stage.x)
        stage.x_alone()
        one.run(0.4)
        undo_all = one.kill(stage.x)
        undo_jy()
        undo_jw()
        undo_all()
        stage.x_alone = one.part(stage.x, stage.jw)
        stage.y_wins()
        clients_back()
        stage.heal()


PLAYS = [
    a_revived_log_is_not_settled_by_a_majority,
    marks_of_the_epoch_before,
    marks_of_another_log,
]
