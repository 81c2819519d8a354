"""Bring the database to the newest schema (run does this by itself)."""

from __future__ import annotations

import argparse

from core.settings import load_settings
from storage.migrate import migrate

HELP = "bring the database to the newest schema"


def configure(parser: argparse.ArgumentParser) -> None:
    del parser


def run(args: argparse.Namespace) -> int:
    settings = load_settings()
    print(f"schema {migrate(settings.database_url)}")
    return 0
