"""Writes the next migration from the tables' state: ``python scripts/migration.py "what changes"``."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from storage.migrate import migrate, new_revision

with tempfile.TemporaryDirectory() as folder:
    url = f"sqlite:///{folder}/scratch.db"
    migrate(url)
    new_revision(url, sys.argv[1])
