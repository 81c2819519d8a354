"""An OpenID provider as we ask it: discovery, code with PKCE, ID token, userinfo, logout tokens.

Every token is checked: algorithm by a list (never ``none`` or a shared secret), issuer, audience, ``azp``, times within
a minute, ``nonce``.  A key that is not known is fetched once; keys are fetched at most every ``KEYS_EVERY_S``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from core.network.fetching import fetch
from dashboard.identity.config import OidcConfig
from dashboard.identity.problems import ProviderAway, SignOnFailed

ALGORITHMS = ["RS256", "ES256", "PS256"]
KEYS_EVERY_S = 60.0
TIMEOUT_S = 10.0
LEEWAY_S = 60
MOST_BYTES = 1 << 20
BACKCHANNEL = "http://schemas.openid.net/event/backchannel-logout"


class Provider:
    """One provider; discovery is read when first asked, keys are kept."""

    def __init__(self, config: OidcConfig, redirect_uri: str) -> None:
        self.config, self.redirect_uri = config, redirect_uri
        self._about: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._keys_at = float("-inf")

    async def authorize_url(self, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to log in."""
        about = await self._discovered()
        asked = {
            "response_type": "code", "client_id": self.config.client_id, "redirect_uri": self.redirect_uri,
            "scope": self.config.scopes, "state": state, "nonce": nonce, "code_challenge_method": "S256",
            "code_challenge": challenge_of(verifier),
        }  # fmt: skip
        return f"{about['authorization_endpoint']}?{urlencode(asked)}"

    async def exchange(self, code: str, verifier: str, nonce: str) -> dict[str, Any]:
        """The claims of who logged in: of the ID token, and what userinfo adds."""
        about = await self._discovered()
        methods = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }  # fmt: skip
        basic = None
        if "client_secret_basic" in methods:
            basic = httpx.BasicAuth(self.config.client_id, self.config.client_secret)
        else:
            form |= {"client_id": self.config.client_id, "client_secret": self.config.client_secret}
        tokens = await self._json("POST", str(about["token_endpoint"]), data=form, auth=basic)
        claims = await self.checked(str(tokens.get("id_token") or ""))
        if not hmac.compare_digest(str(claims.get("nonce") or "").encode(), nonce.encode()):
            raise SignOnFailed(detail="the nonce is not ours")
        if about.get("userinfo_endpoint") and tokens.get("access_token"):
            bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
            more = await self._json("GET", str(about["userinfo_endpoint"]), headers=bearer)
            if more.get("sub") != claims["sub"]:
                raise SignOnFailed(detail="userinfo is about somebody else")
            claims = {**more, **claims}
        return claims

    async def checked(self, token: str) -> dict[str, Any]:
        """The claims of an ID or logout token of this provider for us."""
        claims = await self._decoded(token)
        now = time.time()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self.config.issuer:
            raise SignOnFailed(detail="another issuer")
        if self.config.client_id not in audiences or (len(audiences) > 1 and "azp" not in claims):
            raise SignOnFailed(detail="meant for another client")
        if claims.get("azp", self.config.client_id) != self.config.client_id:
            raise SignOnFailed(detail="meant for another client")
        if not _number(claims, "exp") > now - LEEWAY_S or _number(claims, "iat") > now + LEEWAY_S:
            raise SignOnFailed(detail="the token's time is over or not yet come")
        if not isinstance(claims.get("sub", ""), str):
            raise SignOnFailed(detail="the token names nobody")
        return claims

    async def logged_out(self, token: str) -> tuple[str, str]:
        """``(subject, session)`` that a back-channel logout token ends (either may be empty)."""
        claims = await self.checked(token)
        events = claims.get("events")
        if not isinstance(events, dict) or BACKCHANNEL not in events or "nonce" in claims:
            raise SignOnFailed(detail="no logout token")
        return str(claims.get("sub") or ""), str(claims.get("sid") or "")

    async def logout_url(self, back: str) -> str:
        """Where the browser ends the provider's own session; empty where the provider has no such place."""
        about = await self._discovered()
        end = about.get("end_session_endpoint")
        asked = {"client_id": self.config.client_id, "post_logout_redirect_uri": back}
        return f"{end}?{urlencode(asked)}" if end else ""

    WISHED = frozenset({"logout", "backchannel", "userinfo", "issuer_named"})
    """Codes of :meth:`tried` without which people can log in all the same."""

    async def tried(self) -> list[tuple[str, bool, str]]:
        """``(code, has it, found)`` of all that a login needs; stops where nothing more can be asked."""
        try:
            about = await self._discovered()
        except (ProviderAway, SignOnFailed) as error:
            return [("discovery", False, str(error.data.get("detail", "")))]
        found = [("discovery", True, str(about["issuer"]))]
        for code, name in (("authorize", "authorization_endpoint"), ("token", "token_endpoint"), ("keys", "jwks_uri")):
            found.append((code, isinstance(about.get(name), str), str(about.get(name, ""))))
        methods = about.get("code_challenge_methods_supported") or []
        found.append(("pkce", "S256" in methods, ", ".join(map(str, methods))))
        signed = about.get("id_token_signing_alg_values_supported") or []
        found.append(("algorithm", bool(set(signed) & set(ALGORITHMS)), ", ".join(map(str, signed))))
        try:
            keys = (await self._key_set(fresh=True)).keys
            found.append(("key_set", bool(keys), ", ".join(sorted(str(key.kid) for key in keys))[:200]))
        except (ProviderAway, SignOnFailed, KeyError) as error:
            found.append(("key_set", False, str(error)[:200]))
        for code, name in (("userinfo", "userinfo_endpoint"), ("logout", "end_session_endpoint"),
                           ("backchannel", "backchannel_logout_supported"),
                           ("issuer_named", "authorization_response_iss_parameter_supported")):  # fmt: skip
            found.append((code, bool(about.get(name)), str(about.get(name) or "")))
        return found

    async def _decoded(self, token: str) -> dict[str, Any]:
        if token.count(".") != 2 or len(token) > 32_768:
            raise SignOnFailed(detail="there is no token")
        for fresh in (False, True):
            keys = await self._key_set(fresh=fresh)
            try:
                return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError, KeyError, TypeError) as error:
                if fresh:
                    raise SignOnFailed(detail="the token's signature does not hold") from error
        raise AssertionError

    async def _key_set(self, *, fresh: bool) -> KeySet:
        """The provider's keys; ``fresh``: fetched again, unless that was done a moment ago."""
        age = time.monotonic() - self._keys_at
        if self._keys is None or (fresh and age > KEYS_EVERY_S):
            about = await self._discovered()
            raw = await self._json("GET", str(about["jwks_uri"]))
            try:
                self._keys = KeySet.import_key_set(raw)  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise ProviderAway(detail="its keys cannot be read") from error
            self._keys_at = time.monotonic()
        return self._keys

    async def _discovered(self) -> dict[str, Any]:
        if not self._about:
            about = await self._json("GET", f"{self.config.issuer.rstrip('/')}/.well-known/openid-configuration")
            if about.get("issuer") != self.config.issuer:
                raise ProviderAway(detail=f"it calls itself {about.get('issuer')!r}")
            self._about = about
        return self._about

    async def _json(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
                answer, raw = await fetch(client, method, url, most=MOST_BYTES, **more)
                body = json.loads(raw)
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise ProviderAway(detail=type(error).__name__) from error
        if answer.status_code >= 500 or not isinstance(body, dict):
            raise ProviderAway(detail=f"HTTP {answer.status_code}")
        if answer.status_code >= 400:
            raise SignOnFailed(detail=str(body.get("error") or answer.status_code)[:80])
        return body


def new_secret() -> str:
    """A state, a nonce or a verifier (RFC 7636: 43 to 128 characters)."""
    return secrets.token_urlsafe(48)


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _number(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SignOnFailed(detail=f"the token has no {name}")
    return float(value)
