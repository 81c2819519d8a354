"""Resumable uploads over the real routes: order, owner, hash, kind, cuts, and two writers at once."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import ManualClock, SystemClock
from core.media import MediaStore
from core.settings import Settings
from dashboard.api.deps import services_of
from dashboard.uploads.routes import metadata_header
from storage.uploads import UNFINISHED, OffsetWrong, UploadStore
from tests.fake_api import picture
from tests.unit.core.test_filekind import media
from tests.unit.dashboard.web import Office, make_office

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = TUS | {"Content-Type": "application/offset+octet-stream"}
PHOTO = picture("after", False)


@pytest.fixture
def office(settings: Settings) -> Office:
    return make_office(settings)


def begin(client: TestClient, size: int, **facts: Any) -> Any:
    head = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata_header({"target": "case", **facts})}
    return client.post("/api/uploads", headers=head)


def put(client: TestClient, path: str, offset: int, data: bytes, **more: str) -> Any:
    return client.patch(path, content=data, headers={**BYTES, "Upload-Offset": str(offset), **more})


def test_a_photo_in_pieces_is_whole_hashed_and_known(office: Office) -> None:
    client = office.client("fireman")
    path = begin(client, len(PHOTO), sha256=hashlib.sha256(PHOTO).hexdigest(), filename="a.exe").headers["Location"]
    for offset in range(0, len(PHOTO), 700):
        assert put(client, path, offset, PHOTO[offset : offset + 700]).status_code == 204
    said = client.get(path).json()
    assert (said["state"], said["media_type"], said["sha256"]) == (
        "ready", "image/jpeg", hashlib.sha256(PHOTO).hexdigest(),
    )  # fmt: skip
    media_store = MediaStore(office.settings.media_url)
    assert not list(media_store.files.glob(media_store.path("uploads/*"))), "the parts are gone once it is whole"


def test_the_protocol_answers_as_tus_1_0_says(office: Office) -> None:
    client = office.client("fireman")
    able = client.options("/api/uploads")
    assert able.headers["Tus-Version"] == "1.0.0" and "checksum" in able.headers["Tus-Extension"]
    assert client.post("/api/uploads", headers={"Tus-Resumable": "0.2.2", "Upload-Length": "9"}).status_code == 412
    path = begin(client, 10).headers["Location"]
    assert client.head(path, headers=TUS).headers["Upload-Offset"] == "0"
    assert client.patch(path, content=b"x", headers={**TUS, "Upload-Offset": "0"}).status_code == 415
    assert put(client, path, 3, b"x").status_code == 409
    assert put(client, path, 0, b"0123456789ABC").status_code == 422, "longer than was said"
    assert client.head(path, headers=TUS).headers["Upload-Offset"] == "0"
    assert client.delete(path, headers=TUS).status_code == 204
    assert client.head(path, headers=TUS).status_code == 404


def test_a_checksum_that_does_not_fit_changes_nothing(office: Office) -> None:
    client = office.client("fireman")
    path = begin(client, len(PHOTO)).headers["Location"]
    wrong = "sha256 " + base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    assert put(client, path, 0, PHOTO[:500], **{"Upload-Checksum": wrong}).status_code == 460
    right = "sha1 " + base64.b64encode(hashlib.sha1(PHOTO[:500], usedforsecurity=False).digest()).decode()
    assert put(client, path, 0, PHOTO[:500], **{"Upload-Checksum": right}).headers["Upload-Offset"] == "500"
    assert put(client, path, 500, b"x", **{"Upload-Checksum": "crc32 AAAA"}).status_code == 422


def test_the_same_key_begins_once_and_another_person_sees_nothing(office: Office) -> None:
    client, other = office.client("fireman"), office.client("drainer")
    first = begin(client, len(PHOTO), key="form-1").headers["Location"]
    put(client, first, 0, PHOTO[:100])
    again = begin(client, len(PHOTO), key="form-1")
    assert again.headers["Location"] == first and again.headers["Upload-Offset"] == "100"
    assert begin(client, 5, key="form-1").status_code == 422
    assert begin(other, len(PHOTO), key="form-1").headers["Location"] != first
    for answer in (other.head(first, headers=TUS), other.get(first), put(other, first, 100, b"x"), other.delete(first)):
        assert answer.status_code == 404
    assert office.client().post("/api/uploads", headers={**TUS, "Upload-Length": "5"}).status_code == 401


def test_creation_with_the_first_bytes(office: Office) -> None:
    client = office.client("fireman")
    head = {**BYTES, "Upload-Length": str(len(PHOTO)), "Upload-Metadata": metadata_header({"target": "case"})}
    answer = client.post("/api/uploads", content=PHOTO, headers=head)
    assert answer.status_code == 201 and answer.headers["Upload-Offset"] == str(len(PHOTO))
    assert client.get(answer.headers["Location"]).json()["state"] == "ready"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (media(b"heic", b"mif1", tracks=()), "image/heic"),
        (media(b"avif", b"mif1", tracks=()), "image/avif"),
        (media(b"M4A ", b"isom", tracks=(b"soun",)), "audio/mp4"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"a,b\n1,2\n", "text/csv"),
    ],
)
def test_a_disguised_file_is_refused_and_stays_refused(office: Office, data: bytes, media_type: str) -> None:
    client = office.client("fireman")
    path = begin(client, len(data), filename="photo.jpg", filetype="image/jpeg").headers["Location"]
    answer = put(client, path, 0, data)
    assert answer.status_code == 422 and answer.json()["media_type"] == media_type
    assert client.head(path, headers=TUS).status_code == 410
    assert put(client, path, len(data), b"").status_code == 410
    assert client.get(path).json()["problem"]["media_type"] == media_type


def test_hash_size_and_right_are_checked(office: Office) -> None:
    client = office.client("fireman")
    assert begin(client, 0).status_code == 422
    assert begin(client, 1 << 40).status_code == 422
    assert begin(client, 9, target="aerial").status_code == 403
    assert begin(client, 9, target="elsewhere").status_code == 422
    path = begin(client, len(PHOTO), sha256="0" * 64).headers["Location"]
    assert put(client, path, 0, PHOTO).json()["reason"] == "hash"


def test_a_file_goes_into_a_case_once(office: Office) -> None:
    client = office.client("fireman")
    case_id = client.post("/api/cases", json={"title": "Hydrant"}).json()["case_id"]
    path = begin(client, len(PHOTO), taken_at="2026-06-05T03:00:00Z").headers["Location"]
    told = {"at": "2026-06-05T03:00:00Z", "place": {"lon": 125.4, "lat": 43.9}, "accuracy_m": 8}
    body = {"upload_id": path.rsplit("/", 1)[1], "told": told}
    early = client.post(f"/api/cases/{case_id}/attachments?purpose=before", json=body)
    assert early.status_code == 422 and early.json()["field"] == "upload_id"
    put(client, path, 0, PHOTO)
    for _ in range(2):
        answer = client.post(
            f"/api/cases/{case_id}/attachments?purpose=before", json=body, headers={"Idempotency-Key": "k1"}
        )
        assert answer.status_code == 201, answer.text
    evidence = client.get(f"/api/cases/{case_id}").json()["evidence"]
    assert [(e["purpose"], e["lon"], e["accuracy_m"]) for e in evidence] == [("before", 125.4, 8)]
    other_case = client.post("/api/cases", json={"title": "Another"}).json()["case_id"]
    assert client.post(f"/api/cases/{other_case}/attachments", json=body).status_code == 422
    assert client.delete(path).status_code == 422
    drainer = office.client("drainer")
    own = drainer.post("/api/cases", json={"title": "Own"}).json()["case_id"]
    assert drainer.post(f"/api/cases/{own}/attachments", json=body).status_code == 404


def test_what_expires_is_swept_and_what_is_used_stays(office: Office) -> None:
    services = office.app.state.services
    clock = ManualClock(SystemClock().now())
    store = UploadStore(services.engine, services.media, clock)
    old = store.create("user:x", "case", 10)
    part = store.begin_part(old, 0)
    part.write(b"12345")
    part.close()
    store.add_part(old, 0, part)
    clock.advance(UNFINISHED.total_seconds() + 60)
    store.create("user:x", "case", 10)
    assert not services.media.files.exists(services.media.path(f"uploads/{old.upload_id}"))


@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_senders_with_cuts_never_lose_or_double_a_byte(office: Office, data: st.DataObject) -> None:
    """Two senders work on one upload from what they last knew; parts are cut anywhere; the file comes out whole."""
    services = services_of(type("C", (), {"app": office.app})())  # type: ignore[arg-type]
    store = UploadStore(services.engine, services.media, services.clock)
    body = data.draw(st.binary(min_size=1, max_size=3000))
    content = b"a,b\n" + base64.b64encode(body)
    made = store.create("user:x", "table", len(content))
    views = [made, made]
    for _ in range(200):
        who = data.draw(st.integers(0, 1))
        view = views[who]
        if view.received == len(content):
            break
        end = min(len(content), view.received + data.draw(st.integers(1, 1500)))
        part = store.begin_part(view, view.received)
        part.write(content[view.received : end])
        part.close()
        try:
            views[who] = store.add_part(view, view.received, part)
        except OffsetWrong:
            part.drop()
            views[who] = store.find(made.upload_id, "user:x")
    while (view := store.find(made.upload_id, "user:x")).received < len(content):
        part = store.begin_part(view, view.received)
        part.write(content[view.received :])
        part.close()
        store.add_part(view, view.received, part)
    done = store.finish(made.upload_id, lambda kind, size: None)
    assert done.sha256 == hashlib.sha256(content).hexdigest()
    assert services.media.read(_uri(store, made.upload_id)) == content


def _uri(store: UploadStore, upload_id: str) -> str:
    from storage.session import read_scope
    from storage.tables.uploads import Upload

    with read_scope(store.engine) as session:
        row = session.get(Upload, upload_id)
        assert row is not None
        return row.uri


def test_problem_is_json(office: Office) -> None:
    client = office.client("fireman")
    path = begin(client, 20).headers["Location"]
    put(client, path, 0, bytes(20))
    assert json.dumps(client.get(path).json()["problem"])
