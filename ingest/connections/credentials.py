"""How we show a sender who we are."""

from __future__ import annotations

import base64

from ingest.connections.contract import Wiring


def authorised(wiring: Wiring, user: str, token_header: str) -> dict[str, str]:
    """The header with token or account; none when neither is set."""
    if user:
        pair = f"{user}:{wiring.secret('password')}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    token = wiring.secrets.get("token", "")
    if not token:
        return {}
    return {token_header: token} if token_header else {"Authorization": f"Bearer {token}"}
