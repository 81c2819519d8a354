"""CAP 1.2 and Open311: the standards' order, words and refusals."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import InputInvalid, NotFound
from events.interchange import cap, open311
from events.rules.rulebook import default_rulebook

T0 = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)


def alert(**more: object) -> cap.Alert:
    fields = {
        "case_id": "c1", "number": "220105-1", "version": 3, "title": "商场 火灾报警", "description": "a\x01<b>",
        "severity": 4, "happening": "fire", "class_code": "event-05-94", "class_version": "2013", "state": "dispatched",
        "sent": T0, "onset": T0 - timedelta(minutes=1), "lon": 125.36, "lat": 43.89, "division_code": "220105001",
        "expires": T0 + timedelta(hours=1), "sender": "yi wang,<&",
    }  # fmt: skip
    return cap.Alert(**(fields | more))  # type: ignore[arg-type]


def parsed(a: cap.Alert) -> ET.Element:
    return ET.fromstring(cap.alert_xml(a))


def test_elements_stand_in_the_standards_order() -> None:
    root = parsed(alert(earlier=(("yiwang.c1.2", T0),)))
    order = "identifier sender sent status msgType scope restriction references incidents info"
    assert " ".join(cap.order_of(root)) == order
    info = root.find(f"{{{cap.NAMESPACE}}}info")
    assert info is not None
    wanted = (
        "language category event responseType urgency severity certainty eventCode effective onset expires headline "
        "description parameter area"
    )
    assert " ".join(cap.order_of(info)) == wanted


def test_words_and_times_are_the_standards() -> None:
    text = cap.alert_xml(alert()).decode()
    assert "<sent>2026-07-01T11:00:00+08:00</sent>" in text
    assert "<severity>Extreme</severity>" in text
    assert "<certainty>Likely</certainty>" in text
    assert "<circle>43.890000,125.360000 0.150</circle>" in text
    assert "<sender>yi_wang___</sender>" in text
    assert "\x01" not in text


def test_a_course_of_alert_update_and_all_clear() -> None:
    first, later = alert(), alert(earlier=(("yiwang.c1.2", T0),), state="closed", confirmed=True)
    assert cap.message_type(first) == "Alert"
    text = cap.alert_xml(later).decode()
    assert "<msgType>Update</msgType>" in text
    assert "<responseType>AllClear</responseType>" in text
    assert "<certainty>Observed</certainty>" in text
    assert "<references>yi_wang___,yiwang.c1.2,2026-07-01T11:00:00+08:00</references>" in text
    assert cap.message_type(alert(state="cancelled", earlier=(("yiwang.c1.2", T0),))) == "Cancel"
    assert cap.message_type(alert(state="cancelled")) == "Alert", "a Cancel without references is none"
    assert "<status>Exercise</status>" in cap.alert_xml(alert(exercise=True)).decode()


def form(**more: str) -> dict[str, str]:
    fields = {"service_code": "water", "lat": "43.89", "long": "125.36", "description": "积水很深", "device_id": "d"}
    return fields | more


def test_a_report_becomes_an_observation_that_the_rules_know() -> None:
    found = open311.read_report(form(), "app", T0)
    assert (found.kind, found.source_type, found.state) == ("waterlogging", "citizen", "open")
    assert found.location is not None
    assert found.location.lat == 43.89
    assert found.attributes["text"] == "积水很深"
    book = default_rulebook()
    assert all(book.rules_for(service.kind) for service in open311.services().values())


def test_the_same_report_twice_is_one_and_another_place_is_another() -> None:
    assert open311.read_report(form(), "app", T0) == open311.read_report(form(), "app", T0)
    other = open311.read_report(form(lat="43.9"), "app", T0)
    assert other.observation_id != open311.read_report(form(), "app", T0).observation_id


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"service_code": ""}, "service_code"),
        ({"lat": "x"}, "lat"),
        ({"lat": "91"}, "lat"),
        ({"long": ""}, "long"),
        ({"lat": "", "long": ""}, "lat"),
        ({"lat": "125.36", "long": "43.89"}, "lat"),  # the wrong way round
        ({"lat": "51.5", "long": "0.1"}, "lat"),
        ({"description": "x" * 4001}, "description"),
    ],
)
def test_a_wrong_report_is_refused_by_field(change: dict[str, str], field: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        open311.read_report(form(**change), "app", T0)
    assert caught.value.data["field"] == field


def test_unknown_services_are_not_found() -> None:
    with pytest.raises(NotFound):
        open311.read_report(form(service_code="dragons"), "app", T0)


def test_xml_escapes_and_keeps_names() -> None:
    text = open311.to_xml("services", "service", [{"a": "<&>", "b": None, "c": True}]).decode()
    assert "<service><a>&lt;&amp;&gt;</a><b /><c>true</c></service>" in text
