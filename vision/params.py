"""Types of the algorithms' parameters: what is out of range is refused when read; the camera editor knows the range."""

from __future__ import annotations

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=604_800.0)]  # up to a week
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]  # of a picture, of a zone, of certainty
