"""What a login over the identity provider comes to when it does not succeed."""

from __future__ import annotations

from core.errors import YiwangError


class SignOnFailed(YiwangError):
    code = "sign_on_failed"
    message = "the login over the identity provider failed: {detail}"
    remedy = "begin again from the login page"
    zh = "统一身份登录失败：{detail}"
    zh_remedy = "请从登录页重新开始"


class NotBound(YiwangError):
    code = "identity_not_bound"
    message = "no account here belongs to this identity"
    remedy = "give an administrator the identity's number: {subject}"
    zh = "没有账号与这个身份绑定"
    zh_remedy = "请把身份编号告诉管理员：{subject}"


class ProviderAway(YiwangError):
    code = "provider_away"
    message = "the identity provider does not answer: {detail}"
    remedy = "try again in a moment, or log in with a password"
    zh = "统一身份平台没有应答：{detail}"
    zh_remedy = "请稍后再试，或用密码登录"
