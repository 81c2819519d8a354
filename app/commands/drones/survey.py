"""Works on the survey of one flight that somebody asked for; the worker calls it."""

from __future__ import annotations

import argparse

HELP = "have a photogrammetry node (NodeODM) make a flight's orthophoto that somebody asked for"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("flight", help="the flight's id (GET /api/drone/flights)")


def run(args: argparse.Namespace) -> int:
    """0 done, cancelled or nothing to do, 1 failed (the reason is printed and kept)."""
    from app import logs
    from core.media import MediaStore
    from core.settings import load_settings
    from dashboard.drones.surveying import SurveyRun
    from storage.drones import DroneStore
    from storage.session import make_engine

    settings = load_settings()
    logs.configure(settings.log_level)
    engine = make_engine(settings.database_url)
    try:
        state = SurveyRun(settings, DroneStore(engine), MediaStore(settings.media_url), args.flight).run()
    finally:
        engine.dispose()
    print("nothing to do" if state is None else f"{state.state} {state.message}".strip())
    return 1 if state is not None and state.state == "failed" else 0
