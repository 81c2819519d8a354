"""How served people rate (好差评) and how a hotline is counted (三率)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from core.errors import InputInvalid

RATINGS = {1: "非常满意", 2: "满意", 3: "基本满意", 4: "不满意", 5: "非常不满意"}  # GB/T 39046-2020 满意度
_SATISFIED = frozenset({"非常满意", "满意", "基本满意"})


@dataclass(frozen=True, slots=True)
class Rating:
    """A satisfaction code with its name, the stars (5 − code + 1: the two scales run against each other)."""

    code: int
    name: str
    stars: int
    bad: bool


def rating_of(code: int) -> Rating:
    """The rating with the standard's ``code`` 1 … 5; 4 and 5 are bad."""
    if isinstance(code, bool) or code not in RATINGS:
        raise InputInvalid(field="code", detail=f"{code!r} is not a satisfaction code", how="give 1 … 5")
    return Rating(code, RATINGS[code], 6 - code, code >= 4)


def rate(part: float, whole: float, places: int = 2) -> float | None:
    """Percent of ``part`` in ``whole``, rounded half up; None ("—") when there is nothing to divide by."""
    if not whole:
        return None
    exact = Decimal(str(part)) * 100 / Decimal(str(whole))
    return float(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def hotline_rates(orders: Iterable[Mapping[str, Any]]) -> dict[str, float | None]:
    """响应率, 解决率, 满意率 of hotline orders (project rule, standards/11 §5).

    ``orders``: ``contacted`` (within the limit), ``resolved`` (解决, 部分解决, 未解决, None: not asked or answered),
    ``satisfied``, ``excluded`` (a reason).  Excluded orders leave both sides; partly solved is not solved.
    """
    counted = [o for o in orders if not o.get("excluded")]
    resolved = [o["resolved"] for o in counted if o.get("resolved")]
    satisfied = [o["satisfied"] for o in counted if o.get("satisfied")]
    return {
        "response": rate(sum(o.get("contacted") is True for o in counted), len(counted)),
        "resolution": rate(sum(r == "解决" for r in resolved), len(resolved)),
        "satisfaction": rate(sum(s in _SATISFIED for s in satisfied), len(satisfied)),
    }
