# ruff: noqa: E501
"""Clean service items and the faults that a careless clerk puts into them."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

from core.codes.credit import ALPHABET, credit_check_character, organisation_check_character
from records.items.elements import standard_elements

Record = dict[str, Any]


def credit_code(number: int) -> str:
    """A made-up credit code of a public body in Erdao; valid by both checks."""
    organisation = f"TEXT{number:04d}"
    body = "11220105" + organisation + organisation_check_character(organisation)
    assert all(c in ALPHABET for c in body)
    return body + credit_check_character(body)


def clean_item(number: int) -> Record:
    """One item without a problem; numbers make different bodies, types, limits and ways of handling."""
    dice = random.Random(number)
    body, kind = credit_code(number % 37), dice.choice(["01", "05", "07", "20"])
    basic = f"00{kind}{number % 90000 + 10000:05d}{number % 7:03d}"
    legal = dice.choice([10, 15, 20, 30])
    unit = dice.choice(["工作日", "自然日"])
    online = dice.random() < 0.7
    name = dice.choice(["小餐饮经营许可", "户外广告设置", "高龄津贴给付", "公共场所卫生许可"]) + f"（{number}）"
    record: Record = {
        "task_name": name, "task_type": kind, "use_level": "4", "dept_type": "1", "dept_code": body,
        "basic": basic, "implementing": f"{body}4{basic}", "handling": f"{body}4{basic}{number % 99 + 1:02d}",
        "project_type": "2", "anticipate_day": legal, "anticipate_type": unit, "promise_day": legal // 2,
        "promise_type": unit, "limit_scene_num": 0 if online else 1,
        "limit_scene_explain": "" if online else "须核验原件", "is_online": "1" if online else "0",
        "online_handle_depth": "Ⅳ" if online else "", "online_handle_url": "https://example.invalid/b" if online else "",
        "handle_flow": "受理-审查-决定-送达", "handle_type": ["1", "2"] if online else ["1", "4"],
        "is_fee": "0", "fee_basis": "", "fees": [], "is_pay_online": "0", "is_entry_center": "1",
        "handle_area": "跨县", "limit_explain": "无数量限制",
        "accept_condition": "1.有固定经营场所；2.有与经营规模相适应的设施。", "result_type": "证照",
        "result_name": "小餐饮经营许可证", "result_sample": "sample-1", "server_type": ["2"],
        "link_way": f"0431-8100{number % 10000:04d}", "supervise_way": f"0431-8200{number % 10000:04d}",
        "special_procedure": "现场核查", "transact_addr": "二道区政务服务中心2楼A区",
        "transact_time": "工作日8:30-17:00", "by_law": "《条例》第八条", "faq": 1,
        "materials": [
            {"material_name": "经营许可申请书", "material_type": "申请表格文书", "source_type": "10", "is_need": "1",
             "original": 1, "copies": 0, "form": "form-1", "example": "ex-1", "by_law": "条例第八条"},
            {"material_name": "营业执照", "material_type": "证件证书证明", "source_type": "20",
             "source_explain": "市场监督管理局", "is_need": "1", "original": 0, "copies": 1, "by_law": "条例第八条"},
        ],
        "parent": {"task_name": name, "task_type": kind, "anticipate_day": legal},
    }  # fmt: skip
    return record


def _set(**values: Any) -> Callable[[Record], None]:
    return lambda record: record.update(values)


def _material(position: int, **values: Any) -> Callable[[Record], None]:
    return lambda record: record["materials"][position].update(values)


def _add(**values: Any) -> Callable[[Record], None]:
    row = {"material_type": "其他", "source_type": "99", "is_need": "1", "original": 1, "copies": 0}
    return lambda record: record["materials"].append({**row, **values})


def _unit(legal: Any, legal_unit: str, promise: Any, promise_unit: str) -> Callable[[Record], None]:
    def break_it(record: Record) -> None:
        record.update(anticipate_day=legal, anticipate_type=legal_unit, promise_day=promise, promise_type=promise_unit)
        record["parent"].pop("anticipate_day")

    return break_it


def _swap_code(record: Record) -> None:
    code = record["implementing"]
    record["implementing"] = code[:17] + ("0" if code[17] != "0" else "1") + code[18:]


FAULTS: list[tuple[str, Callable[[Record], None]]] = [
    *[("R01", _set(**{name: ""})) for name in (
        "task_name", "use_level", "dept_type", "dept_code", "basic", "implementing", "project_type", "anticipate_day",
        "anticipate_type", "promise_day", "promise_type", "accept_condition", "handle_flow", "limit_scene_num",
        "is_fee", "transact_addr", "transact_time", "link_way", "supervise_way", "is_online", "by_law",
    )],
    ("R01", _set(handle_type=[])), ("R01", _set(server_type=[])), ("R01", lambda record: record.pop("by_law")),
    ("R02", _swap_code), ("R02", _set(use_level="3")), ("R02", lambda r: r.update(task_type="06", parent={})),
    ("R02", lambda r: r.update(handling="11220105TEXT00023A" + r["handling"][18:])),
    ("R03", _unit(20, "工作日", 25, "工作日")), ("R03", _unit(20, "自然日", 20, "工作日")),
    ("R03", _unit(20, "自然日", 16, "工作日")), ("R03", _unit(10, "工作日", 15, "自然日")),
    ("R04w", _unit(20, "自然日", 15, "工作日")), ("R04w", _unit(5, "自然日", 5, "工作日")),
    ("R05", _set(project_type="1", promise_day=3)), ("R06", _set(promise_day=0)),
    ("R07", _set(is_fee="1", fee_basis="物价局文件")), ("R08", _set(is_fee="1", fees=[{"fee_name": "工本费", "fee_stand": "10元"}])),
    ("R07", _set(is_fee="1", fee_basis="文件", fees=[{"fee_name": "工本费", "fee_stand": ""}])),
    ("R09", _set(is_pay_online="1")), ("R10", _set(limit_scene_num=1, limit_scene_explain="", online_handle_depth="Ⅲ", is_online="0")),
    ("R11", _set(online_handle_depth="Ⅳ", limit_scene_num=1, limit_scene_explain="核验")),
    ("R12", _set(limit_scene_num=0, is_online="0", handle_type=["1"], online_handle_depth="", online_handle_url="")),
    ("R13", _set(is_online="1", online_handle_url="")), ("R13", _set(is_online="1", online_handle_depth="")),
    ("R14", _set(result_sample="")), ("R15", lambda r: r.update(supervise_way=r["link_way"])),
    ("R15", _set(link_way="81234567")), ("R16", _set(result_type="批文")), ("R16", _set(result_name="关于设置的批复")),
    ("R17", _set(user_topic_type=["01"])), ("R17", _set(server_type=["1"], user_topic_type=[], corp_topic_type=[])),
    ("R20", _add(material_name="其他材料")), ("R20", _add(material_name="法律、法规规定的其他相关材料")),
    ("R20", _add(material_name="身份证等材料")), ("R20", _add(material_name="相关证明材料")), ("R20", _add(material_name="有关资料")),
    ("R21", _material(1, source_explain="")), ("R22", _material(0, is_need="")),
    ("R23", _set(accept_condition="1.有固定场所；2.法律、法规规定的其他条件。")), ("R23", _set(accept_condition="符合有关规定。")),
    ("R23", _set(accept_condition="符合国家法律法规和相关规定")), ("R24", _material(0, form="")), ("R24", _material(0, example="")),
    ("R25", _add(material_name="营业执照")), ("R25", _add(material_name=" 营业 执照")),
    ("R26", _material(1, copies=0)), ("R30", lambda r: r["parent"].update(anticipate_day=r["anticipate_day"] + 1)),
    ("R30", lambda r: r["parent"].update(task_name="别的事项")), ("R32", _set(dept_type="7")), ("R32", _set(handle_type=["1", "6"])),
    ("R33", _set(task_name="长" * 1001, parent={})), ("R34", _set(promise_day="十天")), ("R34", _set(is_fee="不清楚")),
    *[("R01", _set(**{name: word})) for name, word in (
        ("by_law", "\u200b"), ("transact_addr", "　"), ("handle_flow", "——"), ("link_way", "无"), ("transact_time", "N/A"))],
    ("R02", lambda r: r.update(handling=r["handling"][:-2] + "00")), ("R03", _unit("２０", "个工作日", "２５", "W")),
    ("R03", _unit(1, "月", 32, "自然日")), ("R03", _unit(1, "年", 13, "月")), ("R04w", _unit(20, "工作日", 1, "月")),
    *[("R08", _set(is_fee="是", fee_basis=word, fees=[{"fee_name": "工本费", "fee_stand": "10元"}])) for word in ("无", "/")],
    ("R10", _set(limit_scene_num=1, limit_scene_explain="无", online_handle_depth="Ⅱ")), ("R13", _set(is_online="1", online_handle_url="无")),
    *[("R11", _set(online_handle_depth=depth, limit_scene_num=1, limit_scene_explain="核验", is_online="1", online_handle_url="https://a.invalid"))
      for depth in ("IV级", "全程网办", "Ⅳ（全程网办）", "四级深度")],
    ("R14", _set(result_sample="/")), ("R15", _set(link_way="0431-84563210、0431-84563211", supervise_way="0431-84563211")),
    ("R16", _set(result_name="小餐饮经营许可证（副本）", result_type="批文")),
    *[("R20", _add(material_name=name)) for name in (
        "根据实际情况需要提供的材料", "其　他　材　料", "营业执照等", "窗口要求的材料", "上述以外的材料", "其他（见办事指南）")],
    ("R21", _material(1, source_explain="无")), ("R24", _material(0, form="无")), ("R26", _material(1, copies="0份")),
    *[("R23", _set(accept_condition=f"1.有固定场所；2.{text}。")) for text in (
        "其他应当具备的条件", "符合法律法规规定的条件", "符合规定", "符合有关法律、法规、规章的规定")],
    *[("R25", _add(material_name=name)) for name in ("《营业执照》", "1.营业执照", "营业执照。", "（1）营业执照", "（一）、营业执照")],
    ("R34", _set(plan_effective_date="2026-13-01")), ("R34", _set(limit_scene_num=1.5)), ("R34", _set(promise_day="1e99")),
    ("R40w", _set(by_law="《餐饮服务条例》")),
]  # fmt: skip


def broken_items(count: int, seed: int = 7) -> list[tuple[str, Record]]:
    """``count`` items with one seeded fault each: ``(rule, record)``."""
    dice = random.Random(seed)
    found = []
    for position in range(count):
        rule, break_it = FAULTS[position % len(FAULTS)] if position < len(FAULTS) else dice.choice(FAULTS)
        record = copy.deepcopy(clean_item(position * 3 + 1))
        break_it(record)
        found.append((rule, record))
    return found


def all_columns(record: Record) -> Record:
    """The record with every one of the 65 elements filled, as a catalogue's export has it."""
    full: Record = {element.name: "" for element in standard_elements().elements}
    full |= {
        "dept_name": "二道区某局", "task_state": "1", "task_version": "1", "power_source": "法定本级行使",
        "is_single_login": "1", "plan_effective_date": "2026-01-01", "is_schedule": "1", "is_express": "1",
        "is_service_terminals": "0", "corp_topic_type": ["010"], "user_topic_type": [], "fees": [], "remark": "",
    }  # fmt: skip
    return full | record
