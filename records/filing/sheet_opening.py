"""Opening a workbook that somebody sends: no macros, bounded, nothing fetched from elsewhere."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from core.errors import InputInvalid
from core.forms.xlsform.workbook import container_problem
from core.late import Late

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")


def open_book(content: bytes, *, rows_only: bool = False) -> Any:
    """The workbook; ``rows_only``: its rows one after another, never all of them in memory.

    Raises:
        InputInvalid: it is no workbook, holds macros, or is larger than anybody fills in.
    """
    unsafe = container_problem(content)
    if unsafe is not None:
        raise InputInvalid(field="file", detail=unsafe.code, how="save it as .xlsx without macros")
    try:
        return openpyxl.load_workbook(io.BytesIO(content), keep_links=False, read_only=rows_only)
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever a broken file makes it stumble over
        raise InputInvalid(
            field="file", detail="is no workbook that can be read", how="save it as .xlsx again"
        ) from error
