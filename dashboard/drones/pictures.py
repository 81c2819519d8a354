"""Small pictures of kept files: decoded at a fraction of their size, one at a time on a small machine."""

from __future__ import annotations

import threading
from io import BytesIO
from typing import TYPE_CHECKING

from core.filekind import MAX_PIXELS
from core.late import Late
from core.media import MediaStore
from dashboard.drones.intake import on_disk
from storage.drones import FileView

if TYPE_CHECKING:
    from PIL import Image
else:
    Image = Late("PIL.Image")

SIDE = 640
_room = threading.Semaphore(2)


def small(media: MediaStore, file: FileView, side: int = SIDE) -> bytes | None:
    """A JPEG of at most ``side`` pixels; None for films, tracks and what cannot be decoded."""
    if file.kind not in ("jpeg", "tiff"):
        return None
    try:
        with _room, on_disk(media, file.uri) as path, Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return None
            picture.draft("RGB", (side, side))
            shown = picture.convert("RGB")
            shown.thumbnail((side, side))
            out = BytesIO()
            shown.save(out, "JPEG", quality=80)
            return out.getvalue()
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
