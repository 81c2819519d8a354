"""Run check vectors of the standards through the very functions that pages and API call.

One line a vector ``{id, kind, ok, got}`` and at last ``{total, ok, unknown_kinds}``; exit 1 unless all are right.
A file holds ``vectors`` with a ``kind`` each, or (forms) one list a kind.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bench.parts.compare import agrees
from bench.parts.vectors import drones, forms, government
from core.errors import InputInvalid, YiwangError

Check = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]  # (vector, file) → what the product says
FORM_LISTS = ("expressions", "relevance", "import", "excel")


@dataclass(frozen=True, slots=True)
class Vector:
    """One vector with its kind and the file's common facts (``today``, ``context``)."""

    kind: str
    body: Mapping[str, Any]


def checks() -> dict[str, Check]:
    """Every kind that we know, with the function that answers it."""
    return {**government.CHECKS, **forms.CHECKS, **drones.CHECKS}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a vector file of standards/checks")


def run(args: argparse.Namespace) -> int:
    """Print the lines; the exit status says whether every vector is right."""
    document = read(args.file)
    known, unknown = checks(), set[str]()
    total = right = 0
    for vector in vectors_of(document):
        total += 1
        name = vector.body.get("id", f"{vector.kind}-{total}")
        check = known.get(vector.kind)
        if check is None:
            unknown.add(vector.kind)
            line = {"id": name, "kind": vector.kind, "ok": False, "got": None}
        else:
            got = answer(check, vector.body, document)
            ok = agrees(vector.body.get("expect"), got, vector.body.get("tolerance") or {})
            right += ok
            line = {"id": name, "kind": vector.kind, "ok": ok, "got": got}
        print(json.dumps(line, ensure_ascii=False))
    print(json.dumps({"total": total, "ok": right, "unknown_kinds": sorted(unknown)}, ensure_ascii=False))
    return 0 if total and right == total else 1


def answer(check: Check, body: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """What the product answers as plain JSON; a typed error becomes ``{"error": code}``, as in an expectation."""
    try:
        return json.loads(json.dumps(check(body, document), ensure_ascii=False, default=_plain))
    except YiwangError as error:
        return error.as_dict()
    except Exception as error:  # noqa: BLE001 - an input that breaks a function is a wrong answer, not the end of the run
        return {"error": "crash", "detail": f"{type(error).__name__}: {error}"}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else str(value)


def read(path: Path) -> dict[str, Any]:
    """The file; :class:`InputInvalid` when it is not a JSON object with vectors."""
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputInvalid(field=str(path), detail=str(error), how="give a readable JSON file of vectors") from error
    if isinstance(document, list):
        return {"vectors": document}
    if not isinstance(document, dict):
        raise InputInvalid(field=str(path), detail="is not an object", how='give {"vectors": […]}')
    return document


def vectors_of(document: Mapping[str, Any]) -> Iterator[Vector]:
    """Every vector of the file; the forms' four lists are kinds of their own."""
    for body in document.get("vectors") or []:
        yield Vector(str(body.get("kind")), body)
    for kind in FORM_LISTS:
        for body in document.get(kind) or []:
            yield Vector(kind, body)
