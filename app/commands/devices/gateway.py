"""Cameras behind a video gateway: list them, find ONVIF cameras, get a stream address or a picture, move one.

``gateway wvp --url http://10.0.0.5:18080 --user admin cameras --csv cameras.csv`` writes a table for
``python -m app import``.  The pass word (or ZLMediaKit's secret) is read from the environment, YIWANG_GATEWAY_PASSWORD.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.clock import SystemClock
from core.errors import InputInvalid
from ingest.gateways import onvif
from ingest.gateways.contract import GatewayCamera, StreamUrls
from ingest.gateways.wvp import Wvp
from ingest.gateways.zlm import Zlm

HELP = "cameras behind WVP-PRO, ZLMediaKit or ONVIF: list, stream address, picture, movement"
_PASSWORD = "YIWANG_GATEWAY_PASSWORD"  # noqa: S105 - the variable's name
_MOVES = ("left", "right", "up", "down", "upleft", "upright", "downleft", "downright", "zoomin", "zoomout", "stop")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    kinds = parser.add_subparsers(dest="kind", metavar="GATEWAY", required=True)
    for kind, what in (("wvp", "WVP-GB28181-pro"), ("zlm", "ZLMediaKit"), ("onvif", "ONVIF cameras themselves")):
        sub = kinds.add_parser(kind, help=what)
        sub.add_argument("--url", default="", help="base address; of an ONVIF camera its device service")
        sub.add_argument("--user", default="admin")
        sub.add_argument("--wait", type=float, default=3.0, help="seconds to wait for ONVIF cameras to answer")
        actions = sub.add_subparsers(dest="action", metavar="ACTION", required=True)
        listing = actions.add_parser("cameras", help="list cameras as JSON lines, or as a table for the importer")
        listing.add_argument("--csv", default="", help="write this file instead")
        stream = actions.add_parser("stream", help="stream addresses as JSON")
        stream.add_argument("camera", help="<device>/<channel> (wvp), RTSP address (zlm), profile or - (onvif)")
        if kind != "onvif":
            picture = actions.add_parser("snapshot", help="a JPEG")
            picture.add_argument("camera")
            picture.add_argument("--out", required=True)
        if kind == "wvp":
            move = actions.add_parser("ptz", help="begin a movement; stop ends it")
            move.add_argument("camera")
            move.add_argument("move", choices=_MOVES)


def run(args: argparse.Namespace) -> int:
    """Do it; errors of the gateway are one clear line and exit status 2."""
    if args.kind == "onvif":
        return asyncio.run(_onvif(args))
    return asyncio.run(_gateway(args))


async def _gateway(args: argparse.Namespace) -> int:
    async with _open(args) as gateway:
        if args.action == "cameras":
            _show(await gateway.cameras(), args.csv)
        elif args.action == "stream":
            _show_urls(await gateway.stream(args.camera))
        elif args.action == "snapshot":
            picture = await gateway.snapshot(args.camera)
            await asyncio.to_thread(Path(args.out).write_bytes, picture)
        elif isinstance(gateway, Wvp):
            await gateway.ptz(args.camera, args.move)
    return 0


@asynccontextmanager
async def _open(args: argparse.Namespace) -> AsyncIterator[Wvp | Zlm]:
    _need_url(args)
    password = os.environ.get(_PASSWORD, "")
    gateway = Wvp(args.url, args.user, password) if args.kind == "wvp" else Zlm(args.url, password, lambda url: url)
    try:
        yield gateway
    finally:
        await gateway.close()


def _need_url(args: argparse.Namespace) -> None:
    if not args.url.startswith(("http://", "https://")):
        raise InputInvalid(field="--url", detail=f"{args.url!r} is no address", how="give http://host:port")


async def _onvif(args: argparse.Namespace) -> int:
    if args.action == "cameras":
        found = await onvif.discover(args.wait)
        cameras = [
            GatewayCamera(camera_id=c.addresses[0], name=c.scope("name"), online=True, maker=c.scope("hardware"))
            for c in found
        ]
        _show(cameras, args.csv)
        return 0
    _need_url(args)
    camera = onvif.Onvif(args.url, args.user, os.environ.get(_PASSWORD, ""), SystemClock())
    try:
        profiles = await camera.profiles()
        token = args.camera if args.camera != "-" else profiles[0].token if profiles else ""
        _show_urls(StreamUrls(analysis=await camera.stream_uri(token), browser=""))
    finally:
        await camera.close()
    return 0


def _show_urls(urls: StreamUrls) -> None:
    print(json.dumps({"analysis": urls.analysis, "browser": urls.browser, "all": urls.all}, ensure_ascii=False))


def _show(cameras: list[GatewayCamera], path: str) -> None:
    rows = [
        {
            "camera_id": c.camera_id,
            "name": c.name,
            "online": c.online,
            "lon": c.location.lon if c.location else "",
            "lat": c.location.lat if c.location else "",
            "ptz": c.ptz,
            "maker": c.maker,
            "address": c.address,
        }
        for c in cameras
    ]
    if not path:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    names = ("camera_id", "name", "lon", "lat", "source", "attributes")
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for row in rows:
            kept = {k: row[k] for k in ("online", "ptz", "maker", "address")} | {"gateway_id": row["camera_id"]}
            key = "".join(ch if ch.isalnum() and ch.isascii() else "-" for ch in str(row["camera_id"]))[-40:].strip("-")
            base = {"camera_id": key, "source": "gateway", "attributes": json.dumps(kept, ensure_ascii=False)}
            writer.writerow(base | {k: row[k] for k in ("name", "lon", "lat")})
    print(f"{len(rows)} cameras written to {path}", file=sys.stderr)
