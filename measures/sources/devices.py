"""Devices with their health now as a source."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import and_, func, select, true

from measures.conditions import Field
from measures.source import Asked, Shown, Source, department_names, division_names
from storage.tables.registry import Device, DeviceHealth, Site

_last = (
    select(DeviceHealth.device_id, func.max(DeviceHealth.since).label("since"))
    .group_by(DeviceHealth.device_id)
    .subquery("last_health")
)


def fields(_asked: Asked) -> Mapping[str, Field]:
    """What devices are filtered and grouped by; ``health`` is empty for one that was never heard."""
    return {
        "protocol": Field(Device.source, "text", "协议", "protocol"),
        "type": Field(Device.device_type, "text", "设备类型", "type of device"),
        "status": Field(Device.status, "text", "登记状态", "status"),
        "health": Field(DeviceHealth.state, "text", "健康状态", "health"),
        "since": Field(DeviceHealth.since, "time", "状态始于", "health since"),
        "first_seen": Field(Device.first_seen_at, "time", "首次收到", "first heard"),
        "department": Field(Device.department_id, "text", "部门", "department"),
        "site_kind": Field(Site.kind, "text", "点位类型", "kind of site"),
        "street": Field(func.substr(Site.division_code, 1, 9), "text", "街镇", "street"),
    }


_health = Device.__table__.outerjoin(_last, _last.c.device_id == Device.device_id).outerjoin(
    DeviceHealth.__table__,
    and_(DeviceHealth.device_id == _last.c.device_id, DeviceHealth.since == _last.c.since),
)
SOURCE = Source(
    id="devices", zh="物联设备", en="devices",
    table=_health.outerjoin(Site.__table__, Site.site_id == Device.site_id), key=Device.device_id, fields=fields,
    visible=lambda _session, _actor: true(),
    shown=(
        Shown("device", Device.device_id, "设备", "device"), Shown("name", Device.name, "名称", "name"),
        Shown("health", DeviceHealth.state, "健康状态", "health"), Shown("since", DeviceHealth.since, "始于", "since"),
        Shown("department", Device.department_id, "部门", "department"),
    ),
    names={"department": department_names, "street": division_names},
    words={"health": "health", "site_kind": "sitekind", "protocol": "protocol"},
)  # fmt: skip
