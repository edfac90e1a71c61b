"""What proves that each rule is noticed when it is switched off.

A proof is a *play* (a named scenario in which the rule matters, `plays_*.py`) or chaos: runs under all
faults, or some. `seeds` bounds the tries; it is at least twice what was needed.

Some rules stand behind others: alone they break nothing that these do not catch. Their proof names
them as `behind`: the play holds with only those switched off, and breaks with the rule as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import plays_epochs
import plays_leases
import plays_members
import plays_power
import plays_verdicts
from run import Plan, simulate
from topologies import TOPOLOGIES

Play = Callable[[int], None]

# By each in turn.
_SHAPES = list(TOPOLOGIES)


@dataclass(frozen=True, slots=True)
class Proof:
    seeds: int = 6
    play: Play | None = None
    behind: Sequence[str] = field(default_factory=tuple)
    # Of chaos.
    faults: Sequence[str] | None = None
    topology: str = ""
    seconds: float = 10.0
    # In every `make test`, as all plays are.
    always: bool = False
    # The only harm is that nothing goes on.
    stuck: bool = False

    def run(self, seed: int) -> None:
        """Raises Violation, if all goes well."""
        if self.play is not None:
            self.play(seed)
        else:
            topology = self.topology or _SHAPES[seed % len(_SHAPES)]
            simulate(seed, Plan(topology, self.seconds, self.faults))


PROOFS: dict[str, Proof] = {
    # Promises
    "promise_while_a_leader_is_heard": Proof(8),
    "promise_at_once_after_a_restart": Proof(
        12, faults=["lonely leader"], topology="two", seconds=8.0
    ),
    "forget_the_promise": Proof(12, faults=["blink journals", "lonely leader"], topology="two"),
    "follow_any_leader": Proof(play=plays_leases.old_appends_arrive_late),
    "take_any_promised_log": Proof(12),
    "a_lost_journal_votes_as_if_it_remembered": Proof(
        play=plays_members.a_lost_journal_must_not_vote
    ),
    "only_the_new_members_count": Proof(play=plays_members.a_replaced_journals_old_disk_comes_back),
    # Leases
    "snapshot_without_a_lease": Proof(play=plays_leases.lonely_region),
    "serve_after_the_lease_ended": Proof(12, plays_leases.lonely_region),
    "lease_counts_from_its_arrival": Proof(play=plays_leases.hears_late_and_falls_silent),
    "lease_survives_a_new_epoch": Proof(12, plays_leases.elected_in_haste),
    "lease_of_another_life": Proof(12, plays_leases.restarts_with_its_clock_set_back),
    "lease_at_once_when_joining": Proof(play=plays_leases.joins_while_its_disk_is_slow),
    "lease_beyond_authority": Proof(12, plays_leases.lonely_leader),
    "leave_required_early": Proof(12, plays_leases.lonely_region),
    "snapshot_of_what_is_settled": Proof(always=True, seconds=5.0),
    # Syncing and settling
    "answer_before_the_sync": Proof(8, plays_power.everything_loses_power),
    "acknowledge_what_does_not_match": Proof(
        play=plays_epochs.marks_of_another_log,
        behind=("count_marks_of_another_log", "serve_before_the_epoch_start_is_committed"),
    ),
    "count_marks_of_another_log": Proof(
        play=plays_epochs.marks_of_another_log,
        behind=("acknowledge_what_does_not_match", "serve_before_the_epoch_start_is_committed"),
    ),
    "deduce_with_marks_of_an_older_epoch": Proof(
        play=plays_epochs.marks_of_the_epoch_before, behind=("deduce_entries_of_older_epochs",)
    ),
    "deduce_entries_of_older_epochs": Proof(
        play=plays_epochs.a_revived_log_is_not_settled_by_a_majority
    ),
    "deduce_without_required": Proof(12),
    "serve_before_the_epoch_start_is_committed": Proof(
        play=plays_epochs.a_revived_log_is_not_settled_by_a_majority
    ),
    "one_journal_is_a_majority": Proof(12),
    "nobody_is_required": Proof(12),
    "entries_name_nobody_required": Proof(12),
    # Verdicts
    "believe_any_abort": Proof(12, plays_verdicts.a_deposed_leaders_verdicts_come_late),
    "judge_without_looking_for_conflicts": Proof(always=True, seconds=5.0),
    "the_window_covers_everything": Proof(play=plays_verdicts.windows_are_small),
    "read_checks_are_ignored": Proof(),
    "forget_known_ids": Proof(),
    "answer_a_status_question_without_refusing": Proof(),
    "answer_known_ids_before_they_are_settled": Proof(),
    # Query processors
    "a_lost_answer_means_aborted": Proof(always=True, seconds=5.0),
    "a_lost_answer_means_try_again": Proof(),
    "a_snapshot_under_way_serves_latecomers": Proof(
        play=plays_leases.snapshots_take_a_long_way_home
    ),
    "the_first_read_is_always_right": Proof(),
    # Storage
    "read_what_is_not_settled": Proof(),
    "read_the_version_before_the_unsettled_one": Proof(always=True, seconds=5.0),
    "read_without_waiting_for_the_feed": Proof(12),
    "scan_past_the_unsettled": Proof(12),
    "apply_before_it_is_settled": Proof(12),
    "resume_the_feed_one_entry_late": Proof(12),
}

# Every named scenario; each must hold when no rule is broken.
PLAYS: list[Play] = [
    play
    for module in (plays_leases, plays_epochs, plays_members, plays_power, plays_verdicts)
    for play in module.PLAYS
]
