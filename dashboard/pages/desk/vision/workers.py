"""The processes that analyse cameras: what they hold, their load, what gave way, the models they run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dash import html

from dashboard.pages.frame import Visit
from dashboard.pages.tables import chip, column, parts, table

GONE = timedelta(seconds=20)  # a process that said nothing for so long is not at work


def draw(visit: Visit) -> Any:
    """A row a process."""
    t = visit.t
    columns = [
        column("worker", t("vision.worker"), width=220),
        column("held", t("vision.cameras"), type="rightAligned", width=120),
        column("load", t("vision.load"), type="rightAligned", width=110),
        column("gave_way", t("fact.state"), cellRenderer="Parts", minWidth=260, autoHeight=True),
        column("models", t("vision.models"), cellRenderer="Parts", minWidth=320, autoHeight=True),
    ]
    rows = [row_of(w, visit) for w in at_work(visit)]
    if not rows:
        return html.P(t("vision.none_at_work"), className="quiet")
    return table(visit, "vis-workers", columns, rows, key="worker", height="calc(100vh - 220px)",
                 options={"pagination": False})  # fmt: skip


def at_work(visit: Visit) -> list[dict[str, Any]]:
    """The states of the processes that were heard a moment ago."""
    oldest = (visit.services.clock.now() - GONE).isoformat()
    states = visit.services.hub.states.items()
    found = [s for key, s in states if key.startswith("worker.") and str(s.get("at", "")) >= oldest]
    return sorted(found, key=lambda s: str(s.get("worker")))


def row_of(w: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """A process as the table shows it."""
    t, gave_way = visit.t, []
    if w.get("resting"):
        gave_way.append(chip(t("vision.resting")))
    if w.get("slowed"):
        gave_way.append(chip(t("vision.slowed_n", n=w["slowed"]), "warn"))
    if w.get("model_swaps"):
        gave_way.append(chip(t("vision.swaps", n=w["model_swaps"])))
    return {
        "worker": w.get("worker"), "held": w.get("held", 0), "load": f"{100 * (w.get('load') or 0):.0f} %",
        **parts("gave_way", *gave_way),
        **parts("models", *(shown for m in w.get("models") or [] for shown in (_model(m, visit), *_trial(m, visit)))),
    }  # fmt: skip


def _model(m: dict[str, Any], visit: Visit) -> dict[str, str]:
    label = " ".join(filter(None, (m.get("name"), m.get("version")))) + f" · {str(m.get('sha256'))[:8]}"
    if m.get("problem"):
        return chip(f"{label} · {visit.t('vision.model_problem')}", "bad", str(m["problem"]))
    return chip(label, title=str(m.get("sha256")))


TONES = {"better": "good", "not_better": "bad"}


def _trial(m: dict[str, Any], visit: Visit) -> list[dict[str, str]]:
    """The last trial of a new file against the model in use, with both figures."""
    trial = m.get("trial") or {}
    if not trial:
        return []
    b, a, verdict = trial["before"], trial["after"], str(trial["verdict"])
    figures = visit.t("vision.trial_figures", after=a["kept"], before=b["kept"], confirmed=a["confirmed"],
                      left=a["dropped"], left_before=b["dropped"], false=a["false"])  # fmt: skip
    name = " ".join(filter(None, (str(trial.get("version") or ""), str(trial.get("sha256"))[:8])))
    return [
        chip(f"{visit.t(f'vision.trial_{verdict}')} · {name}", TONES.get(verdict, "warn"), figures),
        {"text": figures, "c": "under"},
    ]
