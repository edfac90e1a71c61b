import sys
from pathlib import Path

for folder in ("transaction", "expression"):
    sys.path.insert(0, str(Path(__file__).parent.parent / folder))
