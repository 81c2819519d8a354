"""What readers of workbooks raise for a damaged file: whatever a broken part makes their libraries stumble over."""

from __future__ import annotations

import csv
import struct
import zipfile
import zlib

DAMAGED: tuple[type[Exception], ...] = (
    csv.Error, zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, LookupError, TypeError,
    AttributeError, ArithmeticError, AssertionError, RuntimeError, SyntaxError,
)  # fmt: skip
