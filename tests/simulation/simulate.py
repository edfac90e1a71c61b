"""Many seeds of the simulated cluster: `python tests/simulation/simulate.py --seeds 100`.

`--seed S --topology T` replays one of them (with `--events` everything that happened); `--rule NAME`
switches a rule off (see mutations.py). The exit code is 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS
from run import SECONDS, Outcome, Plan, simulate
from sql_workloads import SQL_WORKLOADS
from topologies import TOPOLOGIES
from workloads import WORKLOADS

from trilithon.cli.drill.history import write_history


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many, starting at --first")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="replay this one only")
    parser.add_argument("--topology", choices=[*TOPOLOGIES, "all"], default="all")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--faults", nargs="*", choices=sorted(FAULTS))
    parser.add_argument("--workloads", nargs="*", choices=sorted(WORKLOADS))
    parser.add_argument(
        "--sql", nargs="*", choices=sorted(SQL_WORKLOADS), help="SQL through the SDK: all, or these"
    )
    parser.add_argument(
        "--history",
        type=Path,
        metavar="FILE",
        help="write what the last seed's list-append clients did, as Elle reads it (implies --sql)",
    )
    parser.add_argument("--rule", help="switch this rule off")
    parser.add_argument("--events", action="store_true", help="print everything that happened")
    parser.add_argument("--fingerprint", action="store_true")
    parser.add_argument("--keep-going", action="store_true", help="go on after a failing seed")
    options = parser.parse_args()
    if options.history and options.sql is None:
        options.sql = ["append"]
    if options.rule:
        from mutations import RULES

        RULES[options.rule](setattr)
    names = list(TOPOLOGIES) if options.topology == "all" else [options.topology]
    if options.seed is not None:
        seeds = [options.seed]
    else:
        seeds = list(range(options.first, options.first + options.seeds))
    total: dict[str, int] = {}
    failed = 0
    began = time.monotonic()
    for done, seed in enumerate(seeds, 1):
        plan = Plan(names[seed % len(names)], options.seconds, options.faults)
        if options.sql is not None:
            plan.sql = True
            plan.sql_workloads = options.sql or list(SQL_WORKLOADS)
        if options.workloads is not None:
            plan.workloads = options.workloads
        outcome = _one(seed, plan, options.events)
        if outcome is None:
            failed += 1
            if not options.keep_going:
                return 1
            continue
        if options.history:
            write_history(outcome.operations, options.history)
        if options.fingerprint:
            print(f"{seed} {plan.topology} {outcome.fingerprint}")
        for what, count in outcome.counts.items():
            total[what] = total.get(what, 0) + count
        if done % 50 == 0:
            print(f"{done - failed} of the first {done} seeds held every promise", flush=True)
    spent = time.monotonic() - began
    print(f"{len(seeds) - failed} of {len(seeds)} seeds held every promise, {spent:.0f} s")
    print(", ".join(f"{what} {count}" for what, count in sorted(total.items())))
    return 1 if failed else 0


def replay_command(seed: int, plan: Plan) -> str:
    command = f"python tests/simulation/simulate.py --seed {seed} --topology {plan.topology}"
    if plan.sql:
        command += " --sql"
        if list(plan.sql_workloads) != list(SQL_WORKLOADS):
            command += "".join(f" {name}" for name in plan.sql_workloads)
    if plan.seconds != SECONDS:
        command += f" --seconds {plan.seconds}"
    if plan.faults is not None:
        command += " --faults " + " ".join(f"'{name}'" for name in plan.faults)
    if list(plan.workloads) != list(WORKLOADS):
        command += " --workloads " + " ".join(f"'{name}'" for name in plan.workloads)
    return command


def _one(seed: int, plan: Plan, events: bool) -> Outcome | None:
    try:
        return simulate(seed, plan, print if events else None)
    except Exception as error:
        print(f"FAILED: {replay_command(seed, plan)}", flush=True)
        print(f"  {type(error).__name__}: {error}", flush=True)
        cause = error.__cause__
        if cause is not None:
            traceback.print_exception(cause)
        elif not isinstance(error, AssertionError):
            traceback.print_exc()
        return None


if __name__ == "__main__":
    sys.exit(main())
