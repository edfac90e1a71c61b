"""CSN (commit sequence number): 64 bits, epoch (24) over sequence (40).

CSNs only grow, across epochs too, and one CSN never names two entries. Zero means "none": it is
below every entry's CSN.
"""

from typing import Final, NewType

from trilithon.core.invariant import require

Csn = NewType("Csn", int)
Epoch = NewType("Epoch", int)

NO_CSN: Final = Csn(0)
SEQUENCE_BITS: Final = 40
EPOCH_MAX: Final = (1 << 24) - 1
SEQUENCE_MAX: Final = (1 << SEQUENCE_BITS) - 1
CSN_MAX: Final = Csn((1 << 64) - 1)


def make_csn(epoch: int, sequence: int) -> Csn:
    require(0 <= epoch <= EPOCH_MAX, "an epoch has 24 bits")
    require(0 <= sequence <= SEQUENCE_MAX, "a sequence has 40 bits")
    return Csn(epoch << SEQUENCE_BITS | sequence)


def epoch_of(csn: int) -> Epoch:
    return Epoch(csn >> SEQUENCE_BITS)


def sequence_of(csn: int) -> int:
    return csn & SEQUENCE_MAX


def format_csn(csn: int) -> str:
    """For people: "3.1207", "-" for none."""
    return f"{epoch_of(csn)}.{sequence_of(csn)}" if csn else "-"
