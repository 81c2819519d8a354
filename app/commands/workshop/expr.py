"""Check the expression language: ``python -m app expr --vectors FILE --json``.

Every vector is evaluated in Python and in Node (the browser's modules).  A vector on which the two differ, or that
does not give what it expects, is listed; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from app.node import run_script
from core.errors import InputInvalid
from core.forms.dates import PlainWorkDays
from core.forms.vectors import form_of, form_state, merged_context, outcome, same, unmet
from core.legal_time.calendar import STATUTORY

HELP = "evaluate expression vectors in Python and in Node and list the disagreements"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--vectors", required=True, type=Path, metavar="FILE", help="JSON: `expressions`, `relevance`")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Compare; 0 when both evaluators give what every vector expects."""
    body = _read(args.vectors)
    calendar = _calendar(body.get("calendar"), args.vectors.parent)
    today = str(body.get("today") or "")
    vectors, forms = body.get("expressions") or [], body.get("relevance") or []
    contexts = [merged_context({"today": today, **(body.get("context") or {})}, v.get("context")) for v in vectors]
    given = {
        "calendar": calendar,
        "cases": [{"expr": v.get("expr", ""), "context": c} for v, c in zip(vectors, contexts, strict=True)],
        "forms": [{"form": form_of(v), "answers": v.get("answers") or {}, "today": today} for v in forms],
    }
    there = run_script("run_vectors.mjs", given)
    days = PlainWorkDays.of(calendar)
    here = [outcome(str(v.get("expr", "")), c, days) for v, c in zip(vectors, contexts, strict=True)]
    found = [_line(*three) for three in zip(vectors, here, there["cases"], strict=True) if _differs(*three)]
    states = [form_state(v, today, days) for v in forms]
    found += [line for three in zip(forms, states, there["forms"], strict=True) if (line := _form_line(*three))]
    _print(args.json, len(vectors) + len(forms), found)
    return 1 if found else 0


def _read(path: Path) -> dict[str, Any]:
    how = 'give a JSON file with "expressions": [{"id", "expr", "context", "expect"}]'
    try:
        body = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputInvalid(field="vectors", detail=f"{path}: {error}", how=how) from error
    if isinstance(body, list):
        body = {"expressions": body}
    if not isinstance(body, dict) or not isinstance(body.get("expressions", []), list):
        raise InputInvalid(field="vectors", detail=f"{path} holds no list of expressions", how=how)
    entries = [*body.get("expressions", []), *(body.get("relevance") or [])]
    if not all(isinstance(vector, dict) for vector in entries):
        raise InputInvalid(field="expressions", detail="an entry is not an object", how=how)
    return body


def _calendar(given: Any, folder: Path) -> dict[str, Any]:
    """The file's calendar: days in place, or the path of a calendar file; the statutory one where there is none."""
    if isinstance(given, dict) and not isinstance(given.get("holidays", []), str):
        return given
    named = given.get("holidays") if isinstance(given, dict) else given
    tried = [Path(named), folder / named] if isinstance(named, str) else []
    path = next((p for p in tried if p.is_file()), STATUTORY)
    calendar: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return calendar


def _differs(vector: dict[str, Any], here: Any, there: Any) -> bool:
    return not same(here, there) or ("expect" in vector and not same(here, vector["expect"]))


def _line(vector: dict[str, Any], here: Any, there: Any) -> dict[str, Any]:
    return {
        "id": vector.get("id"), "expr": vector.get("expr"), "python": here, "node": there,
        "expect": vector.get("expect"),
    }  # fmt: skip


def _form_line(vector: dict[str, Any], here: dict[str, Any], there: dict[str, Any]) -> dict[str, Any] | None:
    """What differs between the two engines' states, or from what the vector expects."""
    expect = vector.get("expect") or {}
    differing = {key: there.get(key) for key in here if key != "publish_errors" and not same(here[key], there.get(key))}
    missed = unmet(here, expect)
    if not differing and not missed and "error" not in there:
        return None
    python = {key: here[key] for key in differing} | missed
    return {"id": vector.get("id"), "expr": None, "python": python, "node": differing or there, "expect": expect}


def _print(as_json: bool, count: int, found: list[dict[str, Any]]) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"vectors": count, "disagreements": found}, ensure_ascii=False) + "\n")
        return
    for line in found:
        sys.stdout.write(f"{line['id']}: {line['expr']}\n  python {line['python']}  node {line['node']}")
        sys.stdout.write(f"  expected {line['expect']}\n")
    sys.stdout.write(f"{count} vectors, {len(found)} disagreements\n")
