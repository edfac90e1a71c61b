"""Run as a child: writes batches without end, telling what is durable, until it is killed."""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from journal_support import candidate, entry, open_file

from trilithon.core.csn import make_csn
from trilithon.journal.operations import AppendEntries, Cut, Operation, SetPromise, SetSettled


def main() -> None:
    file = open_file(Path(sys.argv[1]))
    source = random.Random(int(sys.argv[2]))
    state = file.load()
    tail, epoch = state.tail_csn, state.promised_epoch
    while True:
        operations: list[Operation] = []
        if not tail or source.random() < 0.1:
            epoch += 1
            operations.append(SetPromise(epoch, candidate("x")))
            if tail & 7:
                tail -= 1
                operations.append(Cut(tail))
            operations.append(AppendEntries([entry(make_csn(epoch, 0), tail)]))
            tail = make_csn(epoch, 0)
        count = source.randint(1, 20)
        made = [entry(tail + n, tail + n - 1, size=200) for n in range(1, count + 1)]
        tail += count
        operations += [AppendEntries(made), SetSettled(tail)]
        print("writing", tail, epoch, flush=True)
        file.write(operations)
        print("durable", tail, epoch, flush=True)


if __name__ == "__main__":
    main()
