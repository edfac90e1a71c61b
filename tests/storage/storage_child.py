"""Run as a child: applies entries without end, telling what is durable, until it is killed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from storage_support import Store, csn, entry, row, update


def main() -> None:
    store = Store(Path(sys.argv[1]))
    number = store.engine.applied & 0xFFFFF
    while True:
        entries = []
        for _ in range(5):
            number += 1
            writes = [(b"k%03d" % (n % 50), row([number, n])) for n in range(number, number + 40)]
            entries.append(entry(csn(number), csn(number - 1) if number > 1 else 0, writes))
        store.machine.feed(update(*entries, settled=csn(number)))
        # Collect behind the last 20 entries.
        store.apply(collect_to=max(0, store.machine.applied - 20), collect_max=150)
        print(store.engine.applied, flush=True)


if __name__ == "__main__":
    main()
