"""Logins over OpenID Connect against a real provider (oidc-provider-mock, on authlib): all that it sends is checked."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import select
from werkzeug.serving import make_server

from core.clock import SystemClock
from core.errors import SettingsError
from core.settings import Settings
from dashboard.accounts.users import ROLES
from dashboard.identity.config import read_config
from dashboard.identity.provider import BACKCHANNEL
from dashboard.identity.routes import opened, own_path, sealed
from storage.session import read_scope, session_scope
from storage.tables.accounts import ExternalIdentity
from storage.tables.cases import AuditEntry
from storage.tables.people import LoginSession, UserRole
from tests.unit.dashboard.web import Office, make_office

CLIENT, SECRET = "yiwang", "client-secret-of-tests"


@dataclass
class Idp:
    """The provider and what it was asked."""

    issuer: str
    app: Any
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def user(self, sub: str, **claims: Any) -> None:
        httpx.put(f"{self.issuer}/users/{sub}", json=claims, trust_env=False).raise_for_status()


@pytest.fixture(scope="module")
def idp() -> Iterator[Idp]:
    app = oidc_provider_mock.app()
    made = Idp("", app)

    def recording(environ: dict[str, Any], start: Any) -> Any:
        if environ["PATH_INFO"] == "/oauth2/authorize" and environ["REQUEST_METHOD"] == "POST":
            made.asked.append(parse_qs(environ["QUERY_STRING"]))
        elif environ["PATH_INFO"] == "/oauth2/token":
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            made.asked.append(parse_qs(body.decode()))
            environ["wsgi.input"] = io.BytesIO(body)
        return app(environ, start)

    server = make_server("127.0.0.1", 0, recording, threaded=True)
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    thread.join(20)
    server.server_close()


def office_with(settings: Settings, idp: Idp, **more: Any) -> Office:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    config = {"issuer": idp.issuer, "client_id": CLIENT, "client_secret": SECRET, "scopes": "openid profile"} | more
    (settings.data_dir / "oidc.json").write_text(json.dumps(config))
    return make_office(settings.with_(public_url="http://testserver"), SystemClock())


def go(client: TestClient, idp: Idp, sub: str, *, change: Any = None, next_: str = "/") -> httpx.Response:
    """Log in as ``sub`` at the provider and come back; ``change`` may alter the way back."""
    there = client.get("/auth/oidc/login", params={"next": next_})
    assert there.status_code == 303, there.text
    answer = httpx.post(there.headers["location"], data={"sub": sub}, trust_env=False)
    assert answer.status_code in (302, 303), answer.text
    back = urlsplit(answer.headers["location"])
    query = {k: v[0] for k, v in parse_qs(back.query).items()}
    assert back.path == "/auth/oidc/callback"
    return client.get(back.path, params=change(query) if change else query)


def test_a_bound_identity_logs_in_with_pkce_and_nonce(settings: Settings, idp: Idp) -> None:
    office = office_with(settings, idp, roles={"处置": ["staff"], "核查": ["inspector"]})
    idp.user("p-1", name="王五", roles=["核查", "没有的"])
    client, boss = office.client(), office.client("boss")
    idp.asked.clear()
    refused = go(client, idp, "p-1")
    assert refused.headers["location"].startswith("/login?problem=identity_not_bound&subject=p-1")
    assert client.get("/api/me").status_code == 401  # nobody is made
    with read_scope(office.engine) as session:
        fireman = next(u["user_id"] for u in boss.get("/api/users").json()["items"] if u["login"] == "fireman")
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "identity_unknown")).one()
    assert boss.post(f"/api/users/{fireman}/identities", json={"subject": "p-1"}).status_code == 201
    assert boss.post(f"/api/users/{fireman}/identities", json={"subject": "p-1"}).status_code == 422  # once
    done = go(client, idp, "p-1", next_="/cases/7?x=1")
    assert done.headers["location"] == "/cases/7?x=1"
    me = client.get("/api/me").json()
    assert me["login"] == "fireman" and me["roles"] == ["inspector"]  # through the table, and only through it
    begun, sent = idp.asked[-2:]
    digest = hashlib.sha256(sent["code_verifier"][0].encode()).digest()
    assert begun["code_challenge"] == [urlsafe_b64encode(digest).decode().rstrip("=")]
    assert begun["code_challenge_method"] == ["S256"] and len(begun["nonce"][0]) >= 32
    out = client.post("/api/logout", headers={"X-CSRF-Token": me["csrf_token"]}).json()
    assert out["logout_url"].startswith(idp.issuer)
    assert client.get("/api/me").status_code == 401
    office.engine.dispose()


def test_the_way_back_is_of_this_browser_and_used_once(settings: Settings, idp: Idp) -> None:
    office = office_with(settings, idp)
    with session_scope(office.engine) as session:
        user = office.client("boss").get("/api/users").json()["items"][0]["user_id"]
        session.add(ExternalIdentity(identity_id="i", issuer=idp.issuer, subject="p-2", user_id=user, bound_by="t",
                                     bound_at=SystemClock().now()))  # fmt: skip
    client = office.client()
    for change in (
        lambda q: q | {"state": "x" * 40},
        lambda q: q | {"iss": "https://evil.example"},
        lambda q: {"state": q["state"], "error": "access_denied"},
        lambda q: q | {"code": "forged"},
    ):
        assert "problem=sign_on_failed" in go(client, idp, "p-2", change=change).headers["location"]
    kept: dict[str, str] = {}
    assert go(client, idp, "p-2", change=lambda q: kept.update(q) or q).headers["location"] == "/"
    replayed = client.get("/auth/oidc/callback", params=kept)
    assert "problem=sign_on_failed" in replayed.headers["location"]
    stranger = office.client()  # login CSRF: somebody else's code in another browser
    assert "problem=sign_on_failed" in go(client, idp, "p-2", change=lambda q: kept.update(q) or {}).headers["location"]
    assert "problem=sign_on_failed" in stranger.get("/auth/oidc/callback", params=kept).headers["location"]
    office.engine.dispose()


def test_an_exact_rule_binds_and_nothing_near_it(settings: Settings, idp: Idp) -> None:
    office = office_with(settings, idp, bind="staff_number", department_claim="org")
    idp.user("p-3", staff_number="fireman", org="dept-fire")
    idp.user("p-4", staff_number="FIREMAN", org="dept-fire")
    idp.user("p-5", staff_number="drainer", org="dept-fire")
    idp.user("p-6", staff_number="fireman", org="dept-fire")
    client = office.client()
    for sub in ("p-4", "p-5"):
        assert "identity_not_bound" in go(client, idp, sub).headers["location"]
    assert go(client, idp, "p-3").headers["location"] == "/"
    assert client.get("/api/me").json()["login"] == "fireman"
    assert "identity_not_bound" in go(office.client(), idp, "p-6").headers["location"]  # the account is another's
    office.engine.dispose()


def test_a_rotated_key_is_fetched_and_a_foreign_one_is_not_believed(settings: Settings, idp: Idp) -> None:
    office = office_with(settings, idp, bind="staff_number")
    idp.user("p-7", staff_number="drainer")
    assert go(office.client(), idp, "p-7").headers["location"] == "/"
    provider = office.app.state.services.identity
    provider._keys_at = float("-inf")  # a minute later
    old = RSAKey.generate_key(2048, {"kid": "old"})
    provider._keys = KeySet([old])  # what was kept before the provider changed its key
    assert go(office.client(), idp, "p-7").headers["location"] == "/"  # fetched anew
    provider._keys = KeySet([old])
    assert "sign_on_failed" in go(office.client(), idp, "p-7").headers["location"]  # at most once a minute
    office.engine.dispose()


def signed(idp: Idp, key: RSAKey, **claims: Any) -> str:
    now = int(time.time())
    body = {"iss": idp.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "sub": "p-8"} | claims
    return jwt.encode({"alg": "RS256", "kid": "k"}, {k: v for k, v in body.items() if v is not None}, key)


def test_back_channel_logout_ends_the_session_and_forgeries_do_nothing(settings: Settings, idp: Idp) -> None:
    office = office_with(settings, idp, bind="staff_number")
    idp.user("p-8", staff_number="drainer")
    client = office.client()
    assert go(client, idp, "p-8").headers["location"] == "/"
    key = RSAKey.generate_key(2048, {"kid": "k"})
    provider = office.app.state.services.identity
    provider._keys, provider._keys_at = KeySet([key]), time.monotonic()
    events = {BACKCHANNEL: {}}

    def tell(token: str) -> int:
        return office.client().post("/auth/oidc/backchannel", data={"logout_token": token}).status_code

    head, body, mark = signed(idp, key, events=events).split(".")
    none = urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    forged = (
        "", "a.b.c", f"{head}.{body}.{mark[:-4]}AAAA", f"{none}.{body}.", signed(idp, key),
        signed(idp, key, events=events, nonce="n"), signed(idp, key, events=events, aud="another"),
        signed(idp, key, events=events, iss="https://evil.example"), signed(idp, key, events=events, exp=1),
        signed(idp, key, events=events, exp=None), signed(idp, RSAKey.generate_key(2048, {"kid": "k"}), events=events),
        signed(idp, key, events=events, aud=[CLIENT, "another"]), signed(idp, key, events=events, azp="another"),
    )  # fmt: skip
    assert {tell(token) for token in forged} == {401}
    assert client.get("/api/me").status_code == 200
    assert tell(signed(idp, key, events=events)) == 200
    assert client.get("/api/me").status_code == 401
    with read_scope(office.engine) as session:
        assert not list(session.scalars(select(LoginSession).where(LoginSession.method == "oidc")))
    office.engine.dispose()


def test_passwords_can_be_for_break_glass_alone(settings: Settings, idp: Idp) -> None:
    office = office_with(settings, idp, password_login=False, break_glass=["boss"])
    assert office.client().get("/auth/oidc/about").json()["password"] is False
    assert office.client("boss").get("/api/me").status_code == 200
    wrong = office.client().post("/api/login", json={"login": "operator", "password": "a-long-enough-word"})
    assert wrong.status_code == 401
    office.engine.dispose()


def test_roles_of_the_table_go_with_the_claim_and_others_stay(settings: Settings, idp: Idp) -> None:
    office = office_with(settings, idp, bind="staff_number", roles={"lead": ["manager"]})
    with session_scope(office.engine) as session:
        drainer = next(u for u in office.client("boss").get("/api/users").json()["items"] if u["login"] == "drainer")
        session.add(UserRole(user_id=drainer["user_id"], role="manager"))
    idp.user("p-9", staff_number="drainer", roles=["other", 7, {"x": 1}])
    client = office.client()
    assert go(client, idp, "p-9").headers["location"] == "/"
    assert client.get("/api/me").json()["roles"] == ["staff"]  # manager is the table's, staff is not
    assert set(ROLES) >= {"staff", "manager"}
    office.engine.dispose()


def test_the_configuration_is_checked(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    assert read_config(settings.data_dir) is None
    good = {"issuer": "https://id.example", "client_id": "a", "client_secret": "b"}
    for bad in ({}, good | {"issuer": "http://id.example"}, good | {"password_login": False}, good | {"x": 1}, []):
        (settings.data_dir / "oidc.json").write_text(json.dumps(bad))
        with pytest.raises(SettingsError):
            read_config(settings.data_dir)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("/a?b=1#c", "/a?b=1#c"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/"), ("", "/"),
     ("/a\r\nSet-Cookie: x", "/"), ("javascript:alert(1)", "/")],
)  # fmt: skip
def test_the_way_on_stays_here(wanted: str, given: str) -> None:
    assert own_path(wanted) == given


def test_the_state_cookie_is_ours_and_ends() -> None:
    fresh = {"state": "s", "until": int(time.time()) + 60}
    assert opened("key", sealed("key", fresh)) == fresh
    assert opened("other", sealed("key", fresh)) is None
    assert opened("key", sealed("key", fresh | {"until": 1})) is None
    assert opened("key", "rubbish") is opened("key", "") is opened("key", "a.b.c") is None
