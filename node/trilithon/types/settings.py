"""What a session may set about how values look as text, and its time zone."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

from trilithon.core.errors import SqlError

_FIXED: Final = re.compile(r"(?:utc|gmt)?([+-]?\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?", re.IGNORECASE)
# The form that SET TIME ZONE INTERVAL and SHOW give: name in brackets, POSIX sign after it.
_POSIX: Final = re.compile(
    r"<?([A-Za-z0-9+-]*?)>?([+-]\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?", re.IGNORECASE
)


@dataclass(slots=True)
class IoSettings:
    """PostgreSQL's parameters that input and output depend on.

    `datestyle` is the output format and the field order, e.g. "ISO, MDY" (only ISO output exists).
    `now_us` is the transaction's time in µs since 2000-01-01 UTC: what 'now', 'today' and 'tomorrow'
    mean in a date's text.
    """

    timezone: str = "UTC"
    datestyle: str = "ISO, MDY"
    intervalstyle: str = "postgres"
    extra_float_digits: int = 1
    bytea_output: str = "hex"
    now_us: int = 0
    # (type, oid) → what a regclass or its like is called in the session; None: its number is shown.
    object_name: Callable[[int, int], str] | None = field(default=None, compare=False, repr=False)

    @property
    def zone(self) -> tzinfo:
        return find_zone(self.timezone)

    @property
    def field_order(self) -> str:
        """ "MDY", "DMY" or "YMD"."""
        style = self.datestyle.upper()
        for order in ("DMY", "YMD"):
            if order in style:
                return order
        return "MDY"


DEFAULT_SETTINGS: Final = IoSettings()


@lru_cache(maxsize=256)
def find_zone(name: str) -> tzinfo:
    """The zone called `name` as SET TIME ZONE takes it. Raises SqlError 22023.

    A bare number counts hours east of UTC; a POSIX specification ("<+02>-02", "UTC-2") has the sign
    the other way round.
    """
    zone = zone_or_none(name)
    if zone is None:
        raise SqlError("22023", f'time zone "{name}" not recognized')
    return zone


def zone_or_none(name: str) -> tzinfo | None:
    if name.lower() in ("utc", "gmt", "z", "zulu"):
        return UTC
    match = _FIXED.fullmatch(name)
    if match and match.group(0)[0] not in "uUgG":
        return _fixed(match.groups(), 1)
    found = _zone_names().get(name.lower())
    if found:
        return zoneinfo.ZoneInfo(found)
    match = _POSIX.fullmatch(name)
    if (match and len(match.group(1)) >= 3) or (match and name.startswith("<")):
        return _fixed(match.groups()[1:], -1)
    return None


def _fixed(groups: tuple[str | None, ...], direction: int) -> tzinfo | None:
    hours = int(groups[0] or 0)
    seconds = abs(hours) * 3600 + int(groups[1] or 0) * 60 + int(groups[2] or 0)
    if seconds >= 168 * 3600:
        return None
    negative = (groups[0] or "").startswith("-")
    offset = direction * (-seconds if negative else seconds)
    return timezone(timedelta(seconds=offset)) if abs(offset) < 86_400 else None


@lru_cache(maxsize=1)
def _zone_names() -> dict[str, str]:
    """Zone names are matched without regard to case."""
    return {name.lower(): name for name in zoneinfo.available_timezones()}
