"""Pictures that people send: decoded and written anew, so that only the picture itself is kept.

What hides behind or inside a file (a script, an archive, a location, another picture's thumbnail) does not survive;
what cannot be decoded whole is refused; width, height and area are bounded before a pixel is unfolded.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import InputInvalid
from core.late import Late

if TYPE_CHECKING:
    from PIL import Image, ImageOps
else:
    Image, ImageOps = Late("PIL.Image"), Late("PIL.ImageOps")

MAX_EDGE = 16_384  # pixels
MAX_PIXELS = 64_000_000  # decoded: 192 MB at most
QUALITY = 90
_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class PictureRefused(InputInvalid):
    code = "picture_refused"
    message = "the picture {detail}"
    remedy = "{how}"
    zh = "图片{detail}"
    zh_remedy = "{how}"


@dataclass(frozen=True)
class Picture:
    """The picture as it is kept; ``width`` and ``height`` in pixels, upright."""

    data: bytes
    media_type: str
    width: int
    height: int


def rewrite(data: bytes) -> Picture:
    """``data`` (JPEG, PNG or WebP) decoded and encoded again in its own format, turned upright, without metadata.

    :class:`PictureRefused` for what is of another kind, damaged, cut short or larger than the bounds.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=tuple(_FORMATS)) as image:
                return _again(image)
    except PictureRefused:
        raise
    except (OSError, Image.DecompressionBombError, ValueError, SyntaxError, EOFError, ImportError) as error:
        # ultralytics 8.4 replaces PIL.Image.open in the whole process and raises ImportError for what is no picture
        unknown = isinstance(error, ImportError) or type(error).__name__ == "UnidentifiedImageError"
        said = "" if unknown else f": {error}"[:120]
        raise PictureRefused(detail=f"cannot be decoded{said}", how="send it again as JPEG or PNG") from error
    except (MemoryError, OverflowError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        raise PictureRefused(detail="is damaged", how="send it again as JPEG or PNG") from error


def _again(image: Any) -> Picture:
    width, height = image.size
    if width > MAX_EDGE or height > MAX_EDGE or width * height > MAX_PIXELS or not width * height:
        raise PictureRefused(
            detail=f"has {width} × {height} pixels",
            how=f"send at most {MAX_EDGE} pixels a side and {MAX_PIXELS // 1_000_000} megapixels",
        )
    kind = "JPEG" if image.format == "MPO" else str(image.format)  # of a phone's several pictures the first
    image.load()
    upright = ImageOps.exif_transpose(image) or image
    target = io.BytesIO()
    if kind == "JPEG":
        colours = upright if upright.mode in {"RGB", "L"} else upright.convert("RGB")
        colours.save(target, "JPEG", quality=QUALITY, exif=b"", icc_profile=None)
    elif kind == "PNG":
        flat = upright if upright.mode in {"RGB", "RGBA", "L", "LA", "1"} else upright.convert("RGBA")
        _bare(flat).save(target, "PNG", compress_level=3)
    else:
        flat = upright if upright.mode in {"RGB", "RGBA"} else upright.convert("RGBA")
        _bare(flat).save(target, "WEBP", quality=QUALITY, exif=b"", icc_profile=None)
    return Picture(target.getvalue(), _FORMATS[kind], *upright.size)


def _bare(image: Any) -> Any:
    """The same pixels and nothing else: text chunks and profiles live in ``info``."""
    image.info = {}
    return image


def shrink(data: bytes, edge: int, most_bytes: int) -> Picture:
    """``data`` as a JPEG of at most ``edge`` pixels a side and ``most_bytes``, without metadata.

    :class:`PictureRefused` as :func:`rewrite`.
    """
    whole = rewrite(data)
    with Image.open(io.BytesIO(whole.data)) as image:
        drawn = image.convert("RGBA")  # a signature is ink on nothing: on white it can be read
        colours = Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("RGB")
    while True:
        colours.thumbnail((edge, edge))
        for quality in (85, 70, 55):
            target = io.BytesIO()
            colours.save(target, "JPEG", quality=quality)
            if target.tell() <= most_bytes:
                return Picture(target.getvalue(), "image/jpeg", *colours.size)
        edge = edge * 2 // 3
