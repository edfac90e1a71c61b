"""The value of `trilithon.read_as_of`: nothing, a csn, or a time.

A csn is written "epoch.sequence", as Trilithon shows it, or as one number, as the SDK gives it. Anything else is
a timestamp with time zone; it is fixed when it is set, whatever "now" or the time zone are later.
"""

from __future__ import annotations

import re
from typing import Final

from trilithon.core.csn import CSN_MAX, EPOCH_MAX, SEQUENCE_BITS, SEQUENCE_MAX, format_csn
from trilithon.core.errors import SqlError
from trilithon.query.reads.past import AsOf
from trilithon.query.session.parameters import invalid_value
from trilithon.types import text_io
from trilithon.types.registry import TIMESTAMPTZ
from trilithon.types.settings import IoSettings

NAME: Final = "trilithon.read_as_of"
_CSN: Final = re.compile(r"(\d{1,8})\.(\d{1,13})|(\d{1,20})")
_EPOCH_2000_US: Final = 946_684_800_000_000
_YEAR_10000_US: Final = 252_455_616_000_000_000


def canonical_point(text: str, io: IoSettings) -> str:
    """Raises SqlError 22023."""
    text = text.strip()
    if not text:
        return ""
    csn = _csn(text)
    if csn is not None:
        if not 0 < csn < CSN_MAX:
            raise invalid_value(NAME, text, detail="There is no such csn.")
        return format_csn(csn)
    try:
        time_us: int = text_io.parse(TIMESTAMPTZ, text, io)
    except SqlError as error:
        raise invalid_value(
            NAME, text, detail=error.message, hint="Give a csn or a timestamp with time zone."
        ) from None
    if not -_EPOCH_2000_US <= time_us < _YEAR_10000_US:
        raise invalid_value(NAME, text, detail="The time is out of range.")
    return text_io.render(TIMESTAMPTZ, time_us, io)


def point_of(canonical: str) -> AsOf | None:
    """None: the present."""
    if not canonical:
        return None
    csn = _csn(canonical)
    if csn is not None:
        return AsOf(csn=csn)
    time_us: int = text_io.parse(TIMESTAMPTZ, canonical, IoSettings())
    return AsOf(time_us=time_us + _EPOCH_2000_US)


def _csn(text: str) -> int | None:
    """None: it does not look like one; 0: there is none of this kind."""
    found = _CSN.fullmatch(text)
    if found is None:
        return None
    if found[3]:
        return int(found[3])
    epoch, sequence = int(found[1]), int(found[2])
    if epoch > EPOCH_MAX or sequence > SEQUENCE_MAX:
        return 0
    return epoch << SEQUENCE_BITS | sequence
