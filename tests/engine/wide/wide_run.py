"""Many seeds in a row: python tests/engine/wide/wide_run.py [--first N] [--seeds N] [--groups N] [--tight]

Prints every difference as a small script as soon as it is found, and sums up at the end: `make compat SEEDS=n`
does a part of it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent.parent / "expression"))

from compat import Pair
from wide_comparison import run_seed

GROUPS = 120


def rounds(
    pair: Pair, first: int, count: int, groups: int = GROUPS, show_refused: bool = False
) -> int:
    """How many differences there were."""
    statements = failed = wrong = 0
    opened: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    known: set[str] = set()
    began = time.monotonic()
    for seed in range(first, first + count):
        run, found = run_seed(pair, seed, groups, known)
        statements += run.statements
        failed += run.failed
        opened.update(run.opened)
        refused.update(run.refused)
        wrong += len(found)
        for one in found:
            print(f"--- seed {seed}: {one.shown()}", flush=True)
        if seed % 25 == 0:
            print(
                f"... seed {seed}: {statements} statements, {time.monotonic() - began:.0f} s",
                flush=True,
            )
    print(
        f"{count} seeds from {first}: {statements} statements, {failed} failed alike, {sum(refused.values())} refused, "
        f"{sum(opened.values())} left open by SQL, {wrong} differ; {time.monotonic() - began:.0f} s",
        flush=True,
    )
    for states, times in opened.most_common():
        print(f"    {times:>5} left open: {states}")
    if show_refused:
        for message, times in refused.most_common(40):
            print(f"    {times:>5} {message}")
    return wrong


def main() -> int:
    # In the background SIGINT may be ignored; PostgreSQL has to be stopped in either case.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    parser = argparse.ArgumentParser()
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--groups", type=int, default=GROUPS)
    parser.add_argument(
        "--tight", action="store_true", help="small reads, and every operator spills"
    )
    parser.add_argument("--refused", action="store_true", help="list what was refused")
    arguments = parser.parse_args()
    from postgresql_oracle import OPTIONS
    from postgresql_server import running_server

    with running_server(OPTIONS) as port:
        conninfo = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
        with Pair(conninfo, tight=arguments.tight) as pair:
            return int(
                rounds(pair, arguments.first, arguments.seeds, arguments.groups, arguments.refused)
                > 0
            )


if __name__ == "__main__":
    sys.exit(main())
