"""What must hold before anything starts: ports free, disk roomy, one instance a folder."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from pathlib import Path
from typing import IO

from core import plugins
from core.errors import YiwangError
from core.settings import Settings

MIN_FREE_MB = 500


class PortTaken(YiwangError):
    code = "port_taken"
    message = "port {port} ({use}) is taken by another program"
    remedy = "stop that program, or set {variable} to a free port"
    zh = "端口 {port}（{use}）被别的程序占用"
    zh_remedy = "请停止那个程序，或将 {variable} 设为空闲端口"


class DiskFull(YiwangError):
    code = "disk_full"
    message = "only {free_mb} MB are free at {path}, {needed_mb} MB are needed"
    remedy = "make room, or set YIWANG_DATA_DIR to a folder on a larger disk"
    zh = "{path} 只剩 {free_mb} MB，需要 {needed_mb} MB"
    zh_remedy = "请腾出空间，或将 YIWANG_DATA_DIR 设到更大的磁盘"


class AlreadyRunning(YiwangError):
    code = "already_running"
    message = "Yiwang already runs on the data folder {path} (process {pid})"
    remedy = "use that instance, stop it, or set YIWANG_DATA_DIR to another folder"


class FolderUnusable(YiwangError):
    code = "folder_unusable"
    message = "the data folder {path} cannot be used: {detail}"
    remedy = "set YIWANG_DATA_DIR to a folder that you may write to"


def check_ports(settings: Settings) -> None:
    """:class:`PortTaken` for the first port that is not free."""
    wanted = [
        (settings.web_host, settings.web_port, "web", "YIWANG_WEB_PORT"),
        (settings.panel_host, settings.ingest_http_port, "HTTP push", "YIWANG_INGEST_HTTP_PORT"),
        (settings.outside_host, settings.outside_port, "the outside door", "YIWANG_OUTSIDE_PORT"),
    ]
    for kind in plugins.titles("source", "en"):
        about = plugins.about("source", kind)
        if about.transport == "tcp" and settings.source_port(kind):
            wanted.append((settings.panel_host, settings.source_port(kind), about.en, about.variable(kind)))
    if settings.nats_embedded:
        wanted += [
            ("127.0.0.1", settings.nats_port, "nats-server", "YIWANG_NATS_PORT"),
            (settings.mqtt_host, settings.mqtt_port, "MQTT", "YIWANG_MQTT_PORT"),
        ]
    for host, port, use, variable in wanted:
        if (error := _taken(host, port)) is not None:
            raise PortTaken(port=port, use=use, variable=variable) from error


def outside_port_free(settings: Settings) -> Settings:
    """Where nobody chose the outside door's port and the usual one is taken, another instance's perhaps, take the next
    free one: the inside does not stand still for it."""
    if "YIWANG_OUTSIDE_PORT" in settings.ports:
        return settings
    for port in range(settings.outside_port, settings.outside_port + 200):
        if _taken(settings.outside_host, port) is None:
            url = settings.outside_url.replace(f":{settings.outside_port}", f":{port}")
            return settings.with_(outside_port=port, outside_url=url)
    return settings


def _taken(host: str, port: int) -> OSError | None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def check_disk(folder: Path) -> None:
    """:class:`DiskFull` when fewer than ``MIN_FREE_MB`` megabytes are free."""
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    if free_mb < MIN_FREE_MB:
        raise DiskFull(free_mb=free_mb, path=folder, needed_mb=MIN_FREE_MB)


def lock_folder(folder: Path) -> IO[str]:
    """Take the folder for this process; keep the returned file open as long as the process runs."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("a+")
    except OSError as error:
        raise FolderUnusable(path=folder, detail=error.strerror or str(error)) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        pid = file.read().strip() or "?"
        file.close()
        raise AlreadyRunning(path=folder, pid=pid) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
