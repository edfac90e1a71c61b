from __future__ import annotations

import sys
from pathlib import Path

for area in ("transaction", "catalog"):
    sys.path.insert(0, str(Path(__file__).parent.parent / area))
