"""The routing table in force: ``<data>/routing.yaml`` of the city, else the one that ships.

A file is taken in when it is good and its departments exist; each table taken in is kept as
``<data>/routing/<number>-<fingerprint>.yaml``.  A broken file is told and changes nothing: the newest kept table goes
on, also after a restart.  Without the file, the shipped table is in force.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Set
from pathlib import Path

from core.errors import YiwangError
from events.dispatching.routing import (
    RoutingInvalid,
    RoutingTable,
    check_routing,
    default_routing,
    fingerprint,
    parse_routing,
)

log = logging.getLogger("yiwang.routing")
LONGEST = 2 << 20


class RoutingFileWrong(RoutingInvalid):
    code = "routing_file_invalid"
    message = "{path}: {detail}"
    remedy = "mend the file (docs/routing.md); the table in force goes on"
    zh = "{path}：{detail}"
    zh_remedy = "请改正文件（见 docs/routing.md）；现行路由表继续有效"


class _InForce:
    """The table of the city; one for the process, as plug-ins are."""

    table: RoutingTable | None = None


def routing_in_force() -> RoutingTable:
    """The table by which cases are routed now."""
    return _InForce.table or default_routing()


class RoutingFile:
    """Looks at ``<data>/routing.yaml``; cheap while nothing changes."""

    def __init__(self, data_dir: Path) -> None:
        self.path, self.kept = data_dir / "routing.yaml", data_dir / "routing"
        self.problem: YiwangError | None = None
        self._mark: tuple[object, ...] | None = None

    def look(self, departments: Set[str]) -> bool:
        """Take the file in when it changed; whether another table is in force now."""
        mark = (self._stamp(), frozenset(departments))
        if mark == self._mark:
            return False
        before, self._mark = routing_in_force(), mark
        try:
            _InForce.table = self.read(departments)
            self.problem = None
            self._keep()
        except YiwangError as error:
            self.problem = error
            log.warning("%s", error)
            _InForce.table = self._newest_kept()
        return routing_in_force() != before

    def read(self, departments: Set[str]) -> RoutingTable | None:
        """The file's table, None without a file; :class:`RoutingFileWrong` when it is no good."""
        if not self.path.exists():
            return None
        try:
            if self.path.stat().st_size > LONGEST:
                raise RoutingInvalid(detail="is larger than 2 MiB")
            table = parse_routing(self.path.read_text(encoding="utf-8-sig"))
        except RoutingInvalid as error:
            raise RoutingFileWrong(path=self.path, detail=error.data["detail"]) from error
        except (OSError, UnicodeDecodeError) as error:
            raise RoutingFileWrong(path=self.path, detail=str(error)) from error
        for problem in check_routing(table, set(departments)) if departments else ():
            raise RoutingFileWrong(path=self.path, detail=problem.data["detail"])
        return table

    def _stamp(self) -> tuple[int, int] | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size

    def _versions(self) -> list[Path]:
        return sorted(self.kept.glob("[0-9]*-*.yaml")) if self.kept.is_dir() else []

    def _keep(self) -> None:
        if _InForce.table is None:
            return
        versions = self._versions()
        mark = fingerprint(_InForce.table)
        if versions and versions[-1].stem.endswith(mark):
            return
        number = int(versions[-1].name.split("-")[0]) + 1 if versions else 1
        self.kept.mkdir(exist_ok=True)
        target = self.kept / f"{number:05d}-{mark}.yaml"
        partial = target.with_suffix(f".{os.getpid()}")
        partial.write_bytes(self.path.read_bytes())
        partial.replace(target)

    def _newest_kept(self) -> RoutingTable | None:
        for path in reversed(self._versions()):
            try:
                return parse_routing(path.read_text(encoding="utf-8-sig"))
            except (YiwangError, OSError, UnicodeDecodeError):
                continue
        return None
