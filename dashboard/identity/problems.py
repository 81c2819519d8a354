"""What a login over the identity provider comes to when it does not succeed."""

from __future__ import annotations

from core.errors import YiwangError


class SignOnFailed(YiwangError):
    code = "sign_on_failed"
    message = "the login over the identity provider failed: {detail}"
    remedy = "begin again from the login page"


class NotBound(YiwangError):
    code = "identity_not_bound"
    message = "no account here belongs to this identity"
    remedy = "give an administrator the identity's number: {subject}"


class ProviderAway(YiwangError):
    code = "provider_away"
    message = "the identity provider does not answer: {detail}"
    remedy = "try again in a moment, or log in with a password"
