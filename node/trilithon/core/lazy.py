"""Modules that most lives of a process never need: imported when they are first used.

A process that was restarted serves once its imports are done, so they are part of what a failure costs.
"""

from __future__ import annotations

import importlib
from typing import Any


class LazyModule:
    """Stands for a module; each look for an attribute imports it, if nobody has."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)
