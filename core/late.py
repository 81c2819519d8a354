"""Modules that are imported when they are first used: starting a process must not wait for what it may never need.

::

    if TYPE_CHECKING:
        import openpyxl
    else:
        openpyxl = Late("openpyxl")
"""

from __future__ import annotations

import importlib
from typing import Any


class Late:
    """Stands for a module until a name of it is asked for; a missing one is told then, by ``ImportError``."""

    def __init__(self, module: str) -> None:
        self.__dict__["_module"] = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(importlib.import_module(self._module), name)
        if not name.startswith("__"):
            self.__dict__[name] = found  # the next time nothing is looked up
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        """As on the module itself (tests put fakes there)."""
        setattr(importlib.import_module(self._module), name, value)
        self.__dict__[name] = value

    def __repr__(self) -> str:
        return f"<{self._module}, when it is needed>"
