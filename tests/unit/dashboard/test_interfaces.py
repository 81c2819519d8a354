"""The open interfaces under rubbish: Open311, CAP, OpenAPI, CloudEvents.  Every answer is typed, none a 500."""

from __future__ import annotations

import hashlib
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from PIL import Image

from core.clock import ManualClock
from core.records import CaseChanged, GeoPoint, Observation, Severity
from core.settings import Settings
from events.cases.drafts import CaseDraft, Part, Route
from events.interchange import cap
from events.interchange.open311 import read_report
from events.notify.webhooks import Webhooks
from storage.session import session_scope
from storage.tables.cases import Case, CaseObservation
from storage.tables.observations import ObservationRow
from storage.tables.people import ApiKey, User
from tests.unit.dashboard.web import Office, make_office

NOW = datetime(2026, 6, 5, 3, tzinfo=UTC)
KEY = "k" * 24
HOSTILE = "<script>alert(1)</script>'; DROP TABLE case_file; -- =cmd|' /C calc'!A0"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    from core.settings import load_settings

    folder = tmp_path_factory.mktemp("interfaces")
    office = make_office(load_settings({"YIWANG_DATA_DIR": str(folder)}), ManualClock(NOW))
    with session_scope(office.engine) as session:
        user = session.query(User).filter(User.login == "operator").one()
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        session.add(ApiKey(key_hash=digest, name="app", user_id=user.user_id, scope="open311", created_at=NOW))
    yield office
    office.engine.dispose()


def opened(office: Office, title: str, lon: float, lat: float) -> Case:
    draft = CaseDraft(
        title=title, kind="fire_alarm", class_code="event-05-94", source_type="device", source_id="d", severity=3,
        location=GeoPoint(lon=lon, lat=lat), auto_register=True, route=Route(lead=Part(department_id="dept-fire")),
    )  # fmt: skip
    with session_scope(office.engine) as session:
        case_id = office.app.state.services.cases.open_case(session, draft).case_id
    with session_scope(office.engine) as session:
        case = session.get_one(Case, case_id)
        session.expunge(case)
    return case


# Open311 ---------------------------------------------------------------
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.dictionaries(
        st.sampled_from(["service_code", "lat", "long", "description", "address_string", "api_key", "media_url",
                         "attribute[accuracy_m]", "email", "x"]),
        st.one_of(st.text(max_size=60), st.sampled_from(["water", KEY, "nan", "1e999", "-0", HOSTILE, "\x00", "43.9"])),
    ),
    shape=st.sampled_from(["json", "xml", "txt", "json%00"]),
)  # fmt: skip
def test_rubbish_is_refused_in_the_words_of_the_standard(office: Office, form: dict[str, str], shape: str) -> None:
    office.app.state.services.counters.pop("open311_rates", None)  # each example is judged by itself
    answer = office.client().post(f"/open311/v2/requests.{shape}", data={"api_key": KEY, **form})
    # there is no bus here: what reads well is answered with 503 and never taken
    assert answer.status_code in {400, 403, 404, 503}, answer.text
    if shape == "xml":
        assert ET.fromstring(answer.text).find("error/description") is not None
    elif shape == "json":
        (error,) = answer.json()
        assert error["code"] == answer.status_code and error["description"]


@pytest.mark.parametrize(
    "query",
    ["lat=43.9", "lat=x&long=y", "lat=nan&long=125", "lat=43&long=125&radius=-1", "start_date=yesterday",
     "status=half", "service_code=nothing", "start_date=2020-01-01T00:00:00Z", "service_request_id=" + "9" * 3000],
)  # fmt: skip
def test_wrong_filters_are_named(office: Office, query: str) -> None:
    office.app.state.services.counters.pop("open311_rates", None)
    answer = office.client().get(f"/open311/v2/requests.json?api_key={KEY}&{query}")
    assert answer.status_code in {400, 404}, answer.text
    assert answer.json()[0]["description"]


def test_requests_around_a_place(office: Office) -> None:
    office.app.state.services.counters.pop("open311_rates", None)
    near, far = opened(office, "近 火灾", 125.37, 43.88), opened(office, "远 火灾", 125.47, 43.98)
    base = f"/open311/v2/requests.json?api_key={KEY}"
    numbers = {row["service_request_id"] for row in office.client().get(base).json()}
    assert {near.number, far.number} <= numbers
    found = office.client().get(f"{base}&lat=43.8801&long=125.3701&radius=300").json()
    assert [row["service_request_id"] for row in found] == [near.number]
    assert (found[0]["lat"], found[0]["long"]) == (43.88, 125.37)


def test_markup_in_a_title_stays_text_everywhere(office: Office) -> None:
    office.app.state.services.counters.pop("open311_rates", None)
    case = opened(office, HOSTILE, 125.30, 43.80)
    boss = office.client("boss")
    row = ET.fromstring(office.client().get(f"/open311/v2/requests/{case.number}.xml?api_key={KEY}").text)
    assert row.findtext("request/service_request_id") == case.number
    alert = ET.fromstring(boss.get(f"/api/cases/{case.case_id}/cap.xml").text)
    assert HOSTILE in (alert.findtext(f"{{{cap.NAMESPACE}}}info/{{{cap.NAMESPACE}}}headline") or "")
    assert boss.get(f"/api/cases/{case.case_id}").headers["content-type"] == "application/json"
    assert "drop table" in boss.get("/api/cases?q=DROP TABLE").text.lower(), "it is still there"


# CAP -------------------------------------------------------------------
def test_a_cancelled_report_takes_back_what_was_told(office: Office) -> None:
    case = opened(office, "误报 火灾", 125.31, 43.81)
    boss = office.client("boss")
    version = boss.get(f"/api/cases/{case.case_id}").json()["case"]["version"]
    answer = boss.post(
        f"/api/cases/{case.case_id}/commands",
        json={"name": "cancel", "expected_version": version, "data": {"reason": "误报，没有火"}},
    )
    assert answer.status_code == 200, answer.text
    alert = ET.fromstring(boss.get(f"/api/cases/{case.case_id}/cap.xml").text)
    told = {child.tag.rpartition("}")[2]: child.text for child in alert}
    assert told["msgType"] == "Cancel"
    sender, name, sent = str(told["references"]).split(" ")[0].split(",")
    assert sender == told["sender"] and name.startswith(f"yiwang.{case.case_id}.") and "Z" not in sent


def test_a_merged_case_is_told_by_the_other_ones_alerts(office: Office) -> None:
    case, other = opened(office, "火灾 一", 125.33, 43.83), opened(office, "火灾 二", 125.332, 43.832)
    boss = office.client("boss")
    version = boss.get(f"/api/cases/{case.case_id}").json()["case"]["version"]
    answer = boss.post(
        f"/api/cases/{case.case_id}/commands",
        json={"name": "merge", "expected_version": version,
              "data": {"reason": "同一起火灾", "other_case_id": other.case_id}},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    told = {c.tag.rpartition("}")[2]: c.text or "" for c in ET.fromstring(
        boss.get(f"/api/cases/{case.case_id}/cap.xml").text
    )}  # fmt: skip
    assert told["msgType"] == "Cancel" and other.number in told["note"] and case.case_id in told["references"]
    there = ET.fromstring(boss.get(f"/api/cases/{other.case_id}/cap.xml").text)
    assert there.findtext(f"{{{cap.NAMESPACE}}}msgType") != "Cancel"


# REST ------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"title": "a\\u0000b", "kind": "other"}', "application/json"),
        (b"\xff\xfe{", "application/json"),
        ('{"title": "积水"}'.encode("gbk"), "application/json; charset=gbk"),
        (b"[" * 5000, "application/json"),
        (b"{}", "text/plain"),
        (b'{"title": 7, "kind": []}', "application/json"),
        (b'{"title": "' + b"x" * 900_000 + b'"}', "application/json"),
        (b" " * 1_100_000, "application/json"),
    ],
)
def test_rubbish_bodies_are_refused_with_field_and_remedy(office: Office, body: bytes, kind: str) -> None:
    operator = office.client("operator")
    for path in ("/api/cases", "/api/duty", "/api/cases/x/commands", "/api/rules/simulate"):
        answer = operator.post(path, content=body, headers={"Content-Type": kind})
        assert answer.status_code in {400, 403, 404, 413, 422}, (path, answer.status_code, answer.text[:200])
        assert answer.json()["error"] and answer.json()["remedy"]


def test_the_openapi_document_holds_together(office: Office) -> None:
    document: dict[str, Any] = office.client("boss").get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1") and document["info"]["title"] and document["info"]["version"]
    seen: set[str] = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["operationId"] not in seen, where
            seen.add(operation["operationId"])
            assert operation["responses"], where
            named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert named == {part.split(":")[0] for part in _slots(path)}, where
            content = operation.get("requestBody", {}).get("content", {})
            assert all("schema" in media for media in content.values()), where
    schemas = document.get("components", {}).get("schemas", {})
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        assert schema, name
    for reference in _references(document):
        at: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in at, reference
            at = at[step]


def _slots(path: str) -> set[str]:
    return {part.split("}")[0] for part in path.split("{")[1:]}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


# CloudEvents -----------------------------------------------------------
def test_a_case_change_on_the_bus_is_a_cloud_event_in_binary_mode(settings: Settings) -> None:
    change = CaseChanged(
        case_id="c1", number="220105-1", version=3, command="dispatch", state="dispatched", stage="handle",
        title="东盛 火灾", severity=Severity.ORANGE, class_code="event-05-94", changed_at=NOW,
    )  # fmt: skip
    headers = Webhooks(settings).headers(change)
    assert {"ce-specversion", "ce-id", "ce-source", "ce-type"} <= set(headers)
    assert headers["Content-Type"] == "application/json" and "ce-data" not in headers
    assert all(0x21 <= ord(c) <= 0x7E for value in headers.values() for c in value)
    assert headers["ce-specversion"] == "1.0" and unquote(headers["ce-id"]) == "c1:3"
    assert datetime.fromisoformat(unquote(headers["ce-time"])) == NOW
    event = Webhooks(settings).event(change)
    assert json.loads(json.dumps(event))["data"]["case_id"] == "c1"


# Open311: services, paging, errors ------------------------------------
def reported(office: Office, case: Case, code: str, **attributes: str) -> None:
    """A partner's report that joined ``case``."""
    observation = read_report(
        {"service_code": code, "lat": "43.88", "long": "125.37", "description": "d", **attributes}, "app", NOW
    )
    key = f"{observation.observation_id[:30]}{case.case_id[-8:]}"
    with session_scope(office.engine) as session:
        session.add(
            ObservationRow(
                observation_id=key, kind=observation.kind, state="open",
                source_type="citizen", source_id=observation.source_id, observed_at=NOW, received_at=NOW, stored_at=NOW,
                body=msgspec.to_builtins(observation),
            )
        )  # fmt: skip
        session.flush()
        session.add(CaseObservation(case_id=case.case_id, observation_id=key, linked_at=NOW))


def asked(office: Office, **query: str) -> list[dict[str, Any]]:
    office.app.state.services.counters.pop("open311_rates", None)
    rows: list[dict[str, Any]] = (
        office.client().get("/open311/v2/requests.json", params={"api_key": KEY, **query}).json()
    )
    return rows


def test_a_report_is_found_under_the_service_it_was_sent_with(office: Office) -> None:
    case = opened(office, "水位 积水", 125.31, 43.81)
    codes = {s["service_code"] for s in office.client().get("/open311/v2/services.json").json()}
    before = next(r for r in asked(office) if r["service_request_id"] == case.number)
    assert before["service_code"] in codes
    reported(office, case, "water", address_string="东盛大街1号")
    for query in ({"service_code": "water"}, {"service_code": "gas,water"}, {"service_request_id": case.number}):
        row = next(r for r in asked(office, **query) if r["service_request_id"] == case.number)
        assert (row["service_code"], row["address"]) == ("water", "东盛大街1号")
    for other in codes - {"water"}:
        assert case.number not in {r["service_request_id"] for r in asked(office, service_code=other)}
    everything = [r["service_request_id"] for code in sorted(codes) for r in asked(office, service_code=code)]
    assert sorted(everything) == sorted(r["service_request_id"] for r in asked(office))


def test_pages_states_and_changes(office: Office) -> None:
    for k in range(3):
        opened(office, f"页 {k}", 125.2 + k / 100, 43.7)
    every = [r["service_request_id"] for r in asked(office)]
    turned = [r["service_request_id"] for page in range(1, len(every) + 2)
              for r in asked(office, page=str(page), page_size="1")]  # fmt: skip
    assert turned == every
    office.app.state.services.counters.pop("open311_rates", None)
    answer = office.client().get(
        "/open311/v2/requests.json", params={"api_key": KEY, "page_size": "1", "status": "open"}
    )
    assert (
        'rel="next"' in answer.headers["link"]
        and "page=2" in answer.headers["link"]
        and KEY not in answer.headers["link"]
    )
    assert [r["service_request_id"] for r in asked(office, status="open,closed")] == every
    assert asked(office, updated_after="2026-06-05T03:00:01Z") == []
    assert asked(office, updated_after="2026-06-01T00:00:00Z", updated_before="2026-06-30T00:00:00Z")


def test_too_many_requests_are_told_as_such(office: Office) -> None:
    office.app.state.services.counters.pop("open311_rates", None)
    answers = [office.client().get(f"/open311/v2/requests.json?api_key={KEY}&page_size=1") for _ in range(61)]
    assert [a.status_code for a in answers[-2:]] == [200, 429]
    assert answers[-1].json()[0]["code"] == 429 and int(answers[-1].headers["retry-after"]) <= 60
    office.app.state.services.counters.pop("open311_rates", None)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/open311/v2/nothing.json", 404), ("/open311/v2/services/none.xml", 404), ("/open311/v2/services.txt", 404),
     ("/open311/v2/requests/none.xml", 403), ("/open311/v2/discovery.pdf", 404)],
)  # fmt: skip
def test_every_error_has_the_standards_form(office: Office, path: str, status: int) -> None:
    answer = office.client().get(path)
    assert answer.status_code == status
    if path.endswith("xml"):
        error = ET.fromstring(answer.text).find("error")
        assert error is not None and error.findtext("code") == str(status) and error.findtext("description")
    else:
        assert answer.json()[0]["code"] == status and answer.json()[0]["description"]


class _Bus:
    def __init__(self) -> None:
        self.seen: list[Observation] = []

    async def observe(self, observation: Observation) -> None:
        self.seen.append(observation)


def test_a_report_with_a_photograph(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.app.state.services.counters.pop("open311_rates", None)
    bus = _Bus()
    monkeypatch.setattr(office.app.state.services.hub, "bus", bus)
    picture = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(picture, "JPEG")
    form = {"api_key": KEY, "service_code": "water", "lat": "43.88", "long": "125.37", "description": "深"}
    answer = office.client().post(
        "/open311/v2/requests.json", data=form, files={"media": ("a.jpg", picture.getvalue(), "image/jpeg")}
    )
    assert answer.status_code == 200 and answer.json()[0]["token"]
    (seen,) = bus.seen
    assert seen.attributes["service_code"] == "water" and [e.kind for e in seen.evidence] == ["photo"]
    assert office.app.state.services.media.get(seen.evidence[0])
    refused = office.client().post(
        "/open311/v2/requests.json", data=form, files={"media": ("a.jpg", b"no picture", "image/jpeg")}
    )
    assert refused.status_code == 400 and refused.json()[0]["code"] == 400 and len(bus.seen) == 1


# CAP -------------------------------------------------------------------
def test_one_alert_until_something_is_told_then_updates(office: Office) -> None:
    clock = office.app.state.services.clock
    boss = office.client("boss")
    draft = CaseDraft(title="广场 火灾", kind="fire_alarm", source_type="device", source_id="d", severity=3,
                      location=GeoPoint(lon=125.4, lat=43.88))  # fmt: skip
    with session_scope(office.engine) as session:
        case_id = office.app.state.services.cases.open_case(session, draft).case_id

    def told() -> dict[str, str | None]:
        root = ET.fromstring(boss.get(f"/api/cases/{case_id}/cap.xml").text)
        assert all(e.text or len(e) for e in root.iter()), "an empty element"
        found = {e.tag.rpartition("}")[2]: e.text for e in root.iter()}
        assert found["areaDesc"] == "43.88000, 125.40000" or found["areaDesc"]
        return found

    def command(name: str, **data: Any) -> None:
        clock.advance(60)
        version = boss.get(f"/api/cases/{case_id}").json()["case"]["version"]
        body = {"name": name, "expected_version": version, "data": data}
        answer = boss.post(f"/api/cases/{case_id}/commands", json=body)
        assert answer.status_code == 200, answer.text

    first = told()
    assert first["msgType"] == "Alert" and told()["identifier"] == first["identifier"]
    seen = [first]
    for name, data in (("verify", {}), ("register", {"class_code": "event-05-94"}),
                       ("dispatch", {"department_id": "dept-fire"})):  # fmt: skip
        command(name, **data)
        seen.append(told())
    assert [m["msgType"] for m in seen] == ["Alert", "Update", "Update", "Update"]
    assert seen[1]["identifier"] == seen[2]["identifier"] != seen[3]["identifier"]
    references = str(seen[3]["references"]).split(" ")
    assert [r.split(",")[1] for r in references] == [seen[0]["identifier"], seen[1]["identifier"]]
    assert [r.split(",")[2] for r in references] == [seen[0]["sent"], seen[1]["sent"]]


def test_discovery_and_definitions_are_whole_in_xml_too(office: Office) -> None:
    found = ET.fromstring(office.client().get("/open311/v2/discovery.xml").text)
    formats = [f.text for f in found.findall("endpoints/endpoint/formats/format")]
    assert formats == ["text/xml", "application/json"] and found.findtext("key_service")
    defined = ET.fromstring(office.client().get("/open311/v2/services/water.xml").text)
    assert defined.tag == "service_definition" and defined.findtext("service_code") == "water"
    assert defined.findtext("attributes/attribute/code") == "accuracy_m"
    assert defined.findtext("attributes/attribute/required") == "false"
