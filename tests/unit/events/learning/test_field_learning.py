"""What people said of cameras' alarms becomes an evaluation set and a nightly report."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from app.cli import main
from core.bus import Bus
from core.clock import ManualClock
from core.ids import new_id
from core.media import MediaStore
from core.records import decode
from core.settings import Settings
from core.sight.field_set import FieldSet
from events.evidence.audit_log import append
from events.learning import report
from events.learning.field_export import export, part_of
from events.learning.field_set import kinds, read_field_set
from events.runtime.field_learning import FieldLearning
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseEvidence, CaseObservation
from storage.tables.observations import ObservationRow
from tests.unit.dashboard.web import Office, make_office
from vision.evaluate.dataset import read_set
from vision.fleet.evidence import jpeg

NIGHT = datetime(2026, 6, 5, 20, tzinfo=UTC)  # 04:00 in Beijing, after the hour of the report


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    yield office
    office.engine.dispose()


def judge(
    office: Office, n: int, false_alarm: bool, confidence: float = 0.6, camera: str = "c-fire", **more: Any
) -> str:
    """A closed case of a camera, with its clean picture and the observation that opened it."""
    case_id = new_id()
    image = np.full((48, 64, 3), 60, np.uint8)
    image[:8, : 2 * n + 2] = 220
    media = MediaStore(office.settings.media_url)
    ref = media.put(jpeg(image), kind="snapshot", media_type="image/jpeg", taken_at=NIGHT)
    at = NIGHT - timedelta(hours=1)
    body = {"box": [0.2, 0.2, 0.4, 0.6], "attributes": {"classes": ["fire"]}}
    with session_scope(office.engine) as session:
        session.add(
            Case(
                case_id=case_id, number=case_id, definition_id="city_management", definition_version=1,
                stage="evaluate", state="closed", open=False, kind="flame_smoke", title="t", source_type="camera",
                source_id=camera, confidence=confidence, opened_at=at, updated_at=at, closed_at=at,
                form={"false_alarm": false_alarm}, **more,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            CaseEvidence(evidence_id=new_id(), case_id=case_id, kind="snapshot", uri=ref.uri, sha256=ref.sha256,
                         media_type="image/jpeg", taken_at=at, added_at=at, added_by="system")
        )  # fmt: skip
        session.add(
            ObservationRow(observation_id=f"o-{case_id}", kind="flame_smoke", state="open", source_type="camera",
                           source_id=camera, observed_at=at, received_at=at, stored_at=at, body=body)
        )  # fmt: skip
        session.add(CaseObservation(case_id=case_id, observation_id=f"o-{case_id}", linked_at=at))
    return case_id


def found_set(office: Office, each: int = 100) -> FieldSet:
    with read_scope(office.engine) as session:
        assert kinds(session) in ([], ["flame_smoke"])
        return read_field_set(session, "flame_smoke", each)


def test_verdicts_form_a_set_without_what_may_not_be_in_it(office: Office) -> None:
    fire, lamp = judge(office, 1, False), judge(office, 2, True)
    judge(office, 3, True, confidential=True)
    gone = judge(office, 4, True)
    with session_scope(office.engine) as session:
        append(session, gone, NIGHT, "system", "expire", {"sha256": []})
    found = {p.case_id: p for p in found_set(office).pictures}
    assert set(found) == {fire, lamp}
    assert found[fire].confirmed and not found[lamp].confirmed
    assert found[fire].box == (0.2, 0.2, 0.4, 0.6) and found[fire].classes == ("fire",)
    assert len(found_set(office, each=0).pictures) == 0


def test_the_set_as_a_folder_keeps_cameras_apart(office: Office, tmp_path: Path) -> None:
    cameras = ["c-fire", "c-water"]
    cameras += [f"c{n}" for n in range(6)]
    for n, camera in enumerate(cameras):
        judge(office, 2 * n, n % 2 == 0, camera=camera)
    counts = export(found_set(office), MediaStore(office.settings.media_url), tmp_path / "set", ["fire", "smoke"])
    assert counts["train"] + counts["val"] == len(cameras) and counts["train"] and counts["val"]
    parts = {part: {i.path.name for i in read_set(tmp_path / "set" / "data.yaml", part).images}
             for part in ("train", "val")}  # fmt: skip
    assert not parts["train"] & parts["val"]
    told = json.loads((tmp_path / "set" / "verdicts.json").read_text())
    assert all(row["part"] == part_of(row["camera_id"]) for row in told)
    boxes = [len(i.boxes) for p in parts for i in read_set(tmp_path / "set" / "data.yaml", p).images]
    assert sorted(boxes) == [0] * 4 + [1] * 4, "false alarms have no label"


def test_the_nightly_report_tells_precision_and_other_thresholds(office: Office) -> None:
    for n, (wrong, confidence) in enumerate([(False, 0.8), (False, 0.9), (False, 0.85), (True, 0.4), (True, 0.5)]):
        judge(office, n, wrong, confidence)
    clock = ManualClock(NIGHT)
    learning = FieldLearning(cast(Bus, None), office.engine, clock)
    assert learning.report() == 1 and learning.report() == 0, "once a night"
    clock.set(NIGHT + timedelta(days=1))
    judge(office, 9, True, 0.45)
    assert learning.report() == 1
    query = "/api/vision/field-report"
    operator = office.client("operator")
    (line,) = operator.get(query).json()["items"]
    assert line["night"] == "2026-06-07" and (line["closed"], line["false_alarms"]) == (6, 3)
    assert line["low"] < line["precision"] == 0.5 < line["high"]
    best = line["thresholds"][-1]
    tried = {row["threshold"]: row for row in line["thresholds"]}
    assert tried[0.55]["false_dropped"] == 3 and tried[0.55]["true_lost"] == 0 and tried[0.55]["precision"] == 1.0
    assert best["true_lost"] == 3
    older = operator.get(f"{query}?night=2026-06-06").json()["items"]
    assert [row["closed"] for row in older] == [5]
    course = operator.get(f"{query}?camera=c-fire&algorithm=flame_smoke&nights=30").json()["items"]
    assert [row["night"] for row in course] == ["2026-06-06", "2026-06-07"]
    assert operator.get(f"{query}?nights=3").status_code == 422
    assert operator.get(f"{query}?night=yesterday").status_code == 422


def test_no_report_before_the_hour_and_none_kept_for_ever(office: Office) -> None:
    judge(office, 1, False)
    early = datetime(2026, 6, 5, 17, tzinfo=UTC)  # 01:00 in Beijing
    assert FieldLearning(cast(Bus, None), office.engine, ManualClock(early)).report() == 0
    with session_scope(office.engine) as session:
        report.write_report(session, NIGHT)
    with session_scope(office.engine) as session:
        report.write_report(session, NIGHT + timedelta(days=report.KEPT_NIGHTS + 1))
        assert len(report.nights(session, "c-fire", "flame_smoke")) == 1


class Bucket(dict[str, bytes]):
    async def put(self, key: str, value: bytes) -> None:
        self[key] = value


class OneBucket:
    """A bus with one bucket."""

    def __init__(self) -> None:
        self.kept = Bucket()

    async def bucket(self, name: str) -> Bucket:
        assert name == "registry"
        return self.kept


def test_the_bus_hears_of_new_verdicts_and_of_those_that_went(office: Office) -> None:
    case_id = judge(office, 1, True)
    bus, clock = OneBucket(), ManualClock(NIGHT)
    learning = FieldLearning(cast(Bus, bus), office.engine, clock)
    assert asyncio.run(learning.tell()) == 1 and asyncio.run(learning.tell()) == 0
    assert len(decode(FieldSet, bus.kept["fieldset.flame_smoke"]).pictures) == 1
    with session_scope(office.engine) as session:
        append(session, case_id, NIGHT, "system", "expire", {"sha256": []})
    clock.set(NIGHT + timedelta(days=1))
    assert asyncio.run(learning.tell()) == 1
    assert decode(FieldSet, bus.kept["fieldset.flame_smoke"]).pictures == ()


def test_the_commands_report_and_export(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        judge(office, n, n % 2 == 0)
    monkeypatch.setenv("YIWANG_DATA_DIR", str(office.settings.data_dir))
    assert main(["field-report", "--now", "--thresholds"]) == 0
    assert "c-fire flame_smoke: 50 % (15–85), 4 judged, 2 false" in capsys.readouterr().out
    assert main(["field-report", "--json", "--camera", "nowhere"]) == 0
    assert json.loads(capsys.readouterr().out) == {"items": []}
    assert main(["field-report", "--night", "June"]) == 2
    capsys.readouterr()
    assert main(["field-set", "flame_smoke", "--out", str(tmp_path / "set"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["confirmed"], told["false"], told["cameras"]) == (2, 2, 1)
    assert main(["field-set", "flame_smok"]) == 2
    shipped = "vision/models/flame_smoke.onnx"
    assert main(["field-set", "flame_smoke", "--try", shipped, "--json"]) == 1, "it is not better than itself"
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["trial"]["verdict"] == "too_few"
