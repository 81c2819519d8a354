"""The bill of materials names every locked package once, with where it comes from."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.sbom import HERE, bill


def test_every_locked_package_is_named() -> None:
    found = bill()
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    locked = re.findall(r"^([A-Za-z0-9._-]+)==", Path(HERE / "requirements/runtime.txt").read_text(), re.M)
    named = [part["name"] for part in found["components"] if part["purl"].startswith("pkg:pypi/")]
    assert sorted(named) == sorted(locked)
    references = [part["bom-ref"] for part in found["components"]]
    assert len(references) == len(set(references))
    assert any(part["purl"].startswith("pkg:npm/") for part in found["components"])
    assert bill() == found
