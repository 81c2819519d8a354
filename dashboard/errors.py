"""What the web process refuses, and the HTTP status of every typed error."""

from __future__ import annotations

from typing import Any

from core import errors
from core.errors import YiwangError


class LoginFailed(YiwangError):
    code = "login_failed"
    message = "login or password is wrong"
    remedy = "try again, or ask an administrator for a new password"


class SecondFactorRequired(YiwangError):
    code = "second_factor_required"
    message = "this account asks for a code of its second factor"
    remedy = "send the code that the authenticator app shows now"


class LoginThrottled(YiwangError):
    code = "login_throttled"
    message = "too many failed logins"
    remedy = "wait {retry_after_s} seconds"


class HostUnknown(YiwangError):
    code = "host_unknown"
    message = "nobody is called by this name here"
    remedy = "use the address that your administrators gave you (YIWANG_ALLOWED_HOSTS)"


class NotSignedIn(YiwangError):
    code = "not_signed_in"
    message = "this needs a session"
    remedy = "log in first"


class CsrfRefused(YiwangError):
    code = "csrf_refused"
    message = "the request does not carry this session's CSRF token"
    remedy = "send the csrf_token of /api/me as X-CSRF-Token"


class WrongPerson(YiwangError):
    code = "wrong_person"
    message = "this was written by another person than the one signed in"
    remedy = "sign in as the person who wrote it"


class PasswordChangeRequired(YiwangError):
    code = "password_change_required"
    message = "this account's password must be changed first"
    remedy = "log in and choose a new one (POST /api/me/password)"


class BodyTooLarge(YiwangError):
    code = "body_too_large"
    message = "the request is larger than {limit_bytes} bytes"
    remedy = "send less at once"


class Unavailable(YiwangError):
    code = "unavailable"
    message = "{what} does not answer now: {detail}"
    remedy = "try again in a moment"


class TooManyViewers(YiwangError):
    code = "too_many_viewers"
    message = "{what} is watched by as many as this machine can serve ({limit})"
    remedy = "close another view, or use the still picture"


class TooManyRequests(YiwangError):
    code = "too_many_requests"
    message = "more than {limit} requests a minute"
    remedy = "wait {retry_after_s} seconds"


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


def body_of(error: YiwangError) -> dict[str, Any]:
    """What the client reads."""
    return error.as_dict()
