"""A generated catalogue of 1,500 items with all 65 elements, and its duty list: an example, marked as one.

Province, city and district have the same 300 basic codes; 12 streets carry 50 of them.  The first 30 are the
high-frequency items of the one counter.  No body in it exists: credit codes contain TEXT.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.codes.credit import ALPHABET, credit_check_character, organisation_check_character
from records.items.elements import standard_elements
from records.items.frequent import FrequentItem, frequent_items

SOURCE = "generated"
MARK = "生成的示例数据，不是真实事项"
BASICS, STREETS, STREET_ITEMS = 300, 12, 50
_SUBJECTS = {
    "道路施工": "Road works", "绿地占用": "Use of green space", "树木迁移": "Moving trees",
    "建筑垃圾处置": "Disposal of building rubble", "门楣招牌": "Shop signs", "夜市经营": "Night market",
    "停车场设置": "Car park", "供水设施": "Water supply facility", "排水设施": "Drainage facility",
    "燃气设施": "Gas facility", "供热设施": "Heating facility", "路灯设施": "Street lighting",
    "校外托管": "After-school care", "民办幼儿园": "Private kindergarten", "养老机构": "Care home",
    "社会团体": "Social association", "民办非企业单位": "Private non-enterprise unit",
    "慈善募捐": "Charity collection", "殡葬服务": "Funeral service", "地名命名": "Place name",
    "医疗机构": "Medical institution", "诊所备案": "Clinic", "母婴保健": "Mother and child care",
    "放射诊疗": "Radiological treatment", "职业卫生": "Occupational health", "饮用水卫生": "Drinking water hygiene",
    "消毒产品": "Disinfectants", "美容美发场所": "Beauty and hair salon", "体育场馆": "Sports venue",
    "游泳场所": "Swimming venue", "文化娱乐场所": "Entertainment venue", "网吧经营": "Internet café",
    "出版物零售": "Retail of publications", "印刷经营": "Printing business", "旅行社分社": "Branch of a travel agency",
    "文物保护": "Protection of relics", "安全生产": "Safety at work", "危险化学品": "Hazardous chemicals",
    "烟花爆竹零售": "Retail of fireworks", "特种设备": "Special equipment", "计量器具": "Measuring instruments",
    "产品质量": "Product quality", "广告发布": "Publication of advertisements", "药品零售": "Retail of medicines",
    "医疗器械": "Medical devices", "食品小作坊": "Small food workshop", "农产品": "Farm produce",
    "种子经营": "Seed trade", "兽药经营": "Trade in veterinary medicines", "动物诊疗": "Veterinary practice",
    "农机驾驶": "Driving of farm machinery", "水域滩涂": "Water and mudflats", "取水": "Water abstraction",
    "河道采砂": "River sand mining", "林木采伐": "Felling of trees", "退役军人优抚": "Care of veterans",
    "残疾人就业": "Employment of disabled people", "工伤认定": "Recognition of work injury",
}  # fmt: skip
_ACTIONS = (
    ("新办", "new", "01", "许可证"),
    ("变更", "change", "01", "许可证"),
    ("延续", "extension", "01", "许可证"),
    ("注销", "cancellation", "01", "决定书"),
    ("备案", "filing", "10", "备案表"),
)
BODIES = (
    ("民政局", "dept-civil"), ("市场监督管理局", "dept-market"), ("卫生健康局", "dept-health"),
    ("人力资源和社会保障局", "dept-human-resources"), ("城市管理局", "dept-urban"), ("排水管理处", "dept-drainage"),
    ("燃气管理办公室", "dept-gas"), ("消防救援大队", "dept-fire"), ("生态环境分局", "dept-environment"),
    ("司法局（矛盾调解）", "dept-mediation"), ("残疾人联合会", "dept-disabled"), ("应急管理局", "dept-emergency"),
    ("交警大队", "dept-traffic"),
)  # fmt: skip


@dataclass(frozen=True)
class Basic:
    """What all levels have in common."""

    number: int
    name: str
    type: str
    kind: str
    body: str
    legal: int
    promise: int
    served: tuple[str, ...]
    result: str
    materials: tuple[Mapping[str, Any], ...]
    questions: tuple[Mapping[str, Any], ...] = ()
    english: str = ""

    @property
    def code(self) -> str:
        return f"22{self.type}{self.number + 10_000:05d}000"


def basics(count: int = BASICS) -> list[Basic]:
    """The first 30 are the counter's, the rest subject × action."""
    found = [_frequent(item) for item in frequent_items()][:count]
    number = len(found)
    for action, done, kind, result in _ACTIONS:
        for subject, english in _SUBJECTS.items():
            if number >= count:
                return found
            found.append(_made(number, subject, action, kind, result, f"{english}: {done}"))
            number += 1
    return found


def _frequent(item: FrequentItem) -> Basic:
    return Basic(item.number - 1, item.name, item.type, item.kind, item.body, item.legal, item.promise, item.served,
                 item.result, item.materials, item.questions, item.en)  # fmt: skip


def _made(number: int, subject: str, action: str, kind: str, result: str, english: str) -> Basic:
    form = f"{subject}{action}申请表"
    materials: tuple[Mapping[str, Any], ...] = (
        {"material_name": form, "material_type": "申请表格文书", "material_format": "电子或纸质", "is_need": "1",
         "source_type": "10", "original": 1, "copies": 0, "form": f"form-{number}", "example": f"example-{number}",
         "accept_stand": "填写完整、签字或盖章", "fill_explain": "按样表填写"},
        {"material_name": "营业执照", "term": "business_licence", "material_type": "证件证书证明", "is_need": "1",
         "material_format": "电子证照", "source_type": "20", "source_explain": "市场监督管理局", "original": 0,
         "copies": 1, "accept_stand": "有效期内"},
    )  # fmt: skip
    legal = (10, 15, 20, 30)[number % 4]
    body = BODIES[number % len(BODIES)][0]
    return Basic(
        number, f"{subject}{action}", kind, "2", body, legal, legal // 2, ("2",), f"{subject}{result}", materials,
        english=english,
    )  # fmt: skip


def body_code(number: int) -> str:
    """The credit code of a public body that does not exist; valid by both checks, TEXT marks it."""
    digits, rest = "", number
    for _ in range(4):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    organisation = f"TEXT{digits}"
    body = "11220105" + organisation + organisation_check_character(organisation)
    return body + credit_check_character(body)


def generated_items() -> Iterator[dict[str, Any]]:
    """1,500 items: 300 of the province, 300 of the city, 300 of the district, 50 of each of 12 streets."""
    every = basics()
    for level, prefix, base in (("2", "省", 100), ("3", "市", 200), ("4", "区", 300)):
        for basic in every:
            place = next((at for at, (name, _) in enumerate(BODIES) if name == basic.body), 0)
            yield item_of(basic, level, f"{prefix}{basic.body}" if level != "4" else basic.body, base + place)
    for street in range(STREETS):
        for basic in every[:STREET_ITEMS]:
            yield item_of(basic, "5", f"第{street + 1}街道办事处", 400 + street)


def item_of(basic: Basic, level: str, body: str, body_number: int) -> dict[str, Any]:
    """One item with every element; what the level does not need is empty, as an export has it."""
    code = body_code(body_number)
    persons, firms = "1" in basic.served, bool(set(basic.served) - {"1"})
    implementing = f"{code}{level}{basic.code}"
    instant = basic.kind == "1"
    record: dict[str, Any] = {element.name: "" for element in standard_elements().elements}
    record |= {
        "task_name": basic.name, "task_name_en": basic.english, "task_type": basic.type, "use_level": level,
        "dept_name": body, "dept_code": code,
        "dept_type": "1", "basic": basic.code, "implementing": implementing, "handling": f"{implementing}01",
        "task_state": "1", "task_version": "1", "power_source": "法定本级行使",
        "by_law": f"《{basic.name}管理办法（示例）》第八条", "project_type": basic.kind,
        "anticipate_day": basic.legal, "anticipate_type": "工作日", "promise_day": basic.promise,
        "promise_type": "工作日", "accept_condition": f"1.申请人具备办理{basic.name}的资格；2.材料齐全、符合法定形式。",
        "handle_flow": "受理-审查-决定-送达", "handle_type": ["1", "2"], "limit_scene_num": 0, "is_fee": "0",
        "is_pay_online": "0", "server_type": list(basic.served), "user_topic_type": ["010"] if persons else [],
        "corp_topic_type": ["020"] if firms else [], "transact_addr": "二道区政务服务中心2楼综合窗口",
        "transact_time": "工作日8:30-17:00", "link_way": f"0431-8100{body_number:04d}",
        "supervise_way": f"0431-8200{body_number:04d}", "is_single_login": "1", "is_entry_center": "1",
        "is_online": "1",
        "online_handle_depth": "Ⅳ", "online_handle_url": f"https://example.invalid/{basic.number}",
        "plan_effective_date": "2026-01-01", "handle_area": "跨省",
        "special_procedure": "无" if instant else "现场核查",
        "limit_explain": "无数量限制", "result_type": _result_type(basic.result),
        "result_name": basic.result, "result_sample": f"sample-{basic.number}", "is_schedule": "1", "is_express": "1",
        "is_service_terminals": "0", "materials": [dict(row) for row in basic.materials], "fees": [], "faq": 1,
        "remark": MARK,
    }  # fmt: skip
    if level == "5":
        record["town_code"] = f"220105{body_number - 399:03d}"
    if basic.questions and level == "4":
        record["counter_number"] = basic.number + 1
    if basic.questions:
        record["questions_asked"] = [dict(question) for question in basic.questions]
    return record


def _result_type(name: str) -> str:
    if name.endswith(("证", "照")):
        return "证照"
    return "批文" if name.endswith("批复") else "其他"


def duty_lines(count: int = BASICS) -> list[dict[str, Any]]:
    """The duty list that contains every generated item, as values of the register ``duty``."""
    return [
        {"number": basic.code, "name": basic.name, "kind": basic.type,
         "basis": f"《{basic.name}管理办法（示例）》第八条（{MARK}）"}
        for basic in basics(count)
    ]  # fmt: skip
