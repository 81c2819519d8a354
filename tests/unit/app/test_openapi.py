"""``python -m app openapi`` prints a valid OpenAPI 3.1 document and nothing else, whatever the data folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_alone_is_printed_and_valid(tmp_path: Path) -> None:
    env = {**os.environ, "YIWANG_DATA_DIR": str(tmp_path / "never-made"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "app", "openapi"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert "/api/cases" in document["paths"]
    assert not (tmp_path / "never-made").exists()
