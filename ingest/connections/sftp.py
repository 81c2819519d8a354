"""SFTP: CSV, XLSX and JSON files on a sender's server, read in the order in which they changed; nothing is written."""

from __future__ import annotations

import asyncio
import tempfile
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

import asyncssh
import msgspec

from core.plugins import About, Words
from ingest.connections.contract import ConnectionFailed, Fetched, Wiring
from ingest.connections.files import MOST_BYTES, SUFFIXES, items_of_file, mark_of

ABOUT = About(
    zh="文件服务器（SFTP）",
    en="File server (SFTP)",
    transport="poll",
    direction="in",
    interval_s=300.0,
    secrets=("password", "private_key"),
    help=Words(
        "主机指纹请向对方索取（ssh-keyscan 主机 | ssh-keygen -lf -），以 SHA256: 开头；不一致即拒绝连接。",
        "Ask the sender for the server's fingerprint (ssh-keyscan HOST | ssh-keygen -lf -), it begins with SHA256:; "
        "another server is refused.",
    ),
    params={
        "host": Words("主机", "Host"),
        "port": Words("端口", "Port"),
        "user": Words("账号", "Account"),
        "fingerprint": Words("主机指纹 SHA256:…", "Fingerprint SHA256:…"),
        "folder": Words("目录", "Folder"),
        "pattern": Words("文件名", "File names"),
    },
)
_TIMEOUT_S = 20.0


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``fingerprint``: of the server's key, as OpenSSH prints it."""

    host: str
    user: str
    fingerprint: str
    folder: str = "."
    pattern: str = "*"
    port: int = 22

    def __post_init__(self) -> None:
        if not self.fingerprint.startswith("SHA256:"):
            raise ValueError("fingerprint: SHA256:… expected")
        if not 0 < self.port < 65536:
            raise ValueError("port: 1 to 65535")


def build(params: Params, *, wiring: Wiring) -> Sftp:
    """The connector."""
    return Sftp(params, wiring)


class _Pinned(asyncssh.SSHClient):  # type: ignore[misc]  # asyncssh is untyped to mypy here
    """Trusts the one key whose fingerprint was typed."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Whether it is that key."""
        return bool(key.get_fingerprint("sha256") == self._fingerprint)


class Sftp:
    """One server; a connection is opened for each file."""

    def __init__(self, params: Params, wiring: Wiring) -> None:
        self.params, self.wiring = params, wiring

    async def close(self) -> None:
        """Nothing is held open."""

    async def confirm(self) -> None:
        """The files stay where they are."""

    async def fetch(self, cursor: str) -> Fetched:
        """The items of the next file."""
        p = self.params
        address = await self.wiring.bounds.host("host", p.host)
        try:
            async with (
                asyncio.timeout(_TIMEOUT_S * 3),
                asyncssh.connect(address, p.port, **self._options()) as ssh,
                ssh.start_sftp_client() as server,
            ):
                return await self._next(server, cursor)
        except (OSError, asyncssh.Error, TimeoutError) as error:
            detail = str(error) or type(error).__name__
            raise ConnectionFailed(where=f"{p.host}:{p.port}", detail=detail) from error

    def _options(self) -> dict[str, Any]:
        secret, key = self.wiring.secrets.get("password", ""), self.wiring.secrets.get("private_key", "")
        options: dict[str, Any] = {
            "username": self.params.user, "known_hosts": ([], [], []), "agent_path": None, "config": [],
            "login_timeout": _TIMEOUT_S, "connect_timeout": _TIMEOUT_S,
            "client_factory": lambda: _Pinned(self.params.fingerprint),
            "client_keys": [asyncssh.import_private_key(key)] if key else [],
        }  # fmt: skip
        return options | ({"password": secret} if secret else {})

    async def _next(self, server: Any, cursor: str) -> Fetched:
        waiting = []
        async for entry in server.scandir(self.params.folder):
            name, attrs = str(entry.filename), entry.attrs
            fits = PurePosixPath(name).suffix.lower() in SUFFIXES and fnmatch(name, self.params.pattern)
            mark = mark_of(float(attrs.mtime or 0), name)
            if fits and not name.startswith(".") and mark > cursor and attrs.type == asyncssh.FILEXFER_TYPE_REGULAR:
                waiting.append((mark, name, int(attrs.size or 0)))
        if not waiting:
            return Fetched([], cursor)
        mark, name, size = min(waiting)
        if size > MOST_BYTES:
            raise ConnectionFailed(where=name, detail=f"larger than {MOST_BYTES >> 20} MiB")
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / f"file{PurePosixPath(name).suffix.lower()}"
            await server.get(str(PurePosixPath(self.params.folder) / name), str(local))
            items = await asyncio.to_thread(items_of_file, local)
        return Fetched(items, mark, len(waiting) > 1)
