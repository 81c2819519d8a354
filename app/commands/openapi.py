"""Print the OpenAPI 3.1 description of the REST interface: the document and nothing else, without a data folder."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile

HELP = "print the OpenAPI description of the REST interface"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--indent", type=int, default=2, help="spaces of indentation (default 2; 0: one line)")


def run(args: argparse.Namespace) -> int:
    from core.settings import load_settings
    from dashboard.factory import create_app
    from dashboard.openapi import document

    logging.disable(logging.CRITICAL)  # the document is for programs: nothing else is printed
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(load_settings({"YIWANG_DATA_DIR": folder}), pages=False)
        described = document(app)
        app.state.services.engine.dispose()
    json.dump(described, sys.stdout, ensure_ascii=False, indent=args.indent or None)
    sys.stdout.write("\n")
    return 0
