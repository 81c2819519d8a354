"""One clear message for each thing that keeps an instance from starting."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from app import preflight
from core.settings import Settings


def test_a_taken_port_names_itself_and_its_variable(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.web_port))
        other.listen()
        with pytest.raises(preflight.PortTaken) as error:
            preflight.check_ports(settings)
    assert str(settings.web_port) in str(error.value)
    assert "YIWANG_WEB_PORT" in str(error.value)
    preflight.check_ports(settings)  # and none when it is free again


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "MIN_FREE_MB", 10**9)
    with pytest.raises(preflight.DiskFull, match="YIWANG_DATA_DIR"):
        preflight.check_disk(tmp_path)


def test_a_second_instance_on_one_folder_is_refused(tmp_path: Path) -> None:
    first = preflight.lock_folder(tmp_path)
    with pytest.raises(preflight.AlreadyRunning, match=str(os.getpid())):
        preflight.lock_folder(tmp_path)
    first.close()
    preflight.lock_folder(tmp_path).close()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(preflight.FolderUnusable, match="YIWANG_DATA_DIR"):
        preflight.lock_folder(tmp_path / "file" / "data")
