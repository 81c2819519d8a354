"""Files as an aircraft's card holds them, made here: JPEG with EXIF and XMP, subtitles, telemetry."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

LON, LAT = 125.371204, 43.870812
DJI = {
    "GpsLatitude": f"+{LAT}", "GpsLongitude": f"+{LON}", "AbsoluteAltitude": "+274.318", "RelativeAltitude": "+61.200",
    "GimbalYawDegree": "-160.30", "GimbalPitchDegree": "-89.90", "GimbalRollDegree": "+0.00",
    "FlightYawDegree": "-158.10", "UTCAtExposure": "2026-11-27T02:15:30.421000",
}  # fmt: skip
NAMESPACES = {
    "drone-dji": "http://www.dji.com/drone-dji/1.0/", "Camera": "http://pix4d.com/camera/1.0/",
    "drone-parrot": "http://www.parrot.com/drone-parrot/1.0/", "drone-skydio": "https://www.skydio.com/drone-skydio/1.0/",
    "drone": "http://www.autelrobotics.com/drone/1.0/",
}  # fmt: skip


def xmp(tags: dict[str, str], prefix: str = "drone-dji") -> str:
    """A packet with the tags as attributes."""
    spaces = " ".join(f'xmlns:{name}="{url}"' for name, url in NAMESPACES.items())
    body = " ".join(f'{name if ":" in name else f"{prefix}:{name}"}="{value}"' for name, value in tags.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {spaces} {body}/></rdf:RDF></x:xmpmeta>'
    )


def photo(
    packet: str | None, size: tuple[int, int] = (528, 396), gps: tuple[float, float] | None = (LON, LAT), **exif: Any
) -> bytes:
    """A JPEG of a Mavic 3E's proportions: 12.29 mm on 17.3 mm unless told otherwise."""
    tags = Image.Exif()
    tags[Base.Make], tags[Base.Model] = exif.get("make", "DJI"), exif.get("model", "M3E")
    tags[Base.Orientation] = 1
    inner = tags.get_ifd(IFD.Exif)
    inner[Base.FocalLength] = exif.get("focal_mm", 12.29)
    inner[Base.DateTimeOriginal] = exif.get("taken", "2026:11:27 10:15:30")
    if "focal35" in exif:
        inner[Base.FocalLengthIn35mmFilm] = exif["focal35"]
    if gps is not None:
        place = tags.get_ifd(IFD.GPSInfo)
        place[GPS.GPSLatitudeRef], place[GPS.GPSLatitude] = "N" if gps[1] >= 0 else "S", _dms(gps[1])
        place[GPS.GPSLongitudeRef], place[GPS.GPSLongitude] = "E" if gps[0] >= 0 else "W", _dms(gps[0])
        place[GPS.GPSAltitude] = 274.3
        if "receiver" in exif:
            place[GPS.GPSDateStamp], place[GPS.GPSTimeStamp] = exif["receiver"]
    out = BytesIO()
    more = {} if packet is None else {"xmp": packet.encode()}
    Image.effect_noise(size, 60).convert("RGB").save(out, "JPEG", exif=tags, quality=80, **more)
    return out.getvalue()


def _dms(value: float) -> tuple[float, float, float]:
    value = abs(value)
    minutes = (value - int(value)) * 60
    return float(int(value)), float(int(minutes)), (minutes - int(minutes)) * 60


def write(folder: Path, name: str, data: bytes) -> Path:
    """The file in ``folder``."""
    path = folder / name
    path.write_bytes(data)
    return path
