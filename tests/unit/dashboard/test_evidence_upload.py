"""Evidence cannot be invented, borrowed or smuggled in: what a command brings is what the server stored."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sqlalchemy import func, select

from core.pictures import MAX_EDGE, PictureRefused, rewrite
from core.settings import Settings
from dashboard.accounts.users import add_user
from dashboard.api import attachments
from events.evidence import quota
from storage.session import read_scope, session_scope
from storage.tables.cases import CaseEvidence
from storage.tables.people import User
from tests.pictures import picture
from tests.unit.dashboard.web import Office, make_office


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    yield office
    office.app.state.services.engine.dispose()
    office.engine.dispose()


def handed_out(office: Office, department: str = "dept-fire", site: str = "s-fire") -> str:
    """A case in the hands of a department, accepted."""
    operator = office.client("operator")
    case_id = operator.post("/api/cases", json={"title": "smoke", "site_id": site}).json()["case_id"]
    moves: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("operator", "verify", {}), ("operator", "register", {}),
        ("operator", "dispatch", {"department_id": department}),
        ("fireman" if department == "dept-fire" else "drainer", "accept", {}),
    )  # fmt: skip
    for who, name, data in moves:
        answer = office.client(who).post(f"/api/cases/{case_id}/commands", json={"name": name, "data": data})
        assert answer.status_code == 200, (name, answer.text)
    return str(case_id)


def upload(client: TestClient, case_id: str, data: bytes = b"", purpose: str = "after") -> Any:
    files = {"file": ("a.jpg", data or picture(), "image/jpeg")}
    return client.post(f"/api/cases/{case_id}/attachments?purpose={purpose}", files=files)


def finish(client: TestClient, case_id: str, evidence: Any) -> Any:
    return client.post(f"/api/cases/{case_id}/commands", json={"name": "finish", "data": {"evidence": evidence}})


def invented(**changes: Any) -> dict[str, Any]:
    sha = "ab" * 32
    made = {"kind": "photo", "uri": f"ab/{sha}.jpg", "sha256": sha, "media_type": "image/jpeg",
            "taken_at": "2020-01-01T00:00:00Z", "size_bytes": 12345}  # fmt: skip
    return made | changes


@pytest.mark.parametrize(
    "evidence",
    [
        [invented()], [invented(uri="../../etc/passwd")], [invented(media_type="text/html")], ["nothing"], [{}], [None],
        [{"evidence_id": "x" * 5000}], "text", {"a": 1}, [invented()] * 51, [[1]], [{"evidence_id": {"a": 1}}], 7,
    ],
)  # fmt: skip
def test_evidence_cannot_be_invented(office: Office, evidence: Any) -> None:
    case_id = handed_out(office)
    refused = finish(office.client("fireman"), case_id, evidence)
    assert refused.status_code == 422, refused.text
    with read_scope(office.engine) as session:
        assert session.scalar(select(func.count()).select_from(CaseEvidence)) == 0
    reported = office.client("operator").post(
        "/api/cases", json={"title": "t", "site_id": "s-fire", "evidence": evidence}
    )
    assert reported.status_code == 422, reported.text


def test_a_command_takes_ones_own_upload_for_this_case_and_only_that(office: Office) -> None:
    mine, other = handed_out(office), handed_out(office)
    fireman = office.client("fireman")
    stored = upload(fireman, mine).json()
    foreign = upload(office.client("operator"), mine, picture(2), "before").json()
    elsewhere = upload(fireman, other, picture(3)).json()
    for wrong in (foreign, elsewhere):
        assert finish(fireman, mine, [wrong["evidence_id"]]).json()["error"] == "evidence_unknown"
        assert finish(fireman, mine, [wrong]).json()["error"] == "evidence_unknown"
    lied = {**stored, "taken_at": "2019-01-01T00:00:00Z", "size_bytes": 1, "media_type": "text/html", "uri": "x/y"}
    done = finish(fireman, mine, [lied, stored["evidence_id"]])
    assert done.status_code == 200, done.text
    detail = office.client("operator").get(f"/api/cases/{mine}").json()
    last = detail["transitions"][-1]["data"]["evidence"]
    assert last == [{k: stored[k] for k in ("kind", "uri", "sha256", "media_type", "taken_at", "size_bytes")}]


def test_the_same_photograph_in_a_second_case_is_shown(office: Office) -> None:
    first, second = handed_out(office), handed_out(office, "dept-drainage", "s-water")
    number = office.client("operator").get(f"/api/cases/{first}").json()["case"]["number"]
    assert upload(office.client("fireman"), first).status_code == 201
    assert upload(office.client("drainer"), second).status_code == 201
    seen = office.client("operator").get(f"/api/cases/{second}").json()["evidence"]
    assert [(e["elsewhere"], e["also_in"]) for e in seen] == [(1, [number])]
    told = office.client("drainer").get(f"/api/cases/{second}").json()["evidence"]  # who may not see the other case
    assert [(e["elsewhere"], e["also_in"]) for e in told] == [(1, [])]


def test_rights_and_quota_are_asked_before_the_body_is_read(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = handed_out(office)

    async def never(_request: object) -> bytes:
        raise AssertionError("the body was read")

    monkeypatch.setattr(attachments, "_file", never)
    assert upload(office.client("drainer"), case_id).status_code == 404
    with session_scope(office.engine) as session:
        guest = add_user(session, login="guest", name="guest", roles=["viewer"])
        guest.password_hash = session.scalars(select(User.password_hash).where(User.login == "boss")).one()
    assert upload(office.client("guest"), case_id).status_code == 403
    monkeypatch.setattr(quota, "FILES", 0)
    full = upload(office.client("fireman"), case_id)
    assert (full.status_code, full.json()["error"]) == (429, "quota_exceeded")
    assert int(full.headers["Retry-After"]) > 0


def test_a_day_of_one_person_is_bounded_in_files_and_bytes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id, fireman = handed_out(office), office.client("fireman")
    monkeypatch.setattr(quota, "FILES", 2)
    codes = [upload(fireman, case_id, picture(n)).status_code for n in range(3)]
    assert codes == [201, 201, 429]
    monkeypatch.setattr(quota, "FILES", 100)
    monkeypatch.setattr(quota, "BYTES", 1500)
    assert upload(fireman, case_id, picture(9)).status_code == 429
    assert upload(office.client("operator"), case_id, picture(9)).status_code == 201  # each person has a day


def with_baggage() -> list[bytes]:
    """Pictures that carry something else: behind them, in texts, in EXIF, in a profile."""
    image = Image.new("RGB", (40, 30), (9, 99, 199))
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    found = []
    for kind, more in (("JPEG", {"exif": exif}), ("WEBP", {"exif": exif, "xmp": b"SECRET"}), ("PNG", {})):
        target = io.BytesIO()
        texts = PngInfo()
        texts.add_text("comment", "SECRET")
        image.save(target, kind, **more, **({"pnginfo": texts} if kind == "PNG" else {}))
        found.append(target.getvalue())
    return [*found, picture() + b"<script>SECRET</script>", picture() + b"PK\x03\x04SECRET"]


@pytest.mark.parametrize("data", with_baggage(), ids=["jpeg", "webp", "png", "script", "zip"])
def test_only_the_picture_itself_is_kept(office: Office, data: bytes) -> None:
    case_id, fireman = handed_out(office), office.client("fireman")
    assert b"SECRET" in data
    stored = upload(fireman, case_id, data)
    assert stored.status_code == 201, stored.text
    kept = fireman.get(stored.json()["url"]).content
    assert b"SECRET" not in kept
    assert len(kept) == stored.json()["size_bytes"]
    assert Image.open(io.BytesIO(kept)).size == Image.open(io.BytesIO(data)).size


def test_bombs_and_what_is_no_picture_are_refused(office: Office) -> None:
    case_id, fireman = handed_out(office), office.client("fireman")
    bomb = io.BytesIO()
    Image.new("1", (MAX_EDGE + 1, 8)).save(bomb, "PNG")
    wide = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(wide, "PNG")
    for data in (
        bomb.getvalue(),
        wide.getvalue(),
        b"\xff\xd8\xff" + bytes(500),
        picture()[:200],
        b"GIF89a" + bytes(99),
    ):
        refused = upload(fireman, case_id, data)
        assert refused.status_code == 422, refused.text
        assert "0x" not in refused.text  # no insides are told
    assert not list((office.settings.data_dir / "media").rglob("*.jpg"))


@hypothesis_settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP"]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=12),
    cut=st.floats(0.05, 1),
)
def test_whatever_bytes_come_there_is_a_picture_or_a_refusal(
    kind: str, changes: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray(picture(3, kind))
    for where, value in changes:
        data[int(where * len(data))] = value
    try:
        kept = rewrite(bytes(data[: max(1, int(cut * len(data)))]))
    except PictureRefused as refused:
        assert refused.as_dict()["remedy"]
    else:
        assert rewrite(kept.data).width == kept.width


def tus(client: TestClient, data: bytes, **facts: str) -> str:
    """A finished resumable upload; its id."""
    said = {"target": "case", "key": hashlib.sha256(data).hexdigest(), "filename": "a.jpg", **facts}
    head = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data)), "Upload-Metadata": head}
    begun = client.post("/api/uploads", headers=headers)
    assert begun.status_code == 201, begun.text
    place = begun.headers["Location"]
    more = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert client.patch(place, content=data, headers=more).status_code == 204
    return place.rsplit("/", 1)[1]


def test_a_finished_upload_serves_its_owner_and_one_case(office: Office) -> None:
    case_id, other = handed_out(office), handed_out(office)
    fireman, data = office.client("fireman"), with_baggage()[0]
    upload_id = tus(fireman, data)
    foreign = tus(office.client("operator"), picture(5))
    assert finish(fireman, case_id, [foreign]).json()["error"] == "evidence_unknown"
    meant = tus(fireman, picture(6), case_id=other)
    assert finish(fireman, case_id, [meant]).status_code == 422  # it was begun for another case
    done = finish(fireman, case_id, [{"upload_id": upload_id, "taken_at": "2001-01-01T00:00:00Z"}])
    assert done.status_code == 200, done.text
    shown = fireman.get(f"/api/cases/{case_id}").json()["evidence"]
    assert [(e["purpose"], e["media_type"]) for e in shown] == [("after", "image/jpeg")]
    assert shown[0]["taken_at"] > "2020"
    assert b"SECRET" not in fireman.get(shown[0]["url"]).content  # written anew, though it came by the other door
    assert finish(fireman, other, [upload_id]).status_code == 422  # a case has it
    report = {"title": "again", "site_id": "s-fire", "evidence": [tus(fireman, picture(7))]}
    made = fireman.post("/api/cases", json=report)
    assert made.status_code == 201, made.text
    assert len(fireman.get(f"/api/cases/{made.json()['case_id']}").json()["evidence"]) == 1
