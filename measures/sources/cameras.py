"""Cameras as a source: how many, of which category, analysed or patrolled."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, true

from measures.conditions import Field
from measures.source import Asked, Shown, Source, department_names, division_names
from storage.tables.registry import Camera


def fields(_asked: Asked) -> Mapping[str, Field]:
    """What cameras are filtered and grouped by."""
    return {
        "category": Field(Camera.category, "text", "类别", "category"),
        "analysed": Field(Camera.enabled, "flag", "智能分析", "analysed"),
        "address": Field(Camera.url, "text", "地址", "address"),
        "department": Field(Camera.department_id, "text", "部门", "department"),
        "street": Field(func.substr(Camera.division_code, 1, 9), "text", "街镇", "street"),
    }


SOURCE = Source(
    id="cameras", zh="摄像机", en="cameras", table=Camera.__table__, key=Camera.camera_id, fields=fields,
    visible=lambda _session, _actor: true(),
    shown=(
        Shown("name", Camera.name, "名称", "name"), Shown("category", Camera.category, "类别", "category"),
        Shown("department", Camera.department_id, "部门", "department"),
    ),
    names={"department": department_names, "street": division_names}, words={"category": "category"},
)  # fmt: skip
