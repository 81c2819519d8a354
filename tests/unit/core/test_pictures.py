"""Photographs that somebody sends: what is no picture is refused, whatever a library did to Pillow in this process."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from core.pictures import PictureRefused, rewrite


@pytest.mark.parametrize("data", [b"", b"GIF89a" + b"\0" * 50, b"\xff\xd8\xff\xe0" + b"\0" * 500])
def test_no_picture_is_refused_although_a_library_replaced_pillows_open(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = Image.open

    def patched(source: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return genuine(source, *args, **kwargs)
        except Image.UnidentifiedImageError:
            import a_reader_that_is_not_installed  # type: ignore[import-not-found]  # noqa: F401

    monkeypatch.setattr(Image, "open", patched)
    with pytest.raises(PictureRefused) as refused:
        rewrite(data)
    assert "a_reader" not in str(refused.value)


def test_a_picture_is_taken() -> None:
    kept = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(kept, "PNG")
    assert (rewrite(kept.getvalue()).width, rewrite(kept.getvalue()).height) == (4, 3)
