"""A camera's address, judged before it is opened, and what went wrong in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from core.late import Late
from core.records import CameraConfig
from vision.errors import StreamFailed

if TYPE_CHECKING:
    import av
else:
    av = Late("av")

_WHITELIST = {
    "file": "file,crypto",
    "http": "http,https,tcp,tls,crypto",  # a playlist may not read local files
    "https": "http,https,tcp,tls,crypto",
    "rtsp": "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https",
    "rtsps": "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https",
    "rtmp": "rtmp,rtmps,tcp,tls",
}


@dataclass(frozen=True)
class Source:
    """What to open: ``address`` for ffmpeg, its scheme, whether a file starts again at its end."""

    address: str
    scheme: str
    loop: bool = False
    rate: float = 0.0  # pictures a second of a recording that bears no times; 0: not said

    @property
    def is_file(self) -> bool:
        return self.scheme == "file"

    @property
    def shown(self) -> str:
        """The address without user and password, for people and logs."""
        parts = urlsplit(self.address)
        if parts.scheme and "@" in parts.netloc:
            return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        return self.address

    @property
    def has_user(self) -> bool:
        return bool(urlsplit(self.address).username)

    def options(self, transport: str = "tcp") -> dict[str, str]:
        """ffmpeg's options: the transport, a small appetite for what is not video.

        Not ``nobuffer``: it throws away what was read to find out the format, the first key frame among it, and
        cameras with key frames far apart send the next one only after many seconds.
        """
        options = {"protocol_whitelist": _WHITELIST[self.scheme]}
        if not self.is_file:
            options |= {"probesize": "1000000", "analyzeduration": "3000000"}
        elif self.rate:
            options |= {"framerate": f"{self.rate:g}"}
        if self.scheme in {"rtsp", "rtsps"}:
            options |= {"rtsp_transport": transport, "max_delay": "500000", "allowed_media_types": "video"}
        return options


def parse_source(url: str) -> Source:
    """A path, ``file:///…?loop=1``, ``rtsp(s)://``, ``http(s)://`` or ``rtmp://``; :class:`StreamFailed` otherwise."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme in {"", "file"} or (len(scheme) == 1 and Path(url).exists()):
        path, _, query = (unquote(parts.path), "", parts.query) if scheme == "file" else url.partition("?")
        asked = parse_qs(query)
        loop = asked.get("loop", ["0"])[-1].lower() not in {"0", "false", "no", ""}
        if not path:
            raise StreamFailed(url=url, detail="the address is empty")
        return Source(path, "file", loop, _rate(asked.get("rate", ["0"])[-1], url))
    if scheme not in _WHITELIST:
        raise StreamFailed(url=url, detail=f"scheme {scheme!r} is not one of {', '.join(_WHITELIST)}")
    if not parts.hostname:
        raise StreamFailed(url=url, detail="the address names no host")
    return Source(url, scheme)


def _rate(text: str, url: str) -> float:
    """Pictures a second in the address of a recording."""
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0.0 <= rate <= 240.0:
        raise StreamFailed(url=url, detail=f"rate={text}: pictures a second are a number up to 240")
    return rate


def analysis_source(camera: CameraConfig) -> Source:
    """The sub-stream where there is one (decoding dominates on main streams), else the main stream."""
    return parse_source(camera.sub_url or camera.url)


def describe(error: BaseException) -> str:
    """An ffmpeg or system error in words an operator understands."""
    known: list[tuple[type[BaseException], str]] = [
        (av.error.ConnectionRefusedError, "the connection was refused"),
        (av.error.TimeoutError, "it does not answer in time"),
        (av.error.ExitError, "it does not answer in time"),
        (av.error.HTTPUnauthorizedError, "user or password is wrong"),
        (av.error.HTTPForbiddenError, "access is forbidden"),
        (av.error.HTTPNotFoundError, "there is no such stream"),
        (av.error.InvalidDataError, "what it sends is not video"),
        (av.error.FileNotFoundError, "the file does not exist"),
        (TimeoutError, "it does not answer in time"),
    ]
    for kind, text in known:
        if isinstance(error, kind):
            return text
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
