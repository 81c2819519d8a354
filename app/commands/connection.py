"""Connections to other platforms: play one of the district's feeders, list what there is to begin with.

    python -m app connection simulate gas --port 8801
    python -m app connection simulate city-ai --push http://127.0.0.1:8090/push/city-ai --key KEY
    python -m app connection take-webhooks

A simulated platform speaks the real protocol on a real socket until it is interrupted; it prints as one JSON object
what must be typed on the page ``/connections``.  ``city-ai`` calls us instead, with the key of a webhook connection.
Names of starters (``gas-stations``) name their platform.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from core.errors import InputInvalid

HELP = "simulate the district's feeders; list the starters of connections; make connections of webhooks.json"
CALLERS = ("city-ai",)
OF_STARTERS = {
    "sanitation-vehicles": "sanitation", "sanitation-orders": "sanitation", "gas-stations": "gas",
    "emergency-command": "emergency", "city-ai-events": "city-ai", "hotline-orders": "hotline",
    "hotline-results": "hotline", "licence-verification": "licences",
}  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", required=True, metavar="simulate|starters|take-webhooks")
    play = commands.add_parser("simulate", help="play a platform until interrupted")
    play.add_argument("platform", help="all, sanitation, gas, emergency, hotline, licences or city-ai")
    play.add_argument("--host", default="127.0.0.1")
    play.add_argument("--port", type=int, default=0, help="0: a free one; of all: the first of several")
    play.add_argument("--orders", type=int, default=5, help="hotline: orders that wait")
    play.add_argument("--push", default="", metavar="URL", help="city-ai: our /push/ID address")
    play.add_argument("--key", default="", help="city-ai: the connection's key")
    play.add_argument("--every", type=float, default=5.0, metavar="SECONDS", help="city-ai: an event so often")
    play.add_argument("--seconds", type=float, default=0.0, help="end after so long; 0: when interrupted")
    commands.add_parser("starters", help="what a connection can begin with")
    commands.add_parser(
        "take-webhooks", help="make outgoing connections of an older webhooks.json (stop the worker first)"
    )


def run(args: argparse.Namespace) -> int:
    """0, also when interrupted."""
    if args.what == "starters":
        from ingest.connections.starter import starters

        for name, starter in starters().items():
            print(f"{name:<26} {starter['kind']:<8} {starter['title']['zh']} / {starter['title']['en']}")
        return 0
    if args.what == "take-webhooks":
        return _take_webhooks()
    args.platform = OF_STARTERS.get(args.platform, args.platform)
    if args.platform in CALLERS:
        return _call(args)
    return _serve(args)


def _take_webhooks() -> int:
    """0; 1 when a receiver stayed in the file."""
    from core.clock import SystemClock
    from core.settings import load_settings
    from events.notify.webhook_takeover import take_over
    from storage.session import make_engine

    settings = load_settings()
    taken = take_over(make_engine(settings.database_url), settings, SystemClock().now())
    for one in taken:
        said = one.problem or f"connection {one.connection_id}, {one.waiting} waiting deliveries went with it"
        print(f"{one.name}: {said}")
    if not taken:
        print("webhooks.json: nothing there")
    return int(any(one.problem for one in taken))


def _serve(args: argparse.Namespace) -> int:
    from contextlib import ExitStack

    from ingest.simulate.platforms.server import Platform

    wanted = _platforms(args.orders)
    if args.platform != "all" and args.platform not in wanted:
        known = ", ".join(("all", *wanted, *CALLERS))
        raise InputInvalid(field="platform", detail=f"{args.platform!r} is none", how=f"use one of {known}")
    names = list(wanted) if args.platform == "all" else [args.platform]
    with ExitStack() as open_ones:
        for number, name in enumerate(names):
            routes, typed = wanted[name]()
            port = args.port + number if args.port else 0
            try:
                there = open_ones.enter_context(Platform(routes, args.host, port))
            except OSError as error:
                detail = f"{args.host}:{port}: {error.strerror}"
                raise InputInvalid(field="port", detail=detail, how="name another one, or 0") from error
            addresses = [f"{there.url}{route.partition(' ')[2]}" for route in routes]
            print(json.dumps({"platform": name, "urls": addresses, **typed}, ensure_ascii=False), flush=True)
        _wait(args.seconds)
    return 0


def _platforms(orders: int) -> dict[str, Callable[[], tuple[dict[str, Any], dict[str, str]]]]:
    """Name → the platform's routes and what is typed for it."""
    from ingest.simulate.platforms import senders

    token = {"token": senders.TOKEN}
    application = {"app_id": senders.APP_ID, "app_secret": senders.APP_SECRET}

    def hotline() -> tuple[dict[str, Any], dict[str, str]]:
        waiting = [senders.hotline_order(n) for n in range(1, orders + 1)]
        return senders.HotlineCentre(waiting).routes(), application

    return {
        "sanitation": lambda: (senders.sanitation(), token),
        "gas": lambda: (senders.gas(), token),
        "emergency": lambda: (senders.emergency(), token),
        "hotline": hotline,
        "licences": lambda: (senders.licences(), {**application, "valid_licence": senders.licence_id("TEST1")}),
    }


def _call(args: argparse.Namespace) -> int:
    """Push events to ``--push`` with ``--key``; says what was answered."""
    import httpx

    from core.bounds import check_url
    from ingest.simulate.platforms import senders

    if not args.push or not args.key:
        raise InputInvalid(field="--push", detail="address and key are needed", how="make a key on /connections")
    check_url("--push", args.push)
    headers = {"Authorization": f"Bearer {args.key}"}
    end, step = time.monotonic() + args.seconds, 0
    with httpx.Client(timeout=15, trust_env=False) as client:
        while not step or not args.seconds or time.monotonic() < end:
            try:
                answer = client.post(args.push, json=senders.city_events(step), headers=headers)
                print(f"{answer.status_code} {answer.text[:200]}", flush=True)
            except httpx.HTTPError as error:
                print(f"{type(error).__name__} {error}", flush=True)
            step += 1
            time.sleep(args.every)
    return 0


def _wait(seconds: float) -> None:
    end = time.monotonic() + seconds
    while not seconds or time.monotonic() < end:
        time.sleep(0.2)
