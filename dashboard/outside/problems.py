"""What the outside door refuses."""

from __future__ import annotations

from core.errors import YiwangError


class DoorClosed(YiwangError):
    code = "door_closed"
    message = "the service is not reachable at this moment"
    remedy = "what you wrote is still in the page: send it again in a few minutes"


class TooFast(YiwangError):
    code = "too_fast"
    message = "too much was sent from here in a short time"
    remedy = "wait {retry_after_s} seconds"


class RobotCheckFailed(YiwangError):
    code = "robot_check_failed"
    message = "the check against robots was not passed or is too old"
    remedy = "send again; the page makes a new one"


class CodeUnknown(YiwangError):
    code = "code_unknown"
    message = "there is no such code"
    remedy = "compare it with the one you were shown"


class TooLarge(YiwangError):
    code = "too_large"
    message = "this is more than can be sent at once"
    remedy = "send fewer words or a smaller picture"


class AnswersInvalid(YiwangError):
    code = "answers_invalid"
    message = "some answers need a look"
    remedy = "see errors"


STATUS = {
    "door_closed": 503, "too_fast": 429, "robot_check_failed": 403, "code_unknown": 404, "too_large": 413,
    "answers_invalid": 422, "not_found": 404, "input_invalid": 422, "picture_refused": 422,
}  # fmt: skip
