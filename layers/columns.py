"""The columns of the city folder's tables: the first one is the key; Chinese headings mean the same."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from core.records import AlgorithmConfig, Zone
from core.tables import values
from core.tables.columns import Column, Parse
from core.tables.problem import CellInvalid


def _structure(model: Any) -> Parse:
    def parse(value: Any) -> Any:
        found = values.from_json(value)
        try:
            return msgspec.to_builtins(msgspec.convert(found, model))
        except msgspec.ValidationError as error:
            raise CellInvalid("not_json", detail=str(error)) from None

    return parse


def read_json(text: str) -> Any:
    """``text`` as JSON; ``ValueError`` says what is wrong."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from error


ROLES = ("admin", "operator", "dispatcher", "staff", "inspector", "grid_worker", "manager", "drone", "viewer")
SYSTEMS = ("wgs84", "gcj02", "bd09", "cgcs2000")
_ID = r"[A-Za-z0-9][A-Za-z0-9_.:=-]*"
_OBJECT = _structure(dict[str, Any])
_LON = Column("lon", "lon", also=("经度", "longitude", "lng", "x"))
_LAT = Column("lat", "lat", also=("纬度", "latitude", "y"))
_PLACE = (_LON, _LAT)
_DIVISION = r"\d{6}|\d{9}|\d{12}"
_OWNED = (
    Column("division_code", pattern=_DIVISION, also=("区划代码", "所属区划")),
    Column("department_id", length=40, also=("部门编号", "所属部门编号")),
)
_NAME = ("名称",)
_SOURCE = Column("source", length=40, also=("来源",))
_GEOMETRY = Column("geometry", "geometry")
_ATTRIBUTES = Column("attributes", "object", parse_with=_OBJECT, also=("属性",))
_ENGLISH = ("英文名称",)

TABLES: dict[str, tuple[Column, ...]] = {
    "divisions": (
        Column("code", required=True, pattern=_DIVISION, also=("代码", "区划代码", "编码")),
        Column("name", length=80, also=_NAME),
        Column("name_en", length=120, also=_ENGLISH),
        Column("level", choices=("district", "street", "community"), also=("级别",)),
        Column("parent_code", pattern=r"\d{6}|\d{9}", also=("上级代码",)),
        *_PLACE,
        Column("source", also=("来源",)),
        _GEOMETRY,
    ),
    "departments": (
        Column("department_id", required=True, pattern=_ID, length=40, also=("部门编号", "编号")),
        Column("name", required=True, length=80, also=(*_NAME, "部门名称")),
        Column("name_en", length=120, also=_ENGLISH),
        Column("kind", default="bureau", choices=("bureau", "street", "centre", "company"), also=("类型",)),
        Column("parent_id", length=40, also=("上级编号",)),
        Column("division_code", pattern=_DIVISION, also=("区划代码",)),
        Column("phone", length=40, also=("电话", "联系电话")),
    ),
    "grid": (
        Column("code", required=True, pattern=r"\d{15}", also=("网格编码", "代码", "编码")),
        _SOURCE,
        _GEOMETRY,
    ),
    "sites": (
        Column("site_id", required=True, pattern=_ID, length=40, also=("场所编号", "点位编号", "编号")),
        Column("name", required=True, length=120, also=(*_NAME, "场所名称", "点位名称")),
        Column("name_en", length=160, also=_ENGLISH),
        Column(
            "kind",
            required=True,
            pattern=r"[a-z_]+",
            length=24,
            also=("类型", "类别", "种类", "场所类型", "点位类型", "场所类别", "点位类别"),
        ),
        Column("lon", "lon", required=True, also=_LON.also),
        Column("lat", "lat", required=True, also=_LAT.also),
        *_OWNED,
        Column("address", also=("地址",)),
        _ATTRIBUTES,
        _SOURCE,
        _GEOMETRY,
    ),
    "cameras": (
        Column("camera_id", required=True, pattern=_ID, length=40, also=("摄像机编号", "编号")),
        Column("name", required=True, length=120, also=(*_NAME, "摄像机名称")),
        Column("name_en", length=160, also=_ENGLISH),
        Column("category", default="general", pattern=r"[a-z_]+", length=24, also=("类别", "类型", "摄像机类别")),
        Column("site_id", length=40, also=("场所编号", "点位编号")),
        Column("url", length=500, also=("地址", "视频地址")),
        Column("sub_url", length=500, also=("子码流地址",)),
        *_PLACE,
        *_OWNED,
        Column("analysis_fps", "number", default=2.0, low=0.01, high=30),
        Column("priority", "whole", default=5, low=1, high=9, also=("优先级",)),
        Column("algorithms", "list", default=(), parse_with=_structure(list[AlgorithmConfig]), also=("算法",)),
        Column("zones", "list", default=(), parse_with=_structure(list[Zone]), also=("区域",)),
        Column("calibration", "object", default=(), parse_with=_OBJECT),
        Column("enabled", "yesno", default=True, also=("启用",)),
        Column("risk", "number", default=0.5, low=0, high=1, also=("风险",)),
        _ATTRIBUTES,
        _SOURCE,
        _GEOMETRY,
    ),
    "devices": (
        Column("device_id", length=120, also=("设备编号",)),
        Column("source", required=True, pattern=r"[a-z0-9_]+", length=24, also=("协议",)),
        Column("address", required=True, length=80, also=("地址", "设备地址")),
        Column("name", length=120, also=(*_NAME, "设备名称")),
        Column("name_en", length=160, also=_ENGLISH),
        Column("device_type", length=40, also=("类型", "设备类型")),
        Column("status", default="quarantine", choices=("accepted", "quarantine", "disabled"), also=("状态",)),
        Column("site_id", length=40, also=("场所编号", "场所")),
        *_PLACE,
        Column("coord_sys", default="wgs84", choices=SYSTEMS, also=("坐标系",)),
        Column("department_id", length=40, also=("部门编号", "部门")),
        Column("expected_interval_s", "number", low=0.1, high=31_536_000, also=("上报间隔",)),
        Column("calibration", "object", parse_with=_OBJECT, also=("校准",)),
        Column("ranges", "object", parse_with=_OBJECT, also=("量程",)),
        _ATTRIBUTES,
        _GEOMETRY,
    ),
    "users": (
        Column("user_id", required=True, pattern=_ID, length=40, also=("人员编号", "编号")),
        Column("login", required=True, pattern=r"[A-Za-z0-9][A-Za-z0-9_.@-]*", length=60, also=("登录名", "账号")),
        Column("name", required=True, length=60, also=("姓名",)),
        Column("roles", "list", required=True, choices=ROLES, also=("角色",)),
        *_OWNED,
        Column("phone", length=30, also=("电话", "手机")),
        Column("language", default="zh", choices=("zh", "en"), also=("语言",)),
        _SOURCE,
    ),
}
