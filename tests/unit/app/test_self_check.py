"""The signed manifest of our own files: any change is named, another signer is told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app import own_files
from app.cli import main
from scripts import manifest


@pytest.fixture
def release(tmp_path: Path) -> tuple[Path, Path]:
    root, key = tmp_path / "release", tmp_path / "keys" / "release.pem"
    key.parent.mkdir()
    for name in ("app/a.py", "core/b.py", "core/__pycache__/b.pyc", "deploy/certs/key.pem", "Dockerfile", "var/x"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    assert manifest.main(["--key", str(key), "--new-key", "--root", str(root)]) == 0
    return root, key.with_suffix(".pub.pem")


def check(release: tuple[Path, Path], capsys: pytest.CaptureFixture[str], key: Path | None = None) -> tuple[int, dict]:
    root, public = release
    capsys.readouterr()
    status = main(["self-check", "--key", str(key or public), "--root", str(root), "--json"])
    out = capsys.readouterr().out
    return status, json.loads(out) if out.startswith("{") else {}


def test_what_was_released_is_well(release: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    status, found = check(release, capsys)
    assert (status, found["ok"], found["files"]) == (0, True, 3)


def test_changed_missing_and_added_files_are_named(
    release: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root, _ = release
    (root / "app/a.py").write_text("print('evil')")
    (root / "core/b.py").unlink()
    (root / "core/back_door.py").write_text("")
    status, found = check(release, capsys)
    assert status == 1
    assert (found["changed"], found["missing"], found["added"]) == (["app/a.py"], ["core/b.py"], ["core/back_door.py"])


@pytest.mark.parametrize("what", ["manifest", "signature", "gone"])
def test_a_manifest_that_somebody_touched_is_not_believed(
    release: tuple[Path, Path], capsys: pytest.CaptureFixture[str], what: str
) -> None:
    root, _ = release
    if what == "manifest":
        (root / own_files.MANIFEST).write_bytes(own_files.manifest_of(root) + b" ")
    elif what == "signature":
        (root / own_files.SIGNATURE).write_bytes(bytes(64))
    else:
        (root / own_files.SIGNATURE).unlink()
    assert check(release, capsys)[0] == 2


def test_another_signer_is_not_the_release(
    release: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.pem"
    assert manifest.main(["--key", str(other), "--new-key", "--root", str(tmp_path)]) == 0
    assert check(release, capsys, other.with_suffix(".pub.pem"))[0] == 2
    assert main(["self-check", "--root", str(release[0])]) == 2  # no key named


def test_our_own_tree_can_be_listed() -> None:
    names = {path.as_posix() for path in own_files.own_files()}
    assert {"app/own_files.py", "core/bus.py", "docker-compose.yml"} <= names
    assert not any("node_modules" in name or "__pycache__" in name for name in names)
