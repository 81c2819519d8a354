"""What can be wrong with a file of an aircraft: a code for programs and a sentence for people."""

from __future__ import annotations

from typing import Any, NamedTuple

from core.errors import YiwangError


class Note(NamedTuple):
    """``code`` is stable; ``message`` says what is wrong and what to do."""

    code: str
    message: str


class AttitudeUnknown(YiwangError):
    code = "no_attitude"
    message = "the file does not say where the camera looked (gimbal yaw and pitch)"
    remedy = "place it by hand"
    zh = "文件没有说明相机朝向（云台偏航与俯仰）"
    zh_remedy = "请手工放置"


class HeightUnknown(YiwangError):
    code = "no_height"
    message = "the file does not say how high above the take-off point the camera was"
    remedy = "give the ground's elevation (--ground-m)"
    zh = "文件没有说明相机高出起飞点多少"
    zh_remedy = "请给出地面高程（--ground-m）"


class CameraUnknown(YiwangError):
    code = "no_focal_length"
    message = "the focal length in pixels of camera {model} is not known"
    remedy = "keep the picture's EXIF: copies from chat programs have lost it"
    zh = "相机 {model} 以像素计的焦距未知"
    zh_remedy = "请保留照片的 EXIF：聊天软件转发的副本会丢失"


_WORDS = {
    "wrong_extension": "the file is named {ending} and holds {kind}; it was read by its content",
    "truncated": "the picture has no end: it was cut short on its way — copy it from the card again",
    "too_many_pixels": "the picture has more pixels than any survey camera: only its tags were read",
    "xmp_damaged": "the XMP packet is damaged: it was read by the names in it",
    "attitude_all_zero": "gimbal yaw, pitch and roll are all nought on a turned aircraft: the firmware did not say",
    "camera_clock_wrong": "the camera's clock does not agree with the receiver's: the receiver's time was taken",
    "horizon_in_view": "the horizon is in view: the footprint ends {metres} m ahead",
    "shallow_angle": "the camera looked only {pitch}° down: points on the ground are vague",
    "turned_copy": "a program has turned this copy by 180°: found by comparing it with its neighbours",
    "telemetry_coded": "the telemetry track is coded (djmd): switch subtitles on, or place the film by hand",
}
_ZONE = "the camera's clock stands in the zone {zone}, which is not that of the place: the time in UTC is right"


def note(code: str, **data: Any) -> Note:
    """The sentence of a code with its values."""
    if code == "camera_clock_wrong" and "zone" in data:
        return Note(code, _ZONE.format(**data))
    return Note(code, _WORDS[code].format(**data))
