"""Typed errors of vision."""

from __future__ import annotations

from core.errors import YiwangError


class ModelMissing(YiwangError):
    code = "model_missing"
    message = "model file {path} does not exist"
    remedy = "put the weights there, or name another file in the camera's algorithm parameters"
    zh = "模型文件 {path} 不存在"
    zh_remedy = "请把权重放到那里，或在摄像机的算法参数中写别的文件"


class ModelInvalid(YiwangError):
    code = "model_invalid"
    message = "model file {path} cannot be used: {detail}"
    remedy = "export it again (ultralytics: format=onnx), or restore it from the release"
    zh = "模型文件 {path} 不能使用：{detail}"
    zh_remedy = "请重新导出（ultralytics：format=onnx），或从发布包恢复"


class ClassMissing(YiwangError):
    code = "class_missing"
    message = "algorithm {kind!r} needs the classes {wanted}, model {model} knows {known}"
    remedy = "choose a model that was trained on these classes"
    zh = "算法 {kind!r} 需要类别 {wanted}，模型 {model} 认得的是 {known}"
    zh_remedy = "请选用按这些类别训练的模型"


class StreamFailed(YiwangError):
    code = "stream_failed"
    message = "{url} gives no pictures: {detail}"
    remedy = "check the address, the camera's power and network, and its user and password"
    zh = "{url} 没有画面：{detail}"
    zh_remedy = "请检查地址、摄像机的电源与网络、用户名和密码"


class ClipInvalid(YiwangError):
    code = "clip_invalid"
    message = "clip {path}: {detail}"
    remedy = "give a video file that ffmpeg can decode"
    zh = "视频 {path}：{detail}"
    zh_remedy = "请给 ffmpeg 能解码的视频文件"


class ZoneInvalid(YiwangError):
    code = "zone_invalid"
    message = "zone {zone!r}: {detail}"
    remedy = "give at least three corners as x,y in 0…1 of the picture"
    zh = "区域 {zone!r}：{detail}"
    zh_remedy = "至少三个顶点，x,y 为画面的 0…1"
