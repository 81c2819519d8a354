"""A pilot's folder: so many photos of 12 megapixels through the real web server and worker, two cores.

The photos are made of real ones (enlarged to 4000×3000, upright by their tags, every block of the flight a block to the
north).  Told: seconds from the first file's last byte to its place on the map, from the folder's last byte to every
place, to the mosaic and to the last look; the most memory that web, worker and the look had.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
from PIL import Image, ImageOps
from PIL.ExifTags import GPS, IFD

from bench.parts.rig import Rig, wait_for_port
from dashboard.accounts.users import add_user, hash_password
from dashboard.uploads.routes import metadata_header
from ingest.drones.locate import locate_all
from storage.session import session_scope
from storage.tables.registry import Department

SIZE = (4000, 3000)
BLOCK_DEGREES = 0.004
PART = 4 << 20
MOST_S = 900.0


def folder(paths: Sequence[Path], photos: int, most_s: float = MOST_S) -> dict[str, Any]:
    """The figures of a folder of ``photos``."""
    with tempfile.TemporaryDirectory() as place, Rig(Path(place)) as rig:
        made = enlarged(paths, photos, Path(place) / "card")
        word = secrets.token_urlsafe(12)
        with session_scope(rig.engine) as session:
            session.add(Department(department_id="d", name="d"))
            session.flush()
            add_user(session, login="o", name="o", roles=["operator"], department_id="d").password_hash = hash_password(
                word
            )
        rig.start("nats", "worker", "web")
        wait_for_port(rig.settings.web_port)
        memory = Memory()
        try:
            return asyncio.run(_dropped(rig, made, word, most_s)) | {"most_memory_mb": memory.stop()}
        finally:
            memory.stop()


def enlarged(paths: Sequence[Path], photos: int, place: Path) -> list[Path]:
    """Photos of 12 megapixels with the tags of real ones."""
    place.mkdir()
    turned = ["turned_copy" in {note.code for note in one.notes} for one in locate_all(paths)]
    out = []
    for number in range(photos):
        source, block = number % len(paths), number // len(paths)
        with Image.open(paths[source]) as picture:
            exif, xmp = picture.getexif(), picture.info.get("xmp", b"")
            north = list(exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude])
            north[2] = float(north[2]) + 3600 * BLOCK_DEGREES * block
            exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = tuple(map(float, north))
            shown = picture.rotate(180) if turned[source] else picture
            large = ImageOps.fit(shown.convert("RGB"), (SIZE[0], SIZE[0] * picture.height // picture.width))
            canvas = ImageOps.expand(large, (0, (SIZE[1] - large.height) // 2), "gray").resize(SIZE)
            canvas.save(place / f"DJI_{number:04d}.JPG", quality=88, exif=exif, xmp=xmp)
        out.append(place / f"DJI_{number:04d}.JPG")
    return out


class Memory:
    """The most resident memory of this process's children by name, looked at five times a second."""

    def __init__(self) -> None:
        self.most: dict[str, float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._end.wait(0.2):
            for child in psutil.Process().children(recursive=True):
                try:
                    words, size = child.cmdline(), child.memory_info().rss / (1 << 20)
                except psutil.Error:
                    continue
                name = next((w for w in reversed(words) if w in ("web", "worker", "look")), "")
                if name:
                    self.most[name] = max(self.most.get(name, 0.0), round(size, 1))

    def stop(self) -> dict[str, float]:
        """What was seen."""
        self._end.set()
        self._thread.join()
        return self.most


async def _dropped(rig: Rig, made: Sequence[Path], word: str, most_s: float) -> dict[str, Any]:
    base = f"http://127.0.0.1:{rig.settings.web_port}"
    async with httpx.AsyncClient(base_url=base, timeout=120) as client:
        answer = await client.post("/api/login", json={"login": "o", "password": word})
        answer.raise_for_status()
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        first, began = 0.0, time.monotonic()
        for number, path in enumerate(made):
            await _send(client, path)
            if number == 0:
                sent = time.monotonic()
                await _placed(client, 1, most_s)
                first = time.monotonic() - sent
        last = time.monotonic()
        await _placed(client, len(made), most_s)
        told = {"photos": len(made), "megabytes": round(sum(p.stat().st_size for p in made) / 1e6),
                "sent_s": round(last - began, 1), "first_on_map_s": round(first, 2),
                "all_on_map_s": round(time.monotonic() - last, 2)}  # fmt: skip
        return told | await _followed(client, last, most_s)


async def _send(client: httpx.AsyncClient, path: Path) -> None:
    data = path.read_bytes()
    facts = {"target": "aerial", "filename": path.name, "folder": "drill", "key": hashlib.sha256(data).hexdigest()}
    head = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data)), "Upload-Metadata": metadata_header(facts)}
    answer = await client.post("/api/uploads", headers=head)
    answer.raise_for_status()
    for at in range(0, len(data), PART):
        more = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(at)}
        part = await client.patch(answer.headers["Location"], headers=more, content=data[at : at + PART])
        part.raise_for_status()


async def _placed(client: httpx.AsyncClient, wanted: int, most_s: float) -> None:
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        found = (await client.get("/api/drone/files")).json()["features"]
        if sum(f["properties"]["placed"] for f in found) >= wanted:
            return
        await asyncio.sleep(0.1)


async def _followed(client: httpx.AsyncClient, last: float, most_s: float) -> dict[str, Any]:
    """Seconds after the last byte to the mosaic and to the last look."""
    told: dict[str, Any] = {"mosaic_s": None, "first_look_s": None, "all_looked_s": None}
    flight = (await client.get("/api/drone/flights")).json()["items"][0]["flight_id"]
    while time.monotonic() - last < most_s and None in (told["mosaic_s"], told["all_looked_s"]):
        now = (await client.get(f"/api/drone/flights/{flight}")).json()
        after = round(time.monotonic() - last, 1)
        if now["mosaic"] and told["mosaic_s"] is None:
            told |= {"mosaic_s": after, "matched": now["matched"], "residual_m": now["residual_m"]}
        if now["looked"] and told["first_look_s"] is None:
            told["first_look_s"] = after
        if now["looked"] >= now["pictures"] and told["all_looked_s"] is None:
            told["all_looked_s"] = after
        await asyncio.sleep(0.5)
    return told | {"looked": now["looked"]}
