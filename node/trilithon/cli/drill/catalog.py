"""Every drill that there is."""

from __future__ import annotations

from typing import Final

from trilithon.cli.drill import (
    disk_faults,
    lost_disks,
    network_faults,
    order_faults,
    process_faults,
)
from trilithon.cli.drill.stage import Drill

DRILLS: Final[tuple[Drill, ...]] = (
    *process_faults.DRILLS,
    *disk_faults.DRILLS,
    *lost_disks.DRILLS,
    *network_faults.DRILLS,
    *order_faults.DRILLS,
)


def find_drill(name: str) -> Drill:
    """Raises KeyError with the names that there are."""
    for drill in DRILLS:
        if drill.name == name:
            return drill
    raise KeyError(f"no drill {name!r}; there are {', '.join(one.name for one in DRILLS)}")
