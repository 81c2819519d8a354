"""Decoded and encoded pictures as what is analysed: BGR, 8 bits, no wider than 1,920 pixels."""

from __future__ import annotations

from collections import deque

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from vision.capture.jpeg_stream import picture_size
from vision.capture.sources import Source
from vision.detections import Image
from vision.errors import StreamFailed

MAX_PIXELS = 8192 * 4320
MAX_WIDTH = 1920  # wider pictures are scaled down while converting
AT_ONCE, SHAPES = 4, 16  # scalers kept of a kind of picture, and kinds of pictures

# setting up a scaler costs four times as much as using it; all cameras share a few
_scalers: dict[tuple[str, int, int], deque[VideoReformatter]] = {}


def check_size(source: Source, width: int, height: int) -> None:
    """:class:`StreamFailed` where a picture would take more memory than a camera may."""
    if width * height > MAX_PIXELS:
        raise StreamFailed(url=source.shown, detail=f"{width}×{height} pixels are too many")


def converted(picture: av.VideoFrame) -> Image:
    """Any pixel format (grey, 10 and 16 bits of thermal cameras, palettes) as BGR."""
    width, height = picture.width, picture.height
    if width > MAX_WIDTH:
        width, height = MAX_WIDTH, max(2, round(height * MAX_WIDTH / width))
    idle = _scalers.setdefault((picture.format.name, picture.width, picture.height), deque(maxlen=AT_ONCE))
    try:
        scaler = idle.pop()
    except IndexError:
        scaler = VideoReformatter()
    try:
        return np.asarray(scaler.reformat(picture, width, height, "bgr24").to_ndarray(), np.uint8)
    finally:
        idle.append(scaler)
        while len(_scalers) > SHAPES:
            _scalers.pop(list(_scalers)[0], None)  # noqa: RUF015 — other threads add to it meanwhile


def decode_still(source: Source, data: bytes) -> Image | None:
    """A JPEG or PNG; None when it is neither or damaged beyond reading."""
    size = picture_size(data)
    if size is None or 0 in size:
        return None
    check_size(source, *size)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    if image.shape[1] > MAX_WIDTH:
        height = max(2, round(image.shape[0] * MAX_WIDTH / image.shape[1]))
        image = cv2.resize(image, (MAX_WIDTH, height), interpolation=cv2.INTER_AREA)
    return np.asarray(image, np.uint8)
