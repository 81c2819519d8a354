"""Typed errors of vision."""

from __future__ import annotations

from core.errors import YiwangError


class ModelMissing(YiwangError):
    code = "model_missing"
    message = "model file {path} does not exist"
    remedy = "put the weights there, or name another file in the camera's algorithm parameters"


class ModelInvalid(YiwangError):
    code = "model_invalid"
    message = "model file {path} cannot be used: {detail}"
    remedy = "export it again (ultralytics: format=onnx), or restore it from the release"


class ClassMissing(YiwangError):
    code = "class_missing"
    message = "algorithm {kind!r} needs the classes {wanted}, model {model} knows {known}"
    remedy = "choose a model that was trained on these classes"


class StreamFailed(YiwangError):
    code = "stream_failed"
    message = "{url} gives no pictures: {detail}"
    remedy = "check the address, the camera's power and network, and its user and password"


class ClipInvalid(YiwangError):
    code = "clip_invalid"
    message = "clip {path}: {detail}"
    remedy = "give a video file that ffmpeg can decode"


class ZoneInvalid(YiwangError):
    code = "zone_invalid"
    message = "zone {zone!r}: {detail}"
    remedy = "give at least three corners as x,y in 0…1 of the picture"
