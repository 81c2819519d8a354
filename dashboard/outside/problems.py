"""What the outside door refuses."""

from __future__ import annotations

from core.errors import YiwangError


class DoorClosed(YiwangError):
    code = "door_closed"
    message = "the service is not reachable at this moment"
    remedy = "what you wrote is still in the page: send it again in a few minutes"
    zh = "服务此刻无法访问"
    zh_remedy = "您写的内容还在页面里：请过几分钟再发"


class TooFast(YiwangError):
    code = "too_fast"
    message = "too much was sent from here in a short time"
    remedy = "wait {retry_after_s} seconds"
    zh = "短时间内从这里发送得太多"
    zh_remedy = "请等待 {retry_after_s} 秒"


class RobotCheckFailed(YiwangError):
    code = "robot_check_failed"
    message = "the check against robots was not passed or is too old"
    remedy = "send again; the page makes a new one"
    zh = "防机器人校验未通过或已过期"
    zh_remedy = "请再发一次，页面会重新校验"


class CodeUnknown(YiwangError):
    code = "code_unknown"
    message = "there is no such code"
    remedy = "compare it with the one you were shown"
    zh = "没有这个查询码"
    zh_remedy = "请与您看到的查询码核对"


class TooLarge(YiwangError):
    code = "too_large"
    message = "this is more than can be sent at once"
    remedy = "send fewer words or a smaller picture"
    zh = "一次发送的内容太多"
    zh_remedy = "请少写一些，或用小一点的照片"


class AnswersInvalid(YiwangError):
    code = "answers_invalid"
    message = "some answers need a look"
    remedy = "see errors"
    zh = "有些回答需要再看一下"
    zh_remedy = "见各项提示"


STATUS = {
    "door_closed": 503, "too_fast": 429, "robot_check_failed": 403, "code_unknown": 404, "too_large": 413,
    "answers_invalid": 422, "not_found": 404, "input_invalid": 422, "picture_refused": 422,
}  # fmt: skip
