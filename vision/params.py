"""Types of the algorithms' parameters: what is out of range is refused when read; the camera editor knows the range."""

from __future__ import annotations

from typing import Annotated

import msgspec

from core.plugins import Words

Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=604_800.0)]  # up to a week
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]  # of a picture, of a zone, of certainty

WORDS: dict[str, Words] = {
    "after_s": Words("持续多久报警（秒）", "Must last (s)"),
    "classes": Words("目标类别", "Classes"),
    "clear_after_s": Words("消失多久解除（秒）", "Gone for (s) to clear"),
    "confidence": Words("检测置信度", "Confidence"),
    "learn_s": Words("学习时间（秒）", "Learning time (s)"),
    "limit": Words("数量达到", "Number from"),
    "min_area": Words("最小面积比例", "Smallest share of picture"),
    "passed": Words("其后驶过几辆才算（排除红灯）", "Others that must have passed (red light)"),
    "person_confidence": Words("人员置信度", "Confidence: person"),
    "share": Words("比例", "Share"),
}
"""Names of the parameters that several algorithms have; an algorithm's own stand in its ``ABOUT``."""

EXPERT: dict[str, Words] = {
    "blink_s": Words("容许漏检（秒）", "May be missed for (s)"),
    "detector": Words("检测器", "Detector"),
    "detector_params": Words("检测器参数", "Detector's parameters"),
    "hysteresis": Words("解除余量", "Margin to clear"),
    "max_people": Words("最多看几人", "People looked at, at most"),
    "min_height": Words("人的最小高度（占画面）", "Smallest height of a person (share)"),
    "min_hits": Words("至少几次", "Hits at least"),
    "patience_s": Words("遮挡后等待（秒）", "Waits when hidden (s)"),
    "still_iou": Words("视为静止的重叠度", "Overlap that counts as still"),
    "window_s": Words("统计时窗（秒）", "Window (s)"),
}
"""The same of parameters that a form folds away."""
