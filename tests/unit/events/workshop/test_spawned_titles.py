"""Cases that come out of another one bear their own row's title, whoever filled the rows in."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from storage.session import make_engine, read_scope
from storage.tables.cases import Case
from tests.databases import create_all
from tests.unit.events.casework import Town


@pytest.mark.parametrize("own", [{}, {"title": ""}, {"title": None}])
def test_each_item_of_a_life_event_is_called_by_its_name(tmp_path: Path, own: dict[str, str | None]) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'c.db'}")
    create_all(engine)
    rows = [{"item": name, "department_id": "fire", **own} for name in ("营业执照", "税务登记")]
    rows.append({"item": "公章刻制", "department_id": "water", "title": "公章刻制备案"})
    parent = Town(engine).report(
        "fire", definition_id="life_event", title="开办餐饮店", bundle="restaurant", applicant="某店", items=rows
    )
    with read_scope(engine) as session:
        children = session.scalars(select(Case).where(Case.parent_case_id == parent.case_id).order_by(Case.number))
        assert [child.title for child in children] == ["营业执照", "税务登记", "公章刻制备案"]
        assert session.get_one(Case, parent.case_id).title == "开办餐饮店"
