"""Where a session stands between BEGIN and COMMIT."""

import enum


class Block(enum.IntEnum):
    """IMPLICIT: a transaction without BEGIN, until the end of the message or the next Sync."""

    IDLE = 0
    IMPLICIT = 1
    BLOCK = 2
    FAILED = 3
