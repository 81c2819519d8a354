"""What an import of a layer did, in the shape that ``layers import --json`` prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.tables.problem import Problem, Problems


@dataclass
class LayerReport:
    """``features`` taken and ``refused``; ``crs`` and ``encoding`` of the file; ``bbox`` in WGS 84."""

    layer: str
    kind: str = ""
    features: int = 0
    refused: int = 0
    crs: str = ""
    encoding: str = ""
    bbox: list[float] | None = None
    problems: Problems = field(default_factory=Problems)

    @property
    def exit_status(self) -> int:
        """0: taken as it is; 1: taken, with problems; 2: nothing taken."""
        if not self.features:
            return 2
        return 1 if len(self.problems) else 0

    def as_dict(self) -> dict[str, Any]:
        """``{"layer", "kind", "features", "refused", "crs", "encoding", "bbox", "problems": [{"feature", …}]}``.

        ``feature`` counts from 1; null: the file itself.
        """
        return {
            "layer": self.layer,
            "kind": self.kind,
            "features": self.features,
            "refused": self.refused,
            "crs": self.crs,
            "encoding": self.encoding,
            "bbox": self.bbox,
            "problems": [_problem(p) for p in self.problems],
        }


def _problem(problem: Problem) -> dict[str, Any]:
    what = f"{problem.field}: {problem.what}" if problem.field not in {"", "geometry", "crs"} else problem.what
    return {"feature": problem.row or None, "what": what, "remedy": problem.remedy}
