"""A photogrammetry node that speaks NodeODM's interface (NodeODM, NodeODX, ClusterODM): submit, follow, cancel, fetch.

The client is pyodm.  Three of its habits are kept away from here: it speaks plain http to every https port but 443
(refused), it shares one query between nodes, so that a token may reach another node (each query is our own), and a
download over several connections may hang (one connection is used).
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from core.errors import YiwangError

ORTHOPHOTO = "odm_orthophoto/odm_orthophoto.tif"
MOST_BYTES = 16 << 30  # of one orthophoto
MOST_FOLDED = 200  # times smaller in the archive
_TIMEOUT_S = 60
_STATES = {10: "queued", 20: "running", 30: "failed", 40: "completed", 50: "cancelled"}


class NodeAddressWrong(YiwangError):
    code = "photogrammetry_address"
    message = "{address} is no address of a photogrammetry node"
    remedy = "set YIWANG_NODEODM_URL to http://HOST:PORT, or https://HOST (port 443)"
    zh = "{address} 不是摄影测量节点的地址"
    zh_remedy = "请将 YIWANG_NODEODM_URL 设为 http://主机:端口 或 https://主机（443 端口）"


class NodeSilent(YiwangError):
    code = "photogrammetry_silent"
    message = "the photogrammetry node at {address} does not answer: {detail}"
    remedy = "check that it runs and can be reached from the worker"
    zh = "摄影测量节点 {address} 没有应答：{detail}"
    zh_remedy = "请检查它是否运行、工作进程能否访问"


class NodeRefused(YiwangError):
    code = "photogrammetry_refused"
    message = "the photogrammetry node refused: {detail}"
    remedy = "check its token, its options and its log"
    zh = "摄影测量节点拒绝：{detail}"
    zh_remedy = "请检查令牌、选项和它的日志"


class ResultUnusable(YiwangError):
    code = "photogrammetry_result"
    message = "the photogrammetry node's result cannot be used: {detail}"
    remedy = "look at the task's output on the node, then ask again"
    zh = "摄影测量节点的成果不能使用：{detail}"
    zh_remedy = "请查看节点上该任务的输出，再申请一次"


@dataclass(frozen=True, slots=True)
class NodeTask:
    """``state``: queued, running, failed, completed, cancelled; ``progress`` 0 … 100; ``error``: the node's words."""

    state: str
    progress: float
    error: str


class PhotogrammetryNode:
    """One node; every method talks to it and raises the typed errors of this module."""

    def __init__(self, address: str, token: str = "") -> None:
        parts = urlsplit(address)
        try:
            port = parts.port
        except ValueError as error:
            raise NodeAddressWrong(address=address) from error
        secure = parts.scheme == "https"
        if parts.scheme not in ("http", "https") or not parts.hostname or (secure and port not in (None, 443)):
            raise NodeAddressWrong(address=address)
        if parts.path.strip("/") or parts.username or parts.query:
            raise NodeAddressWrong(address=address)
        self.address = address
        self._node = _node(parts.hostname, port or (443 if secure else 80), token)

    def engine(self) -> str:
        """What computes there, with its version: ``odm 3.5.6``."""
        told = self._call(self._node.info)
        return f"{told.engine or 'odm'} {told.engine_version or told.version}".strip()

    def submit(
        self, photos: Sequence[Path], name: str, options: Mapping[str, Any], progress: Callable[[float], None]
    ) -> str:
        """Send every photo and begin; the task's id.  ``progress`` is told percent; what it raises ends the sending.

        Options that the node does not know are left out.
        """
        known = {option.name for option in self._call(self._node.options)}
        wanted = {key: value for key, value in options.items() if key in known}
        task = self._call(
            self._node.create_task, [str(p) for p in photos], wanted, name, progress, parallel_uploads=2,
            max_retries=4, retry_timeout=1, task_uuid=str(uuid4()),
        )  # fmt: skip
        return str(task.uuid)

    def task(self, uuid: str) -> NodeTask:
        """Where a task stands."""
        told = self._call(self._node.get_task(uuid).info)
        code = int(getattr(told.status, "value", told.status))
        return NodeTask(_STATES.get(code, "running"), float(told.progress or 0), str(told.last_error or ""))

    def cancel(self, uuid: str) -> None:
        """Stop a task."""
        self._call(self._node.get_task(uuid).cancel)

    def remove(self, uuid: str) -> None:
        """Forget a task and its files on the node."""
        self._call(self._node.get_task(uuid).remove)

    def orthophoto(self, uuid: str, folder: Path) -> Path:
        """Fetch the task's archive and take its orthophoto out into ``folder``."""
        archive = Path(self._call(self._node.get_task(uuid).download_zip, str(folder), parallel_downloads=1))
        try:
            return _orthophoto(archive, folder / "orthophoto.tif")
        finally:
            archive.unlink(missing_ok=True)

    def _call(self, what: Callable[..., Any], *given: Any, **named: Any) -> Any:
        from pyodm import exceptions  # type: ignore[import-untyped]

        try:
            return what(*given, **named)
        except exceptions.NodeConnectionError as error:
            raise NodeSilent(address=self.address, detail=_short(error)) from error
        except exceptions.OdmError as error:
            raise NodeRefused(detail=_short(error)) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # an answer that is not the interface's
            raise NodeRefused(detail=f"an answer that is not NodeODM's ({_short(error)})") from error


def _node(host: str, port: int, token: str) -> Any:
    from pyodm import Node

    class _OwnQuery(Node):  # type: ignore[misc]
        """Each request has a query of its own."""

        def url(self, url: str, query: Mapping[str, Any] | None = None) -> str:
            return str(super().url(url, dict(query or {})))

    return _OwnQuery(host, port, token, _TIMEOUT_S)


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300] or type(error).__name__


def _orthophoto(archive: Path, target: Path) -> Path:
    """The orthophoto of an ``all.zip``; no other name in it is looked at."""
    try:
        with zipfile.ZipFile(archive) as packed:
            entry = next((e for e in packed.infolist() if e.filename.endswith(ORTHOPHOTO) and not e.is_dir()), None)
            if entry is None:
                raise ResultUnusable(detail=f"it holds no {ORTHOPHOTO}")
            if entry.file_size > MOST_BYTES or entry.file_size > MOST_FOLDED * max(entry.compress_size, 1):
                raise ResultUnusable(detail="its orthophoto would unfold too far")
            with packed.open(entry) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ResultUnusable(detail=f"its archive is damaged ({_short(error)})") from error
    return target
