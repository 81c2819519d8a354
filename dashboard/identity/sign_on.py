"""The provider that ``oidc.json`` names, taken up when the file changes; a file that became wrong changes nothing."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import SettingsError
from core.settings import Settings
from dashboard.identity.config import FILE, read_config

if TYPE_CHECKING:
    from dashboard.identity.provider import Provider

log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0
CALLBACK = "/auth/oidc/callback"
LOGGED_OUT = "/auth/oidc/backchannel"


class SignOn:
    """Looks at the file at most once a second.

    Raises:
        SettingsError: when made, for a file that is wrong.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._mark: tuple[int, int] | None = None
        self._looked = float("-inf")
        self._provider: Provider | None = None
        self.problem = ""
        self._take(first=True)

    @property
    def provider(self) -> Provider | None:
        """The provider as the file says now; None where there is none."""
        if time.monotonic() - self._looked >= LOOK_EVERY_S:
            self._take()
        return self._provider

    def look_now(self) -> None:
        """The file was just written by this process."""
        self._take()

    def _take(self, *, first: bool = False) -> None:
        self._looked = time.monotonic()
        mark = _mark(self._settings.data_dir / FILE)
        if mark == self._mark and not first:
            return
        try:
            config = read_config(self._settings.data_dir)
        except SettingsError as error:
            if first:
                raise
            self._mark, self.problem = mark, str(error)
            log.warning("%s; the provider stays as it was", str(error))
            return
        self._mark, self.problem = mark, ""
        if config is None:
            self._provider = None
            return
        from dashboard.identity.provider import Provider  # its libraries only where there is a provider

        self._provider = Provider(config, f"{self._settings.public_url}{CALLBACK}")


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
