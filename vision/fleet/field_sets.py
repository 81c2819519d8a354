"""The district's evaluation sets as a vision worker knows them: read from the bus, pictures from the evidence store."""

from __future__ import annotations

import logging
from collections.abc import Collection

import cv2
import numpy as np
from nats.js.kv import KeyValue

from core.errors import YiwangError
from core.media import MediaStore
from core.records import decode
from core.sight.field_set import FieldPicture, FieldSet
from vision.detections import Image

log = logging.getLogger("yiwang.vision.models")

# What a camera says stands there says nothing of a detector's boxes: who is missing, how deep, how dense.
WITHOUT = frozenset({"absence", "camera_health", "congestion", "crowding", "queue", "unloading", "waterlogging"})


class FieldSets:
    """Sets by algorithm; safe to read from other threads."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media
        self._sets: dict[str, FieldSet] = {}

    def take(self, one: FieldSet) -> None:
        """A set in place of what was known of its algorithm."""
        self._sets[one.kind] = one

    async def watch(self, registry: KeyValue) -> None:
        """For ever: what the bucket says."""
        watcher = await registry.watch("fieldset.*")
        try:
            async for entry in watcher:
                if entry is not None and entry.value:
                    self._entry(entry.value)
        finally:
            await watcher.stop()

    def _entry(self, value: bytes) -> None:
        try:
            self.take(decode(FieldSet, value))
        except YiwangError as error:
            log.warning("an evaluation set is left out: %s", error)

    def of(self, kinds: Collection[str], without: Collection[str] = ()) -> list[FieldPicture]:
        """The pictures of some algorithms, but those whose SHA-256 begins with one of ``without``."""
        found = {p.sha256: p for kind in kinds if kind not in WITHOUT for p in self._pictures(kind)}
        return [p for sha256, p in found.items() if not any(sha256.startswith(known) for known in without if known)]

    def read(self, picture: FieldPicture) -> Image | None:
        """The picture; None when it is gone, changed or no picture."""
        try:
            data = self._media.read(picture.uri)
        except (YiwangError, OSError):
            return None
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        return None if image is None else np.asarray(image, np.uint8)

    def _pictures(self, kind: str) -> tuple[FieldPicture, ...]:
        known = self._sets.get(kind)
        return known.pictures if known else ()
