"""What the web process refuses, and the HTTP status of every typed error."""

from __future__ import annotations

from typing import Any

from core import errors
from core.errors import YiwangError


class LoginFailed(YiwangError):
    code = "login_failed"
    message = "login or password is wrong"
    remedy = "try again, or ask an administrator for a new password"
    zh = "用户名或密码不对"
    zh_remedy = "请再试，或请管理员重设密码"


class SecondFactorRequired(YiwangError):
    code = "second_factor_required"
    message = "this account asks for a code of its second factor"
    remedy = "send the code that the authenticator app shows now"
    zh = "这个账号需要第二因素验证码"
    zh_remedy = "请输入验证器此刻显示的验证码"


class LoginThrottled(YiwangError):
    code = "login_throttled"
    message = "too many failed logins"
    remedy = "wait {retry_after_s} seconds"
    zh = "登录失败次数过多"
    zh_remedy = "请等待 {retry_after_s} 秒"


class HostUnknown(YiwangError):
    code = "host_unknown"
    message = "nobody is called by this name here"
    remedy = "use the address that your administrators gave you (YIWANG_ALLOWED_HOSTS)"
    zh = "这里没有这个名称的站点"
    zh_remedy = "请用管理员给您的地址（YIWANG_ALLOWED_HOSTS）"


class NotSignedIn(YiwangError):
    code = "not_signed_in"
    message = "this needs a session"
    remedy = "log in first"
    zh = "需要先登录"
    zh_remedy = "请登录"


class CsrfRefused(YiwangError):
    code = "csrf_refused"
    message = "the request does not carry this session's CSRF token"
    remedy = "send the csrf_token of /api/me as X-CSRF-Token"
    zh = "请求没有带本会话的 CSRF 令牌"
    zh_remedy = "请把 /api/me 的 csrf_token 放在 X-CSRF-Token 中发送"


class WrongPerson(YiwangError):
    code = "wrong_person"
    message = "this was written by another person than the one signed in"
    remedy = "sign in as the person who wrote it"
    zh = "这是另一个人写的，不是当前登录的人"
    zh_remedy = "请由写的人登录"


class PasswordChangeRequired(YiwangError):
    code = "password_change_required"
    message = "this account's password must be changed first"
    remedy = "log in and choose a new one (POST /api/me/password)"
    zh = "这个账号须先改密码"
    zh_remedy = "请登录并设置新密码（POST /api/me/password）"


class BodyTooLarge(YiwangError):
    code = "body_too_large"
    message = "the request is larger than {limit_bytes} bytes"
    remedy = "send less at once"
    zh = "请求超过 {limit_bytes} 字节"
    zh_remedy = "请一次少发一些"


class Unavailable(YiwangError):
    code = "unavailable"
    message = "{what} does not answer now: {detail}"
    remedy = "try again in a moment"
    zh = "{what} 此刻没有应答：{detail}"
    zh_remedy = "请稍后再试"


class TooManyViewers(YiwangError):
    code = "too_many_viewers"
    message = "{what} is watched by as many as this machine can serve ({limit})"
    remedy = "close another view, or use the still picture"
    zh = "{what} 的观看人数已到本机上限（{limit}）"
    zh_remedy = "请关闭另一个画面，或用静态图片"


class TooManyRequests(YiwangError):
    code = "too_many_requests"
    message = "more than {limit} requests a minute"
    remedy = "wait {retry_after_s} seconds"
    zh = "一分钟内超过 {limit} 次请求"
    zh_remedy = "请等待 {retry_after_s} 秒"


_STATUS: dict[str, int] = {
    "too_many_requests": 429,
    "not_found": 404,
    "media_missing": 404,
    "plugin_unknown": 404,
    "forbidden": 403,
    "csrf_refused": 403,
    "wrong_person": 409,
    "mission_changed": 409,
    "mission_over": 409,
    "route_blocked": 409,
    "wayline_name_taken": 409,
    "not_on_duty": 409,
    "invitation_refused": 403,
    "password_change_required": 403,
    "host_unknown": 421,
    "not_signed_in": 401,
    "login_failed": 401,
    "confirmation_required": 403,
    "sign_on_failed": 401,
    "identity_not_bound": 403,
    "provider_away": 503,
    "directory_away": 502,
    "second_factor_required": 401,
    "login_throttled": 429,
    "quota_exceeded": 429,
    "too_many_viewers": 429,
    "camera_not_movable": 409,
    "camera_moved_by_other": 409,
    "gateway_unreachable": 503,
    "gateway_refused": 502,
    "gateway_login_failed": 502,
    "body_too_large": 413,
    "storage_full": 507,
    "storage_busy": 503,
    "file_refused": 422,
    "upload_offset": 409,
    "upload_gone": 410,
    "upload_checksum": 460,  # tus 1.0, extension checksum
    "unavailable": 503,
    "bus_unavailable": 503,
    "media_tampered": 500,
    "stale_case": 409,
    "record_changed": 409,
    "filing_changed": 409,
    "filing_locked": 409,
    "filing_incomplete": 409,
    "not_yet_approved": 409,
    "move_illegal": 409,
    "guard_failed": 409,
    "idempotency_conflict": 409,
    "bounce_limit": 409,
    "alarm_risen": 409,
    "item_move_illegal": 409,
    "benefit_move_illegal": 409,
    "campaign_move_illegal": 409,
    "exam_closed": 409,
    "attempt_ended": 409,
    "drill_busy": 409,
    "item_changed": 409,
    "item_not_releasable": 409,
    "element_locked": 409,
    "papers_missing": 409,
    "slot_taken": 409,
    "answers_refused": 422,
    "same_person": 409,
    "form_unknown": 404,
    "form_changed": 409,
    "form_state_wrong": 409,
    "form_blocked": 409,
    "form_invalid": 422,
    "form_id_invalid": 422,
}


def status_of(error: YiwangError) -> int:
    """The HTTP status: by code, then by class; what a client sent wrongly is 400."""
    if error.code in _STATUS:
        return _STATUS[error.code]
    if isinstance(error, errors.Forbidden):
        return 403
    if isinstance(error, errors.NotFound):
        return 404
    return 422 if isinstance(error, errors.InputInvalid) else 400


def retry_headers(error: YiwangError) -> dict[str, str] | None:
    """``Retry-After`` of an error that passes by itself."""
    seconds = error.data.get("retry_after_s")
    return {"Retry-After": str(seconds)} if seconds is not None else None


def asked_language(accept: str) -> str:
    """``zh`` or ``en``: the first of an ``Accept-Language`` (RFC 9110, 12.5.4); English for clients that name none."""
    return "zh" if accept.strip().lower().startswith("zh") else "en"


def body_of(error: YiwangError, accept: str = "") -> dict[str, Any]:
    """What the client reads, in the language of its ``Accept-Language``."""
    return error.as_dict(asked_language(accept))
