"""What every kind of connection is and may use.

A plug-in's ``build(params, *, wiring) -> Connector``.  A connector fetches the sender's items as plain data; the
mapping turns them into readings, alarms and orders.  ``fetch`` gets the cursor (how far was read, "" at first) and
gives the next one, which is kept only after everything became durable; ``confirm`` is called then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from core.bounds import Bounds
from core.errors import YiwangError

MAX_BYTES = 8 << 20
MAX_ROWS = 5000


class ConnectionFailed(YiwangError):
    code = "connection_failed"
    message = "{where}: {detail}"
    remedy = "check address, account and network; it is tried again"
    zh = "{where}：{detail}"
    zh_remedy = "请检查地址、账号和网络；会再试"


class SecretMissing(YiwangError):
    code = "secret_missing"
    message = "the secret {secret!r} is not set"
    remedy = "type it under Secrets and save"
    zh = "密钥 {secret!r} 没有设置"
    zh_remedy = "请在“密钥”处填写并保存"


@dataclass(frozen=True)
class Wiring:
    """What a connector may use: its own secrets, where it may go, the folder of the city's exchange files."""

    bounds: Bounds = field(default_factory=Bounds)
    secrets: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("exchange")
    name: str = "connection"

    def secret(self, name: str) -> str:
        """The secret; :class:`SecretMissing`."""
        found = self.secrets.get(name, "")
        if not found:
            raise SecretMissing(secret=name)
        return found


@dataclass(frozen=True)
class Fetched:
    """One fetch: the answer (the mapping's ``items`` leads to the list in it), the next cursor, whether more waits."""

    body: Any
    cursor: str = ""
    more: bool = False


class Connector(Protocol):
    """A connection that asks."""

    async def fetch(self, cursor: str) -> Fetched: ...

    async def confirm(self) -> None: ...

    async def close(self) -> None: ...


class Receiver(Protocol):
    """A connection whose sender calls us."""

    def read(self, headers: Mapping[str, str], body: bytes) -> Any: ...

    def took(self, headers: Mapping[str, str]) -> None: ...
