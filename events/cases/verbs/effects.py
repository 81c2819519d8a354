"""What a transition does besides moving the state.  Definitions name effects; none knows what a case is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from core.errors import InputInvalid, NotFound
from core.ids import new_id
from core.legal_time.limits import Limit
from core.records import SYSTEM, EvidenceRef
from events.cases.definition_parts import effect_name
from events.cases.drafts import Part
from events.cases.transition import LIVE, Work, add_evidence
from events.cases.verbs.asking import add_subject, answer_party, ask_party, routed, withdraw_question
from events.cases.verbs.children import copy_up, end_dependents, spawn
from events.cases.verbs.links import distinct, merge, split, unmerge
from events.cases.verbs.papers import file_documents, issue
from events.dispatching.inspectors import nearest_inspector
from storage.sql.statements import ReadyStatement
from storage.tables.cases import CaseAssignment, CaseEvidence, CaseParty, Notice
from storage.tables.people import User
from storage.tables.registry import Department

_USER = ReadyStatement(select(User.user_id).where(User.user_id == bindparam("user_id")))


def attach_files(work: Work, purpose: str) -> None:
    """Store the evidence of the command's data on the case; the same file twice is one row."""
    if not work.data.get("evidence"):
        return
    known = set(
        work.session.scalars(
            select(CaseEvidence.sha256).where(
                CaseEvidence.case_id == work.case.case_id, CaseEvidence.purpose == purpose
            )
        )
    )
    for raw in work.data["evidence"]:
        try:
            ref = msgspec.convert(raw, EvidenceRef)
        except msgspec.ValidationError as error:
            raise InputInvalid(field="evidence", detail=str(error), how="send what the upload answered") from error
        if ref.sha256 not in known:
            add_evidence(work.session, work.case.case_id, ref, purpose, work.actor.user_id, work.at)
            known.add(ref.sha256)


def _attach(work: Work) -> None:
    finishing = "finish_part" in map(effect_name, work.transition.effects)
    attach_files(work, work.data.get("purpose") or ("after" if finishing else "other"))


def _attach_check(work: Work) -> None:
    attach_files(work, "check")


def _reclassify(work: Work) -> None:
    data = work.data
    if data.get("class_code"):
        work.case.class_code = data["class_code"]
        work.service.place(work.session, work.case)
        if "limit" not in data:
            work.put(limit=work.service.class_limit(work.session, work.case))
    if data.get("severity"):
        work.case.severity = data["severity"]
    if data.get("limit"):
        work.put(limit=data["limit"])


def _mark_registered(work: Work) -> None:
    work.case.registered_at = work.case.registered_at or work.at


def _mark_dispatched(work: Work) -> None:
    work.case.dispatched_at = work.case.dispatched_at or work.at


def _mark_checked(work: Work) -> None:
    work.case.checked_at = work.at
    for row in work.parts("check"):
        row.state, row.finished_at, row.user_id = "over", work.at, row.user_id or _person(work)


def _assign(work: Work) -> None:
    """Give the case to a lead and assisting departments; parts that stood before are over.

    A part that comes ``after`` another department's waits until that one is finished.
    """
    data = work.data
    if not data.get("department_id"):
        return
    lead = Part(department_id=data["department_id"], duty=data.get("duty") or "", user_id=data.get("user_id"))
    assisting = [_part(raw) for raw in data.get("assisting") or []]
    for row in work.assignments:
        if row.role != "check" and row.state in (*LIVE, "waiting"):
            row.state = "over"
    names = [lead.department_id, *(p.department_id for p in assisting)]
    if len(set(names)) < len(names):
        raise InputInvalid(field="assisting", detail="a department appears twice", how="name each department once")
    if data.get("limit"):
        work.put(limit=data["limit"])
    limits = {part.department_id: msgspec.to_builtins(part.limit) for part in assisting if part.limit}
    work.put(part_limits=limits or None)
    for part, role in ((lead, "lead"), *((p, "assist") for p in assisting)):
        if part.after and part.after not in names:
            raise InputInvalid(field="assisting", detail=f"{part.after} takes no part", how="name one that does")
        _give(work, part, role)
    work.case.department_id, work.case.handler_id = lead.department_id, None


def _part(raw: Any) -> Part:
    try:
        return msgspec.convert({"department_id": raw} if isinstance(raw, str) else raw, Part)
    except msgspec.ValidationError as error:
        raise InputInvalid(field="assisting", detail=str(error), how="give department_id, duty, limit") from error


def _give_parts(work: Work) -> None:
    """Give parts to more assisting departments; those that stand go on."""
    live = {row.department_id for row in work.parts("lead", "assist") if row.state != "finished"}
    for part in [_part(raw) for raw in work.data.get("assisting") or []]:
        if part.department_id in live:
            raise InputInvalid(field="assisting", detail=f"{part.department_id} has a part", how="name another one")
        if part.limit:
            limits = work.case.form.get("part_limits", {})
            work.put(part_limits={**limits, part.department_id: msgspec.to_builtins(part.limit)})
        _give(work, part, "assist")


def _take_over(work: Work) -> None:
    """The actor handles the case from here on; his department's part, if it has one, is accepted."""
    work.case.handler_id = work.actor.user_id
    for row in work.parts("lead"):
        if row.state == "dispatched":
            row.state, row.accepted_at, row.user_id = "accepted", work.at, _person(work)


def _route(work: Work) -> None:
    """Give the case out along the definition's own routes; without a line that holds it stays where it is."""
    found = routed(work.session, work.definition, work.case, work.data)
    if found is None:
        work.reason_data["routed"] = None
        return
    work.reason_data["routed"] = found
    work.transition = msgspec.structs.replace(work.transition, data={**found, **work.transition.data})
    _assign(work)


def _release(work: Work, department_id: str) -> None:
    """Parts that waited for ``department_id`` are given out now."""
    for row in work.assignments:
        if row.state == "waiting" and row.after_department == department_id:
            row.state, row.dispatched_at = "dispatched", work.at
            work.reason_data["released"] = [*work.reason_data.get("released", []), row.department_id]


def _give(work: Work, part: Part, role: str) -> None:
    if work.session.get(Department, part.department_id) is None:
        raise NotFound(what="department", key=part.department_id)
    if part.user_id is not None and work.session.get(User, part.user_id) is None:
        raise NotFound(what="user", key=part.user_id)
    row = CaseAssignment(
        assignment_id=new_id(),
        case_id=work.case.case_id,
        department_id=part.department_id,
        user_id=part.user_id,
        role=role,
        state="waiting" if part.after else "dispatched",
        after_department=part.after or None,
        duty=part.duty,
        dispatched_at=work.at,
    )
    work.session.add(row)
    work.assignments.append(row)


def _assign_check(work: Work) -> None:
    user_id = work.data.get("user_id")
    user = work.session.get(User, user_id) if user_id else None
    if user_id and user is None:
        raise NotFound(what="user", key=user_id)
    if user is None:
        found = nearest_inspector(work.session, work.case, work.at, work.state.worked_by)
        if found is None:
            return
        user, work.reason_data["inspector"] = found
    department = user.department_id or work.case.department_id  # a grid worker may belong to none
    if department is not None:
        _give(work, Part(department_id=department, user_id=user.user_id, duty="核查"), "check")


def _person(work: Work) -> str | None:
    """The actor's id when he has an account here (another platform or ``system`` has none)."""
    return work.actor.user_id if _USER.rows(work.session, {"user_id": work.actor.user_id}) else None


def _accept_part(work: Work) -> None:
    row = work.own_part()
    row.state, row.accepted_at, row.user_id = "accepted", work.done_at or work.at, _person(work)
    if row.role == "lead":
        work.case.handler_id = None if work.actor.user_id == SYSTEM.user_id else work.actor.user_id


def _leave_part(work: Work) -> None:
    row = work.own_part()
    row.state, row.finished_at, row.user_id = "refused", work.at, row.user_id or _person(work)
    if row.role == "lead":
        work.case.handler_id = None
        work.case.department_id = None


def _finish_part(work: Work) -> None:
    row = work.own_part()
    row.state, row.finished_at, row.user_id = "finished", work.done_at or work.at, row.user_id or _person(work)
    _release(work, row.department_id)
    if row.role == "lead":
        work.case.finished_at = row.finished_at
        work.put(result=work.data.get("result") or work.data.get("comment"), false_alarm=work.data.get("false_alarm"))


def _count_rework(work: Work) -> None:
    work.case.reworks += 1
    for row in work.parts("lead"):
        row.state, row.finished_at = "dispatched", None
    for row in work.parts("check"):
        row.state = "over"


def _resume_part(work: Work) -> None:
    """The lead takes its finished work up again."""
    for row in work.parts("lead"):
        row.state, row.finished_at = "accepted", None


def _add_party(work: Work) -> None:
    user_id = work.data["party_id"]
    if work.session.get(User, user_id) is None:
        raise NotFound(what="user", key=user_id)
    if work.session.get(CaseParty, (work.case.case_id, user_id)) is None:
        work.session.add(CaseParty(case_id=work.case.case_id, user_id=user_id, role="party", added_at=work.at))


def _tell_helpers(work: Work) -> None:
    """A notice to the department that has the case and to the dispatchers: somebody on site needs help."""
    case = work.case
    for to in ({"department_id": case.department_id}, {"role": "dispatcher"}):
        if to.get("department_id", "") is None:
            continue
        notice_id = new_id()
        work.session.add(
            Notice(
                notice_id=notice_id, notice_key=f"help:{notice_id}", case_id=case.case_id, kind="help", **to,
                title=f"求助 / Help: {case.number}", body=f"{work.actor.name}: {work.data['reason']}",
                severity=max(case.severity, 3), created_at=work.at,
            )
        )  # fmt: skip


def _bounce(work: Work) -> None:
    if work.transition.part != "assist":
        work.case.bounces += 1


def _count_reopened(work: Work) -> None:
    work.case.reopened += 1
    for row in work.parts():
        row.state = "over"
    work.case.department_id = work.case.handler_id = None


def _count_urged(work: Work) -> None:
    work.case.urged += 1


def _request(work: Work) -> None:
    wish = {k: v for k, v in work.data.items() if k in ("value", "unit", "reason", "until")}
    entry = {**wish, "level": 0, "requested_by": work.actor.user_id, "at": work.at.isoformat(), "approved_by": []}
    work.put(pending={**work.case.form.get("pending", {}), work.transition.approval: entry})


def _approve(work: Work) -> None:
    name = work.transition.approval
    entry = dict(work.case.form["pending"][name])
    entry["level"] += 1
    entry["approved_by"] = [*entry["approved_by"], work.actor.user_id]
    approval = work.definition.approvals[name]
    done = entry["level"] >= len(approval.levels)
    work.put(pending={**work.case.form["pending"], name: entry})
    work.reason_data["approval"] = {"name": name, "level": entry["level"], "final": done}
    if not done:
        return
    _drop_request(work, name)
    for kind in approval.then.get("extend", ()):
        wish = Limit(value=entry["value"], unit=entry["unit"])
        work.clocks.extend(kind, wish, work.at, [entry["requested_by"], *entry["approved_by"]])
        work.put(extended=int(work.case.form.get("extended", 0)) + 1)


def _drop_request(work: Work, name: str) -> None:
    rest = {k: v for k, v in work.case.form.get("pending", {}).items() if k != name}
    work.put(pending=rest or None)


def _refuse_request(work: Work) -> None:
    _drop_request(work, work.transition.approval)


def _remember_state(work: Work) -> None:
    work.put(remembered=work.transition.from_state)


def _evaluate(work: Work) -> None:
    """Score each part: 100, less 40 when late, less 20 a rework (at most 40), less 10 an extension (at most 20)."""
    minus = min(40, 20 * work.case.reworks) + min(20, 10 * int(work.case.form.get("extended", 0)))
    for row in work.parts("lead", "assist"):
        late = row.deadline_at is not None and (row.finished_at or work.at) > row.deadline_at
        row.score = float(max(0, 100 - 40 * late - (minus if row.role == "lead" else 0)))
    if work.data.get("result") or work.data.get("false_alarm") is not None:
        work.put(
            result=work.data.get("result") or work.case.form.get("result"), false_alarm=work.data.get("false_alarm")
        )


Effect = Callable[[Work], None]
GIVEN = frozenset({"detach"})  # effects that the wiring gives, because they need more than cases
EFFECTS: dict[str, Effect] = {
    "tell_helpers": _tell_helpers,
    "accept_part": _accept_part,
    "add_party": _add_party,
    "add_subject": add_subject,
    "answer_party": answer_party,
    "withdraw_question": withdraw_question,
    "ask_party": ask_party,
    "copy_up": copy_up,
    "end_dependents": end_dependents,
    "file_documents": file_documents,
    "issue": issue,
    "route": _route,
    "spawn": spawn,
    "approve": _approve,
    "assign": _assign,
    "assign_check": _assign_check,
    "attach": _attach,
    "attach_check": _attach_check,
    "bounce": _bounce,
    "count_reopened": _count_reopened,
    "count_rework": _count_rework,
    "count_urged": _count_urged,
    "distinct": distinct,
    "evaluate": _evaluate,
    "finish_part": _finish_part,
    "give_parts": _give_parts,
    "leave_part": _leave_part,
    "mark_checked": _mark_checked,
    "mark_dispatched": _mark_dispatched,
    "mark_registered": _mark_registered,
    "merge": merge,
    "reclassify": _reclassify,
    "refuse_request": _refuse_request,
    "remember_state": _remember_state,
    "request": _request,
    "resume_part": _resume_part,
    "split": split,
    "take_over": _take_over,
    "unmerge": unmerge,
}
