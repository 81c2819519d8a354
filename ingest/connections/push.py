"""Push out: other platforms are told of case changes, as a signed CloudEvent or in the receiver's own form.

The worker delivers (``events/notify/outgoing.py``): each delivery waits in the outbox of its own, is tried again with
growing pauses, and a receiver that does not answer holds up nobody.
"""

from __future__ import annotations

from core.network.outgoing import PushParams as Params
from core.plugins import About, Words
from ingest.connections.contract import Wiring

ABOUT = About(
    zh="推送（案卷变化、热线回传）",
    en="Push out (case changes, hand-back to the hotline)",
    transport="push",
    direction="out",
    secrets=("signing_secret", "token", "app_secret"),
    help=Words(
        "案卷变化时向对方发送 POST。不填模板则发 CloudEvents 并签名；回传热线请填模板、动作和“只限此接入的工单”。",
        "Posts to the receiver when a case moves. Without a template: a signed CloudEvent. To hand back to the hotline "
        "fill in the template, the commands and whose orders it is about.",
    ),
    params={
        "url": Words("接收地址", "Address of the receiver"),
        "template": Words("内容模板", "Template of the body"),
        "headers": Words("请求头", "Headers"),
        "commands": Words("哪些动作之后", "After which commands"),
        "words": Words("动作对应的词", "The receiver's words for commands"),
        "of_connection": Words("只限此接入的工单", "Only orders of this connection"),
        "min_severity": Words("最低等级（1—4）", "Least severity (1 to 4)"),
        "classes": Words("只限类别代码（前缀）", "Only classes (beginnings of codes)"),
        "departments": Words("只限部门", "Only departments"),
        "sign": Words("签名方式", "Signature"),
        "app_id": Words("应用标识", "Application id"),
        "ok_path": Words("答复中结果码的路径", "Result code in the answer"),
        "ok": Words("表示成功的结果码", "Codes that mean taken"),
    },
)


def build(params: Params, *, wiring: Wiring) -> Params:
    """Nothing to carry here: the parameters themselves."""
    return params


__all__ = ["ABOUT", "Params", "build"]
