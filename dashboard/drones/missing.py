"""What nobody looks for in pictures from above, said where findings are shown."""

from __future__ import annotations

from core.plugins import Words

NOT_LOOKED_FOR = Words(
    "不会自动识别：建筑垃圾、占道（没有可用的模型），请人工画框补充。积水由图像比对得出，需人工确认。",
    "Not looked for by itself: construction waste and blocked lanes (no model exists); draw them by hand. Water is "
    "found by comparing pictures and waits for a person.",
)
