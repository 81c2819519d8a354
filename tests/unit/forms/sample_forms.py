"""Twenty forms as a district's clerks make them in Excel: rows of the sheets, cells parted by ``|``."""

from __future__ import annotations

import io

import openpyxl

HEAD = (
    "type|name|label|hint|required|relevant|constraint|constraint_message|calculation|choice_filter|default|appearance"
    "|parameters|yw:type|yw:sensitive|yw:prefill|yw:rollup|repeat_count|read_only"
)
YES_NO = "yn|y|是\nyn|n|否"

_MANY = [f"integer|q{i}|第{i}题||||. >= 0||" for i in range(150)]
_MANY += [f"calculate|c{i}|||||||coalesce(${{q{i}}}, 0) + {f'${{c{i - 1}}}' if i else '0'}" for i in range(150)]

# name → (survey rows below HEAD, choices rows below list_name|name|label|extra column, extra column's name)
FORMS: dict[str, tuple[str, str, str]] = {
    "population": (
        """begin group|base|基本情况
text|xm|姓名||yes
text|sfz|身份证号||yes||id-valid(.)|身份证号不正确|||||||yes
date|birth|出生日期||||. <= today()|不能晚于今天
calculate|age|||||||age-on(${birth}, today())
select_one sex|sex|性别||yes
end group
text|school|学校|||${age} < 18 and ${age} >= 6
note|old|${xm}今年 ${age} 岁，可申请高龄津贴|||${age} >= 80""",
        "sex|1|男\nsex|2|女", "",
    ),
    "household": (
        """text|addr|地址||是
begin repeat|cy|家庭成员
text|xm|姓名||是
integer|nl|年龄||是||. >= 0 and . <= 130|0 到 130
decimal|sr|月收入|||${nl} >= 16|. >= 0
end repeat
calculate|rs|||||||count(${cy})
calculate|zsr|||||||sum(${sr})
calculate|rj|||||||round(coalesce(${zsr}, 0) div ${rs}, 2)
note|dibao|人均 ${rj} 元，低于标准|||${rj} < 810""",
        "", "",
    ),
    "cascade": (
        """select_one jd|jd|街道||是
select_one sq|sq|社区||是|||||jd = ${jd}
select_one wg|wg|网格|||||||name != '' and jd = ${jd}||minimal""",
        "jd|001|东盛街道\njd|002|吉林街道\nsq|001001|公平社区|001\nsq|001002|光荣社区|001\nsq|002001|新村社区|002\nwg|1|一网格|001",
        "jd",
    ),
    "fire": (
        """text|dw|单位名称||是|||||||||||register:enterprise
geopoint|wz|位置||是
select_multiple yh|yh|隐患||是||count-selected(.) <= 3|最多三项
text|qt|其他隐患||是|selected(${yh}, 'other')
image|zp|照片||${yh} != ''
integer|mhq|灭火器数量||||. >= 0||||0
select_one yn|hg|是否合格||是||not(. = 'y' and selected(${yh}, 'blocked'))|有堵塞不能合格
date|qx|整改期限|||${hg} = 'n'|. > today() and workdays-between(today(), .) <= 15||add-workdays(today(), 5)
signature_row""",
        f"yh|blocked|通道堵塞\nyh|wire|电线老化\nyh|other|其他\n{YES_NO}", "",
    ),
    "water": (
        """dateTime|sj|发生时间||是
decimal|sd|积水深度 (m)||是||. > 0 and . < 5
calculate|dj|||||||if(${sd} >= 0.5, '红', if(${sd} >= 0.3, '橙', if(${sd} >= 0.15, '黄', '蓝')))
select_multiple cz|cz|处置|||${sd} >= 0.15
rank cz|px|优先次序|||count-selected(${cz}) > 1""",
        "cz|pump|抽水\ncz|close|封路\ncz|guide|疏导", "",
    ),
    "visit": (
        """text|dx|走访对象||是|||||||||person
date|rq|走访日期||是||. <= today()||||
text|zb|占位|||false()
acknowledge|qr|已告知权利||是
barcode|mp|门牌码
range|py|满意度||||||||||start=1 end=5 step=1""",
        "", "",
    ),
    "enterprise": (
        """text|mc|企业名称||yes
text|uscc|统一社会信用代码||yes||uscc-valid(.) or regex(., '[0-9]{15}')|代码不正确
select_one hy|hy|行业||yes
integer|rs|从业人数
decimal|cz|产值（万元）
calculate|rjcz|||||||${cz} div ${rs}
select_one_from_file sites.csv|cs|场所""",
        "hy|A|农业\nhy|B|采矿\nhy|C|制造", "",
    ),
    "rural": (
        """text|cun|村||是|||||||||unit
begin group|rk|人口
integer|nan|男||是||. >= 0||||||||||sum
integer|nv|女||是||. >= 0||||||||||sum
calculate|hj|||||||${nan} + ${nv}||||||||sum
end group
begin group|td|土地
decimal|gd|耕地（亩）||是||. >= 0|||||||||last_period|sum
decimal|ld|林地（亩）||||. >= 0
end group
calculate|rjgd|||||||round(${gd} div ${hj}, 3)""",
        "", "",
    ),
    "dispute": (
        """text|dsr1|当事人一||是|||||||||person||
text|dsr2|当事人二||是|||||||||person||
select_one lx|lx|纠纷类型||是
text|qt|请说明||是|${lx} = '99'
decimal|je|涉及金额|||selected('02 03', ${lx})|. >= 0
file|cl|材料
select_one yn|xy|是否达成协议||是
text|nr|协议内容||${xy} = 'y'|${xy} = 'y'|string-length(.) >= 10|至少十个字""",
        f"lx|01|邻里\nlx|02|合同\nlx|03|债务\nlx|99|其他\n{YES_NO}", "",
    ),
    "nested": (
        """begin repeat|lou|楼栋
text|lh|楼号||yes
begin repeat|dy|单元
integer|hs|户数||yes||. > 0
integer|kz|空置||||. >= 0 and . <= ${hs}
end repeat
calculate|lhs|||||||sum(${hs})
end repeat
calculate|zhs|||||||sum(${lhs})
calculate|zdy|||||||count(${dy})
calculate|kzl|||||||if(${zhs} > 0, round(sum(${kz}) div ${zhs} * 100, 1), '')""",
        "", "",
    ),
    "fixed_rows": (
        """integer|n|车辆数||yes||. >= 0 and . <= 20
begin repeat|che|车辆|||||||||||||||${n}
text|cp|车牌||yes||regex(., '[一-龥][A-Z][A-Z0-9]{5,6}')|车牌不正确
select_one lx|clx|类型
end repeat
hidden|src|||||||||app""",
        "lx|1|货车\nlx|2|客车", "",
    ),
    "emergency": (
        """select_one wz|wz|物资||yes
integer|sl|数量||yes||. > 0
date|dq|到期日|||${wz} = 'food' or ${wz} = 'medicine'
calculate|sy|||||||days-between(today(), ${dq})
note|gq|还有 ${sy} 天到期|||${sy} <= 30 and ${sy} >= 0
note|yq|已过期|||${sy} < 0""",
        "wz|food|食品\nwz|medicine|药品\nwz|pump|水泵", "",
    ),
    "hotline": (
        """text|dh|来电号码||yes||regex(., '1[3-9][0-9]{9}') or regex(., '0[0-9]{2,3}-?[0-9]{7,8}')
select_one bm|bm|承办单位||yes
select_one yn|bmq|是否保密
text|xm|姓名|||${bmq} != 'y'
calculate|bt|||||||concat(choice-label(${bm}), '：', substr(${nr}, 0, 10))
text|nr|内容||yes||string-length(.) >= 5||||multiline""",
        f"bm|cg|城管局\nbm|zj|住建局\n{YES_NO}", "",
    ),
    "groups_twice": (
        """begin group|qian|整改前
image|zp|照片||yes
text|sm1|说明
end group
begin group|hou|整改后
image|zp|照片||yes
text|sm2|说明
end group""",
        "", "",
    ),
    "exam": (
        """select_one t1|q1|第一题||yes
select_multiple t2|q2|第二题||yes
time|ks|开始时间
calculate|f1|||||||if(${q1} = 'b', 50, 0)
calculate|f2|||||||if(selected(${q2}, 'a') and selected(${q2}, 'c') and count-selected(${q2}) = 2, 50, 0)
calculate|df|||||||${f1} + ${f2}
note|jg|得分 ${df}""",
        "t1|a|甲\nt1|b|乙\nt2|a|甲\nt2|b|乙\nt2|c|丙", "",
    ),
    "aid": (
        """integer|rk|家庭人口||yes||. >= 1 and . <= 20
decimal|sr|家庭月收入||yes||. >= 0
calculate|rj|||||||round(${sr} div ${rk}, 2)
calculate|db|||||||${rj} < 810
select_multiple qk|qk|特殊情况
text|cjz|残疾证号||${db} = true()|selected(${qk}, 'cj')|regex(., '[0-9]{20}')||||||||yes
calculate|je|||||||if(${db}, max(0, round((810 - ${rj}) * ${rk}, 0)), 0)""",
        "qk|cj|残疾\nqk|db|大病\nqk|wu|无", "",
    ),
    "inspection": (
        """text|qy|企业||yes|||||||||record enterprise
begin repeat|wt|问题
select_one dl|dl|大类||yes
select_one xl|xl|小类||yes|||||dl = ${dl}
select_one yn|zg|已整改
date|zgrq|整改日期||${zg} = 'y'|${zg} = 'y'|. <= today()
end repeat
calculate|ws|||||||count(${wt}) - count-non-empty(${zgrq})
note|js|没有未整改的问题|||${ws} = 0""",
        f"dl|1|安全\ndl|2|环保\nxl|11|用电|1\nxl|12|消防|1\nxl|21|排污|2\n{YES_NO}", "dl",
    ),
    "odd_text": (
        """text|a|=1+1 不是公式|@提示
text|b|"引号" 和 '单引号'|+86
text|c|-负号开头||no||. != "it's"
integer|d|数字||||. mod 2 = 0||||007
text|姓名|中文名称的题||yes||string-length(.) < 30
calculate|称呼|||||||concat(${姓名}, '同志')""",
        "", "",
    ),
    "openness": (
        """select_one yn|gk|是否公开||yes
select_one ly|ly|不公开理由||${gk} = 'n'|${gk} = 'n'
date|rq|公开日期||${gk} = 'y'|${gk} = 'y'
date|xc|形成日期||yes
calculate|gzr|||||||workdays-between(${xc}, ${rq})
note|cs|超过 20 个工作日|||${gzr} > 20""",
        f"ly|1|国家秘密\nly|2|商业秘密\nly|3|个人隐私\n{YES_NO}", "",
    ),
    "big": ("\n".join(_MANY), "", ""),
}  # fmt: skip


def workbook_of(survey: list[list[str]], choices: list[list[str]], settings: list[list[str]] | None = None) -> bytes:
    """An .xlsx of the given rows."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "survey"
    for name, rows in (("", survey), ("choices", choices), ("settings", settings or [])):
        target = sheet if not name else book.create_sheet(name)
        for row in rows:
            target.append([cell or None for cell in row])
            for cell in target[target.max_row]:
                if isinstance(cell.value, str):
                    cell.data_type = "s"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def sample_workbook(name: str) -> bytes:
    """The workbook of one of :data:`FORMS`."""
    survey, choices, column = FORMS[name]
    rows = [HEAD.split("|")]
    for line in survey.splitlines():
        if line == "signature_row":
            line = "image|qm|签名||yes|||||||||signature"
        rows.append([cell.strip() for cell in line.split("|")])
    listed = [["list_name", "name", "label", *([column] if column else [])]]
    listed += [line.split("|") for line in choices.splitlines()]
    settings = [["form_title", "form_id", "version"], [f"{name}表", name, "2026112801"]]
    return workbook_of(rows, listed if choices else [], settings)
