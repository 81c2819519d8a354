"""Works on one survey: sends the flight's photos to the node, follows it, takes the orthophoto up (layer and COG)."""

from __future__ import annotations

import fcntl
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import rasterio
import rasterio.shutil
import shapely
from rasterio.warp import transform_bounds

from core.clock import BEIJING
from core.errors import YiwangError
from core.media import MediaStore
from core.settings import Settings
from dashboard.drones.flight_layers import layer_name, mosaic_file
from dashboard.drones.intake import on_disk
from dashboard.drones.routes import VIEWERS
from dashboard.drones.surveys import OPEN, SurveyState, keep, product_file, stop_file, survey
from ingest.drones.photogrammetry import NodeTask, PhotogrammetryNode, ResultUnusable
from layers.catalogue.kinds import LayerWish
from layers.catalogue.report import LayerReport
from layers.catalogue.take import take_in
from layers.territory import Territory
from storage.aerial import PICTURES
from storage.drones import DroneStore, FileView, FlightView

POLL_S = 5.0
_SILENT = 60  # polls without an answer until it is given up


class SurveyStopped(YiwangError):
    code = "survey_stopped"
    message = "the survey was cancelled"
    remedy = "ask for it again when it is wanted"
    zh = "测图已取消"
    zh_remedy = "需要时请再申请"


class SurveyRun:
    """One survey of one flight."""

    def __init__(
        self, settings: Settings, drones: DroneStore, media: MediaStore, flight_id: str, poll_s: float = POLL_S
    ) -> None:
        self.settings, self.drones, self.media, self.flight_id = settings, drones, media, flight_id
        self.poll_s = poll_s

    def run(self) -> SurveyState | None:
        """To its end; None when there is nothing to do or another process has it."""
        with _alone(mosaic_file(self.settings, self.flight_id).with_suffix(".survey.lock")) as mine:
            state = survey(self.settings, self.flight_id)
            if not mine or state is None or state.state not in OPEN:
                return None
            try:
                return self._keep(self._work(state), state="done", progress=100.0)
            except SurveyStopped:
                stop_file(self.settings, self.flight_id).unlink(missing_ok=True)
                return self._keep(self._now(), state="cancelled")
            except YiwangError as error:
                return self._keep(self._now(), state="failed", problem=error.code, message=str(error))

    def _work(self, state: SurveyState) -> SurveyState:
        node = PhotogrammetryNode(self.settings.nodeodm_url, self.settings.nodeodm_token)
        flight = self.drones.flight(self.flight_id)
        if state.state != "running" or not state.task:
            state = self._send(node, state, flight)
        self._follow(node, state)
        with tempfile.TemporaryDirectory(dir=self.settings.data_dir) as folder:
            made = node.orthophoto(state.task, Path(folder))
            take_up(self.settings, flight, made, self._now())
        node.remove(state.task)
        return self._now()

    def _send(self, node: PhotogrammetryNode, state: SurveyState, flight: FlightView) -> SurveyState:
        state = self._keep(state, state="sending", progress=0.0, engine=node.engine())
        files = [f for f in self.drones.files(self.flight_id) if f.kind in PICTURES and f.place]
        with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
            photos = _named(files, [held.enter_context(on_disk(self.media, f.uri)) for f in files], Path(folder))
            task = node.submit(photos, flight.name or flight.flight_id, _options(files), self._sent)
        return self._keep(self._now(), state="running", progress=0.0, task=task)

    def _sent(self, percent: float) -> None:
        self._stopped()
        self._keep(self._now(), progress=round(percent, 1))

    def _follow(self, node: PhotogrammetryNode, state: SurveyState) -> None:
        silent = 0
        while True:
            if stop_file(self.settings, self.flight_id).exists():
                node.cancel(state.task)
                self._stopped()
            try:
                told, silent = node.task(state.task), 0
            except YiwangError:
                silent += 1
                if silent >= _SILENT:
                    raise
                time.sleep(self.poll_s)
                continue
            self._keep(self._now(), progress=round(told.progress, 1))
            if _ended(told):
                return
            time.sleep(self.poll_s)

    def _stopped(self) -> None:
        if stop_file(self.settings, self.flight_id).exists():
            raise SurveyStopped()

    def _now(self) -> SurveyState:
        state = survey(self.settings, self.flight_id)
        assert state is not None
        return state

    def _keep(self, before: SurveyState, /, **changed: Any) -> SurveyState:
        return keep(self.settings, msgspec.structs.replace(before, **changed))


def _ended(told: NodeTask) -> bool:
    if told.state == "failed":
        raise ResultUnusable(detail=told.error or "the task failed")
    if told.state == "cancelled":
        raise SurveyStopped()
    return told.state == "completed"


def _options(files: Sequence[FileView]) -> dict[str, Any]:
    """Heights and an orthophoto at the photos' own resolution, as a COG."""
    known = sorted(f.place["gsd_cm"] for f in files if f.place.get("gsd_cm"))
    gsd = known[len(known) // 2] if known else 5.0
    return {"orthophoto-resolution": round(max(gsd, 0.5), 2), "dsm": True, "cog": True, "auto-boundary": True}


def _named(files: Sequence[FileView], paths: Sequence[Path], folder: Path) -> list[Path]:
    """The photos under their own names, which the node shows; the same name twice is told apart."""
    out: list[Path] = []
    for number, (file, path) in enumerate(zip(files, paths, strict=True)):
        plain = Path(file.name.replace("\\", "/")).name or f"{number}.jpg"
        link = folder / (plain if not (folder / plain).exists() else f"{number}_{plain}")
        link.symlink_to(path.absolute())
        out.append(link)
    return out


def take_up(settings: Settings, flight: FlightView, made: Path, state: SurveyState) -> LayerReport:
    """The orthophoto becomes a COG and a dated layer with the rights of the photos; :class:`ResultUnusable`."""
    target = product_file(settings, flight.flight_id)
    part = target.with_suffix(".part")
    try:
        with rasterio.open(made) as picture:
            if picture.crs is None or picture.count < 3:
                raise ResultUnusable(detail="its orthophoto is no georeferenced colour picture")
            bounds, crs = transform_bounds(picture.crs, "EPSG:4326", *picture.bounds), picture.crs.to_string()
        rasterio.shutil.copy(made, part, driver="COG", COMPRESS="DEFLATE", BLOCKSIZE=512, BIGTIFF="IF_SAFER")
    except rasterio.errors.RasterioError as error:
        raise ResultUnusable(detail=f"its orthophoto cannot be read ({str(error)[:200]})") from error
    part.replace(target)
    day = flight.first_at.astimezone(BEIJING).date().isoformat() if flight.first_at else ""
    name = flight.name or flight.flight_id[:8]
    wish = LayerWish(
        name=layer_name(flight.flight_id, "survey"), kind="orthophoto", crs=crs, date=day,
        title={"zh": f"航测正射影像 {name} {day}".strip(), "en": f"Survey {name} {day}".strip()},
        source=f"{state.pictures} photos, {state.engine}", params={"roles": list(VIEWERS)},
    )  # fmt: skip
    return take_in(settings, target, Territory(shapely.box(*bounds), name), wish)


@contextmanager
def _alone(lock: Path) -> Iterator[bool]:
    """Whether this process alone works here."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
