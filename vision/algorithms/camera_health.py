"""Camera health (摄像机健康) as an algorithm of its own, for clips and for cameras with their own limits.

Every live camera has it without being told; naming it in a camera's configuration only changes its parameters.
"""

from __future__ import annotations

from core.plugins import About, Words
from core.records import Zone
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging.camera_health import CameraHealth, HealthParams
from vision.judging.findings import Need, Sight, VisionFinding
from vision.judging.zones import WHOLE

ABOUT = About(
    zh="摄像机异常",
    en="Camera fault",
    params={
        "offline_s": Words("离线（秒）", "Offline (s)"),
        "frozen_s": Words("画面冻结（秒）", "Frozen (s)"),
        "no_video_s": Words("无视频信号（秒）", "No video (s)"),
        "black_s": Words("黑屏（秒）", "Black (s)"),
        "over_exposed_s": Words("过曝（秒）", "Over-exposed (s)"),
        "covered_s": Words("遮挡（秒）", "Covered (s)"),
        "blurred_s": Words("模糊（秒）", "Blurred (s)"),
        "moved_s": Words("移位（秒）", "Moved (s)"),
        "wrong_clock_s": Words("时钟错误（秒）", "Wrong clock (s)"),
        "clock_error_s": Words("允许时钟误差（秒）", "Clock may be off by (s)"),
    },
    expert={
        "white_level": Words("过曝灰度", "Grey level of white"),
        "covered_share": Words("遮挡比例", "Share that is covered"),
        "blurred_share": Words("模糊比例", "Share that is blurred"),
        "moved_match": Words("移位匹配度", "Match below which it has moved"),
    },
)

Params = HealthParams


def build(params: HealthParams, zones: tuple[Zone, ...] = (), **_: object) -> CameraHealthAlgorithm:
    return CameraHealthAlgorithm(params)


class CameraHealthAlgorithm:
    """Needs no detector; zones mean nothing to it."""

    kind = "camera_health"
    needs: tuple[Need, ...] = ()
    pace = 0.0

    def __init__(self, params: HealthParams) -> None:
        self.health = CameraHealth(params)

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """Present while any fault stands."""
        faults = self.health.open_states
        return [Sight(WHOLE, bool(faults), detail=", ".join(faults) or "sees well")]

    def update(self, seen: Detections, frame: Frame, now: float) -> list[VisionFinding]:
        return self.health.update(frame, now)

    def restore(self, zone: str | None) -> None:
        """Its states have names, not zones: the live camera's health restores them itself."""

    def refresh(self) -> None:
        """It has no model."""
