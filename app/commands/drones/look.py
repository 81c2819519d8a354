"""Looks at the pictures of one flight; the worker calls it, by hand it looks at what failed."""

from __future__ import annotations

import argparse

HELP = "look for vehicles, flame, smoke and rubbish in a flight's pictures"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("flight", help="the flight's id (GET /api/drone/flights)")
    parser.add_argument(
        "--early", action="store_true", help="its files still arrive: no mosaic, not the newest"
    )


def run(args: argparse.Namespace) -> int:
    """0 also when there was nothing to look at."""
    from app import logs
    from core.clock import SystemClock
    from core.errors import NotFound
    from core.media import MediaStore
    from core.settings import load_settings
    from dashboard.drones.flight_layers import compare, make_layer, mosaic_file
    from dashboard.drones.looking import FlightLook
    from dashboard.drones.mosaics import Laid
    from storage.aerial import AerialStore
    from storage.drones import DroneStore
    from storage.session import make_engine
    from vision.aerial.sights import AerialEyes

    settings = load_settings()
    logs.configure(settings.log_level)
    engine = make_engine(settings.database_url)
    looker = FlightLook(
        AerialStore(engine), DroneStore(engine), MediaStore(settings.media_url), SystemClock(), AerialEyes()
    )
    try:
        flights = DroneStore(engine).flights()
        flight = next((f for f in flights if f.flight_id == args.flight), None)
        if flight is None:
            raise NotFound(what="flight", key=args.flight)

        def made(laid: Laid) -> None:
            make_layer(settings, flight, laid)
            if mosaic_file(settings, flight.flight_id).is_file():
                compare(settings, flight, flights)

        looked = looker.early(args.flight) if args.early else looker.flight(args.flight, made)
        print(f"{looked} pictures looked at")
    finally:
        engine.dispose()
    return 0
