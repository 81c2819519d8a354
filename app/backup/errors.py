"""What a backup or a restore refuses."""

from __future__ import annotations

from core.errors import YiwangError


class BackupRefused(YiwangError):
    code = "backup_refused"
    message = "no backup was written to {path}: {detail}"
    remedy = "{how}"


class RestoreRefused(YiwangError):
    code = "restore_refused"
    message = "{path} was not restored: {detail}"
    remedy = "{how}"


def damaged(path: object, detail: str) -> RestoreRefused:
    """The file is not whole."""
    return RestoreRefused(
        path=path, detail=f"it is damaged ({detail})", how="use another copy; nothing was kept of this one"
    )
