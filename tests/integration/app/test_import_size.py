"""A hundred thousand rows by the command line: every problem once, within the time and memory of a small machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 100_000
LIMIT_MB, LIMIT_CPU_S = 300, 30.0
# The child measures itself: getrusage of children would also count those of other tests.
MEASURED = """
import json, resource, sys
from app.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as end:
    status = end.code
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([status, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime]), file=sys.stderr)
"""


@pytest.mark.long
def test_a_hundred_thousand_rows(tmp_path: Path) -> None:
    folder = tmp_path / "city"
    folder.mkdir()
    (folder / "city.yaml").write_text("code: '220105'\nname: 二道区\n", encoding="utf-8")
    (folder / "divisions.csv").write_text("code,name\n220105,二道区\n", encoding="utf-8")
    with (folder / "sites.csv").open("w", encoding="utf-8") as file:
        file.write("site_id,name,kind,address,lon,lat\n")
        for k in range(ROWS):
            lon = "north" if k % 100 == 7 else f"{125.3 + k % 997 / 9970:.6f}"
            file.write(f"n{k},点{k},well,东盛大街 {k} 号,{lon},43.85\n")
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "import", str(folder), "--no-tiles", "--json"],
        env=os.environ | {"YIWANG_DATA_DIR": str(tmp_path / "data")}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    status, memory_mb, cpu_s = json.loads(done.stderr.strip().splitlines()[-1])
    report = json.loads(done.stdout.strip().splitlines()[-1])
    assert status == 1 and report["tables"]["sites"] == ROWS - ROWS // 100
    assert [p["row"] for p in report["problems"]] == list(range(9, ROWS + 2, 100))
    assert memory_mb <= LIMIT_MB and cpu_s <= LIMIT_CPU_S
