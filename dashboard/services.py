"""What the routes of the web process share, made once by :func:`dashboard.factory.create_app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from core.camera_secrets import CameraSeal
from core.clock import Clock
from core.media import MediaStore
from core.settings import Settings
from dashboard.auth import Accounts
from dashboard.health import Health
from dashboard.live import LiveHub
from dashboard.security import SessionCache
from dashboard.videowall.rooms import VideoRooms
from layers.tiles import TileSet

if TYPE_CHECKING:
    from dashboard.form_watch import FormWatch
    from dashboard.identity.provider import Provider
    from dashboard.identity.sign_on import SignOn
    from dashboard.training.bank import ExamFolder
    from events.cases.service import CaseService
    from events.runtime.city_rules import CityRules


@dataclass
class Services:
    """Handed to every route as ``request.app.state.services``."""

    settings: Settings
    engine: Engine
    clock: Clock
    accounts: Accounts
    sessions: SessionCache
    media: MediaStore
    hub: LiveHub
    health: Health
    video: VideoRooms
    sign_on: SignOn | None = None
    tilesets: dict[str, TileSet] = field(default_factory=dict)
    counters: dict[str, Any] = field(default_factory=dict)
    _made: dict[str, Any] = field(default_factory=dict)
    _lock: Any = field(default_factory=RLock)

    @property
    def identity(self) -> Provider | None:
        """The district's identity provider, as ``oidc.json`` names it now."""
        return self.sign_on.provider if self.sign_on is not None else None

    @property
    def cases(self) -> CaseService:
        """What commands on cases go through."""
        found: CaseService = self._once("cases", self._cases)
        return found

    @property
    def forms(self) -> FormWatch:
        """The folder of forms, watched."""
        found: FormWatch = self._once("forms", self._forms)
        return found

    @property
    def city(self) -> CityRules:
        """Kinds of case and routing that the city puts beside the database, watched."""
        found: CityRules = self._once("city", self._city)
        return found

    @property
    def exams(self) -> ExamFolder:
        """The folders of exams, looked at when somebody asks."""
        found: ExamFolder = self._once("exams", self._exams)
        return found

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        """Made when it is first asked for, from whichever thread: a process that starts does not wait for it."""
        if name not in self._made:
            with self._lock:
                if name not in self._made:
                    self._made[name] = make()
        return self._made[name]

    def _cases(self) -> CaseService:
        from events.runtime.wiring import case_service

        return case_service(self.engine, self.clock, district=self.settings.district, calendars=self.city.calendars)

    def _forms(self) -> FormWatch:
        from dashboard.form_watch import FormWatch
        from storage.form_files import FormFolder

        return FormWatch(FormFolder(self.settings.data_dir / "forms", self.engine), self.clock)

    def _exams(self) -> ExamFolder:
        from dashboard.training.bank import ExamFolder

        return ExamFolder(self.settings.data_dir / "exams", self.engine)

    def _city(self) -> CityRules:
        from events.runtime.city_rules import CityRules

        city = CityRules(self.engine, self.settings.data_dir)
        city.calendars.look()  # whoever asks first counts by the district's own
        return city

    @property
    def camera_seal(self) -> CameraSeal:
        """Seals and opens the addresses of cameras."""
        return CameraSeal(self.settings.records_key)
