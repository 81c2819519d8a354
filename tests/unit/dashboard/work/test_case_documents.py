"""Documents of a case: own uploads, told by content, kept in versions, saved by who may see the case."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from core import officefile
from core.clock import SystemClock
from core.filekind import FileRefused, recognise
from core.officefile import DOCX
from core.records import Actor, Command
from core.settings import Settings
from dashboard.work.paper import docx_of
from events.cases.service import CaseService
from storage.session import read_scope
from storage.tables.files import CaseDocument
from storage.tables.uploads import Upload
from tests.unit.dashboard.test_evidence_upload import tus
from tests.unit.dashboard.web import Office, make_office

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n"


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    yield office
    office.app.state.services.engine.dispose()
    office.engine.dispose()


def archive(**changes: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in changes.items():
            file.writestr(name, data)
    return buffer.getvalue()


def types(main: str) -> str:
    return f'<Types><Override PartName="/x" ContentType="application/vnd.{main}"/></Types>'


WORD = types("openxmlformats-officedocument.wordprocessingml.document.main+xml")
SHEET = types("openxmlformats-officedocument.spreadsheetml.sheet.main+xml")
MACRO = types("ms-word.document.macroEnabled.main+xml")


def opened(office: Office, title: str = "Bridge") -> str:
    data = {"definition_id": "project_approval", "title": title, "department_id": "dept-fire"}
    made = office.client("operator").post("/api/cases", json=data)
    assert made.status_code == 201, made.text
    return str(made.json()["case_id"])


def file(client: TestClient, case_id: str, *documents: Any) -> Any:
    body = {"name": "file", "data": {"documents": list(documents)}}
    return client.post(f"/api/cases/{case_id}/commands", json=body)


def sent(client: TestClient, data: bytes, name: str, **facts: str) -> str:
    said = {"target": "document", "filename": name, "key": f"{name}{len(data)}{facts}", **facts}
    return tus(client, data, **said)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (PDF, "plan.pdf"), (archive(**{"word/x.xml": "", "[Content_Types].xml": WORD}), "plan.docx"),
        (archive(**{"[Content_Types].xml": SHEET, "xl/workbook.xml": ""}), "plan.XLSX"),
        (archive(**{"OFD.xml": "<OFD/>"}), "图纸.ofd"), (PDF, "noending"),
    ],
)  # fmt: skip
def test_each_kind_is_kept_and_saved_as_it_came(office: Office, data: bytes, name: str) -> None:
    case_id, operator = opened(office), office.client("operator")
    done = file(operator, case_id, {"type": "drawings", "upload_id": [sent(operator, data, name)]})
    assert done.status_code == 200, done.text
    shown = operator.get(f"/api/cases/{case_id}/words").json()["documents"]
    assert [(d["type"], d["version"], d["added_by"] != "") for d in shown] == [("drawings", 1, True)]
    path = f"/api/cases/{case_id}/documents/{shown[0]['document_id']}"
    got = operator.get(path)
    assert got.status_code == 200 and got.content == data
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert office.client("drainer").get(path).status_code == 404  # no right to see the case
    assert operator.get(f"/api/cases/{opened(office, 'other')}/documents/{shown[0]['document_id']}").status_code == 404
    more = file(operator, case_id, {"type": "drawings", "upload_id": sent(operator, PDF + b"2", "plan.pdf")})
    assert more.status_code == 200
    shown = operator.get(f"/api/cases/{case_id}/words").json()["documents"]
    assert [d["version"] for d in shown] == [2, 1]


def test_a_foreign_upload_is_not_there_and_nothing_is_half_saved(office: Office) -> None:
    case_id, other = opened(office), opened(office, "other")
    operator = office.client("operator")
    good = sent(operator, PDF, "a.pdf")
    foreign = sent(office.client("fireman"), PDF + b"1", "b.pdf")
    meant = sent(operator, PDF + b"33", "c.pdf", case_id=other)
    for bad in (foreign, meant, "nothing"):
        refused = file(operator, case_id, {"type": "drawings", "upload_id": good}, {"type": "permit", "upload_id": bad})
        assert refused.status_code == 404, refused.text
        assert refused.json()["field"] == "documents[1].upload_id" and refused.json()["remedy"]
    with read_scope(office.engine) as session:
        assert session.get_one(Upload, good).claimed_by == ""
        assert session.scalars(select(CaseDocument)).first() is None
    assert file(operator, case_id, {"type": "drawings", "upload_id": good}).status_code == 200
    assert file(operator, other, {"type": "drawings", "upload_id": good}).status_code == 404  # a case has it


@pytest.mark.parametrize(
    "document",
    [
        None, "x", 7, [], {"type": "drawings"}, {"type": "nonsense", "upload_id": "u"}, {"type": {}, "upload_id": "u"},
        {"type": "drawings", "upload_id": {"a": 1}}, {"type": "drawings", "upload_id": ["a", "b"]},
        {"type": "drawings", "name": "a.pdf", "uri": "../../etc/passwd", "sha256": "0" * 64, "media_type": "text/html"},
    ],
)  # fmt: skip
def test_a_document_cannot_be_invented(office: Office, document: Any) -> None:
    refused = file(office.client("operator"), opened(office), document)
    assert refused.status_code == 422 and refused.json()["field"].startswith("documents[0]"), refused.text


@pytest.mark.parametrize(("data", "name"), [(PDF, "plan.docx"), (PDF, "plan.pdf.exe"), (PDF, "nalp\u202efdp.exe")])
def test_a_name_that_says_another_kind_is_refused(office: Office, data: bytes, name: str) -> None:
    operator = office.client("operator")
    refused = file(operator, opened(office), {"type": "drawings", "upload_id": sent(operator, data, name)})
    assert refused.status_code == 422 and refused.json()["reason"] == "name", refused.text
    assert refused.json()["field"] == "documents[0].upload_id"


def bomb() -> bytes:
    return archive(**{"[Content_Types].xml": WORD, "word/a.xml": b"\0" * (30 << 20)})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (archive(**{"[Content_Types].xml": WORD, "word/vbaProject.bin": b"x"}), "macros"),
        (archive(**{"[Content_Types].xml": MACRO}), "macros"),
        (archive(**{"[Content_Types].xml": MACRO.encode("utf-16")}), "macros"),
        (archive(**{"[Content_Types].xml": b" " * (2 << 20)}), "bomb"),
        (archive(**{"[Content_Types].xml": WORD, "OFD.xml": "x"}), "broken"),
        (archive(**{"[Content_Types].xml": WORD})[:-30], "broken"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "kind"),
    ],
)
def test_dangerous_content_is_refused_by_what_it_is(data: bytes, reason: str) -> None:
    with pytest.raises(FileRefused) as told:
        recognise(io.BytesIO(data))
    assert told.value.as_dict()["reason"] == reason and told.value.as_dict()["remedy"]


def test_a_bomb_is_bounded_by_what_it_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(officefile, "MAX_UNFOLDED_BYTES", 20 << 20)
    assert officefile.look_inside(io.BytesIO(bomb()), len(bomb())).problem == "bomb"


def test_a_document_is_no_evidence_and_a_picture_no_document(office: Office) -> None:
    case_id, operator = opened(office), office.client("operator")
    upload_id = sent(operator, PDF, "a.pdf")
    body = {"name": "attach", "data": {"evidence": [upload_id]}}
    assert operator.post(f"/api/cases/{case_id}/commands", json=body).status_code == 422
    head = {"Tus-Resumable": "1.0.0", "Upload-Length": "4", "Upload-Metadata": "target ZG9jdW1lbnQ="}
    place = operator.post("/api/uploads", headers=head).headers["Location"]
    more = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert operator.patch(place, content=b"a,b\n", headers=more).status_code == 422  # a table of text


def test_documents_of_a_report_are_filed(office: Office) -> None:
    operator = office.client("operator")
    papers = [{"type": "application", "upload_id": sent(operator, PDF, "form.pdf")}]
    data = {"definition_id": "credit_repair", "title": "t", "department_id": "dept-fire", "documents": papers}
    spec = operator.get("/api/work/kinds").json()["items"]
    wanted = next(one for one in spec if one["definition_id"] == "project_approval")
    assert "documents" in wanted["form"]["properties"]
    made = operator.post("/api/cases", json={**data, "definition_id": "project_approval"})
    assert made.status_code == 201, made.text
    shown = operator.get(f"/api/cases/{made.json()['case_id']}/words").json()["documents"]
    assert [(d["name"], d["version"]) for d in shown] == [("form.pdf", 1)]


def test_an_issued_document_is_a_docx_again() -> None:
    content = {"title": "通知 <书>", "paragraphs": ["a & b\x00"], "number": "1", "date": "2026-01-01", "seal": "章"}
    data = docx_of(content)
    assert recognise(io.BytesIO(data)).media_type == DOCX
    assert data == docx_of({**content, "paragraphs": ["a & b"]})


def test_an_issued_document_has_its_number_in_the_printed_file_and_is_saved_as_docx(office: Office) -> None:
    service = CaseService(office.engine, SystemClock())
    boss = Actor(user_id="boss", name="boss", roles=("manager",), department_id="dept-fire")
    data = {
        "definition_id": "inspection_filing", "title": "检查甲公司", "object": "甲公司", "basis": "安全生产法",
        "inspectors": ["王", "李"], "window_to": "2036-06-03T17:00:00+08:00", "department_id": "dept-fire",
    }  # fmt: skip
    case_id = service.execute(Command(name="report", case_id="", actor_id="boss", data=data), boss).case_id
    service.execute(Command(name="sign", case_id=case_id, actor_id="boss", data={}), boss)
    client = office.client("boss")
    (issued,) = client.get(f"/api/cases/{case_id}/words").json()["documents"]
    assert issued["type"] == "notice" and issued["issued_number"].startswith("检通")
    printed = client.get(f"/api/cases/{case_id}/print?lang=zh").text
    assert issued["issued_number"] in printed and "行政检查通知书" in printed and "盖章" in printed
    saved = client.get(f"/api/cases/{case_id}/documents/{issued['document_id']}")
    assert recognise(io.BytesIO(saved.content)).media_type == DOCX
    with zipfile.ZipFile(io.BytesIO(saved.content)) as paper:
        text = paper.read("word/document.xml").decode()
    assert all(word in text for word in (issued["issued_number"], "甲公司", "安全生产法", "执法机关（盖章）"))
