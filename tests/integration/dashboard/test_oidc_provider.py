"""Logins against a real provider in a process of its own: panva's oidc-provider on Node, our web process on a port."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from sqlalchemy import select

from app.node import node_binary
from core.settings import Settings
from storage.session import read_scope
from storage.tables.accounts import ExternalIdentity
from storage.tables.cases import AuditEntry
from tests.acceptance.phonekit import Town, town
from tests.unit.dashboard.web import PASSWORD

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "tests" / "js" / "oidc" / "provider.mjs"
ACCOUNTS = {
    "p-1": {"name": "王五", "staff_number": "fireman", "org": "dept-fire", "roles": ["核查", "没有的"]},
    "p-2": {"name": "李四", "staff_number": "drainer", "org": "dept-fire", "roles": []},
    "p-3": {"name": "赵六", "roles": ["核查"]},
}
SET_UP = (ROOT / "tests" / "js" / "node_modules" / "oidc-provider").is_dir()
needs_provider = pytest.mark.skipif(not SET_UP, reason="oidc-provider is not set up (make setup)")
_FORM = re.compile(r'<form[^>]*action="([^"]+)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class NodeProvider:
    """The provider; ``login`` is how a person passes its pages."""

    def __init__(self, base: str) -> None:
        client = {
            "client_id": "yiwang", "client_secret": "a secret of tests",
            "redirect_uris": [f"{base}/auth/oidc/callback"],
            "post_logout_redirect_uris": [f"{base}/login"], "backchannel_logout_uri": f"{base}/auth/oidc/backchannel",
            "backchannel_logout_session_required": True, "token_endpoint_auth_method": "client_secret_basic",
        }  # fmt: skip
        asked = json.dumps({"client": client, "accounts": ACCOUNTS})
        self._process = subprocess.Popen(
            [node_binary(), str(SCRIPT), asked], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.issuer = str(self._said()["issuer"])

    def _said(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            if line.startswith("{"):
                return dict(json.loads(line))
        raise AssertionError("the provider ended")

    def rotate(self) -> list[str]:
        assert self._process.stdin is not None
        self._process.stdin.write('{"op": "rotate"}\n')
        self._process.stdin.flush()
        return list(self._said()["keys"])

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)


@pytest.fixture
def city(settings: Settings) -> Iterator[Town]:
    with town(settings) as made:
        yield made


@pytest.fixture
def idp(city: Town) -> Iterator[NodeProvider]:
    made = NodeProvider(city.base)
    yield made
    made.close()


def office_set(city: Town, idp: NodeProvider, **more: Any) -> httpx.Client:
    """The provider set on the running web process, as the administration page does it; the administrator's browser."""
    boss = httpx.Client(base_url=city.base, trust_env=False)
    signed = boss.post("/api/login", json={"login": "boss", "password": PASSWORD}).raise_for_status().json()
    boss.headers["X-CSRF-Token"] = signed["csrf_token"]
    wish = {"issuer": idp.issuer, "client_id": "yiwang", "client_secret": "a secret of tests"} | more
    boss.put("/api/identity-provider", json=wish).raise_for_status()
    return boss


def login(browser: httpx.Client, city: Town, sub: str, *, change: Any = None) -> httpx.Response:
    """Through the provider's own pages and back; the answer of our callback."""
    at = browser.get(f"{city.base}/auth/oidc/login?next=/cases/7")
    for _ in range(12):
        if at.is_redirect:
            to = urljoin(str(at.url), at.headers["location"])
            if change is not None:
                to = change(to)
            at = browser.get(to)
            if urlsplit(to).path == "/auth/oidc/callback":
                return at
            continue
        assert at.status_code == 200, at.text[:400]
        form = _FORM.search(at.text)
        assert form is not None, at.text[:400]
        hidden = dict(_HIDDEN.findall(at.text))
        at = browser.post(urljoin(str(at.url), form[1]), data={**hidden, "login": sub, "password": "any"})
    raise AssertionError("never came back")


def browser() -> httpx.Client:
    return httpx.Client(trust_env=False, follow_redirects=False)


@needs_provider
def test_code_flow_rotated_keys_both_logouts_and_a_trial(city: Town, idp: NodeProvider) -> None:
    boss = office_set(city, idp, bind="staff_number", department_claim="org", roles={"核查": ["inspector"]})
    trial = boss.post("/api/identity-provider/test").json()
    assert trial["ok"] and all(check["ok"] for check in trial["checks"]), trial

    mine = browser()
    back = login(mine, city, "p-1")
    assert (back.status_code, back.headers["location"]) == (303, "/cases/7")
    me = mine.get(f"{city.base}/api/me").json()
    assert me["login"] == "fireman" and me["roles"] == ["inspector", "staff"]  # of userinfo's those in the table
    with read_scope(city.office.engine) as session:
        bound = session.scalars(select(ExternalIdentity)).one()
    assert (bound.issuer, bound.subject, bound.bound_by) == (idp.issuer, "p-1", "rule:staff_number")

    assert "identity_not_bound" in login(browser(), city, "p-2").headers["location"]  # of another department
    unbound = login(browser(), city, "p-3").headers["location"]
    assert parse_qs(urlsplit(unbound).query)["subject"] == ["p-3"]

    # The provider signs by a new key: unknown, fetched once (a minute has passed since it was last asked).
    assert idp.rotate() == ["k2", "k1"]
    provider = city.office.app.state.services.identity
    provider._keys_at = float("-inf")
    other = browser()
    assert login(other, city, "p-1").headers["location"] == "/cases/7"
    assert {key.kid for key in provider._keys.keys} == {"k1", "k2"}

    # Logged out there (RP-initiated): the provider asks, ends its session and tells us over the back channel.
    out = other.post(
        f"{city.base}/api/logout", headers={"X-CSRF-Token": other.get(f"{city.base}/api/me").json()["csrf_token"]}
    ).json()
    page = other.get(out["logout_url"])
    form = _FORM.search(page.text)
    assert page.status_code == 200 and form is not None
    done = other.post(urljoin(idp.issuer, form[1]), data={**dict(_HIDDEN.findall(page.text)), "logout": "yes"})
    assert done.headers["location"] == f"{city.base}/login"
    assert mine.get(f"{city.base}/api/me").status_code == 200  # another session of the provider: its own sid

    mine = browser()
    assert login(mine, city, "p-1").headers["location"] == "/cases/7"
    page = mine.get(f"{idp.issuer}/session/end")  # at the provider itself, without us
    form = _FORM.search(page.text)
    assert form is not None
    mine.post(urljoin(idp.issuer, form[1]), data={**dict(_HIDDEN.findall(page.text)), "logout": "yes"})
    assert mine.get(f"{city.base}/api/me").status_code == 401
    with read_scope(city.office.engine) as session:
        outs = list(session.scalars(select(AuditEntry).where(AuditEntry.action == "logout")))
    assert any(entry.body.get("by") == "identity provider" for entry in outs)


@needs_provider
def test_what_is_altered_on_the_way_back_opens_nothing(city: Town, idp: NodeProvider) -> None:
    office_set(city, idp, bind="staff_number")

    def altered(name: str, value: str) -> Any:
        def change(to: str) -> str:
            parts = urlsplit(to)
            if parts.path != "/auth/oidc/callback":
                return to
            query = {k: v[0] for k, v in parse_qs(parts.query).items()} | {name: value}
            return parts._replace(query=str(httpx.QueryParams(query))).geturl()

        return change

    def challenged(to: str) -> str:
        return re.sub(r"code_challenge=[^&]+", "code_challenge=" + "A" * 43, to)

    def nonce(to: str) -> str:
        return re.sub(r"nonce=[^&]+", "nonce=another", to)

    def bare(to: str) -> str:
        return re.sub(r"&code_challenge(_method)?=[^&]+", "", to)

    for change in (altered("state", "x" * 60), altered("code", "forged"), altered("iss", "https://evil.example"),
                   challenged, nonce, bare):  # fmt: skip
        stranger = browser()
        assert "problem=sign_on_failed" in login(stranger, city, "p-1", change=change).headers["location"], change
        assert stranger.get(f"{city.base}/api/me").status_code == 401
