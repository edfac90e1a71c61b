"""All workloads on keys, by name; any of them run together."""

from __future__ import annotations

from workload import Workload
from workload_append import Append
from workload_asker import Asker
from workload_bank import Bank
from workload_impatient import Impatient
from workload_readers import LongReader, Reader
from workload_ring import Ring
from workload_skew import Skew
from workload_slow_writer import SlowWriter
from workload_unique import Unique

WORKLOADS: dict[str, type[Workload]] = {
    one.name: one
    for one in (Bank, Append, Unique, Skew, SlowWriter, Ring, Reader, LongReader, Impatient, Asker)
}
