"""Real pictures for tests: small, different by seed."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image


@cache
def picture(seed: int = 0, kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture file of ``kind``."""
    image = Image.new("RGB", size, (seed * 37 % 256, seed * 91 % 256, seed * 53 % 256))
    target = io.BytesIO()
    image.save(target, kind)
    return target.getvalue()
