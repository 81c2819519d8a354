"""Simulated DJI controllers with aircraft: Cloud API 1.x messages over MQTT, as Pilot 2 and docks send them."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
import time
import uuid
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from core.errors import InputInvalid
from core.settings import Settings

log = logging.getLogger("yiwang.simulate")

HELP = "DJI controllers with aircraft (Cloud API over MQTT)"
_RADIUS_M, _METRES = 150.0, 111_320.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the controllers."""
    parser.add_argument("--gateway", required=True, help="serial number of the controller; with --user and --password")
    parser.add_argument("--user", help="the broker's user; default dji:GATEWAY")
    parser.add_argument("--password", required=True, help="as the page of devices showed it once")
    parser.add_argument("--aircraft", nargs="+", required=True, metavar="SN", help="serial numbers behind it")
    parser.add_argument("--host", help="default: the MQTT broker of the settings")
    parser.add_argument("--port", type=int)
    parser.add_argument("--lon", type=float, default=125.3712)
    parser.add_argument("--lat", type=float, default=43.8708)
    parser.add_argument("--hz", type=float, default=0.5, help="telemetry messages a second and aircraft")
    parser.add_argument("--seconds", type=float, default=0.0, help="end after so long; 0: fly on")


def envelope(gateway: str, method: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message as devices send it."""
    head = {"tid": str(uuid.uuid4()), "bid": str(uuid.uuid4()), "timestamp": int(time.time() * 1000)}
    return {**head, "gateway": gateway, **({"method": method} if method else {}), "data": data, **more}


def telemetry(gateway: str, number: int, at_s: float, lon: float, lat: float) -> dict[str, Any]:
    """OSD of an aircraft that circles at 60 m and looks down at 60°."""
    angle = at_s / 20 + number
    east, north = (_RADIUS_M + 20 * number) * math.sin(angle), (_RADIUS_M + 20 * number) * math.cos(angle)
    head = (math.degrees(angle) + 90 + 180) % 360 - 180
    data = {
        "latitude": lat + north / _METRES, "longitude": lon + east / (_METRES * math.cos(math.radians(lat))),
        "height": 274.3, "elevation": 60.0, "attitude_head": round(head, 1), "attitude_pitch": 0, "attitude_roll": 0,
        "horizontal_speed": 7.5, "vertical_speed": 0, "mode_code": 5, "gear": 1, "track_id": f"sim-{number}",
        "battery": {"capacity_percent": 80, "remain_flight_time": 1200},
        "position_state": {"is_fixed": 0, "quality": 5, "gps_number": 22, "rtk_number": 0},
        "67-0-0": {"gimbal_pitch": -60.0, "gimbal_roll": 0, "gimbal_yaw": round(head, 1), "zoom_factor": 1.0},
    }  # fmt: skip
    return envelope(gateway, "", data)


class SimulatedController:
    """One controller: connects, announces its aircraft, answers services."""

    def __init__(self, host: str, port: int, gateway: str, user: str, password: str, aircraft: list[str]) -> None:
        self.gateway, self.aircraft = gateway, aircraft
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.codes: list[str] = []
        self.result = 0  # what services are answered with
        self.mute = False
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"{gateway}-pilot")
        self._client.username_pw_set(user, password)
        self._client.on_connect = self._connected
        self._client.on_message = self._message
        self._client.reconnect_delay_set(1, 5)
        self._client.connect_async(host, port)
        self._client.loop_start()

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self.codes.append(str(code))
        if code != 0:
            return
        own = f"thing/product/{self.gateway}"
        down = ("services", "events_reply", "requests_reply")
        client.subscribe([(f"sys/product/{self.gateway}/status_reply", 1), *((f"{own}/{part}", 1) for part in down)])
        self.announce(self.aircraft)

    def announce(self, aircraft: list[str]) -> None:
        """``update_topo`` with these aircraft, and what they can stream."""
        subs = [{"sn": sn, "domain": "0", "type": 77, "sub_type": 1, "index": "A"} for sn in aircraft]
        data = {"domain": "2", "type": 144, "sub_type": 0, "thing_version": "1.1.2", "sub_devices": subs}
        self.send(f"sys/product/{self.gateway}/status", envelope(self.gateway, "update_topo", data))
        video = [{"video_index": "normal-0", "video_type": "wide"}]
        devices = [{"sn": sn, "camera_list": [{"camera_index": "67-0-0", "video_list": video}]} for sn in aircraft]
        state = envelope(self.gateway, "", {"live_capacity": {"device_list": devices}})
        self.send(f"thing/product/{self.gateway}/state", state)

    def send(self, topic: str, body: dict[str, Any]) -> None:
        """Publish with QoS 1."""
        self._client.publish(topic, json.dumps(body), qos=1)

    def _message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        body = json.loads(message.payload)
        self.received.append((message.topic, body))
        del self.received[:-1000]
        if message.topic.endswith("/services") and not self.mute:
            same = {name: body[name] for name in ("tid", "bid", "method")}
            answer = {**same, "timestamp": int(time.time() * 1000), "data": {"result": self.result, "output": {}}}
            self.send(message.topic + "_reply", answer)

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()


async def run(args: argparse.Namespace, settings: Settings, stop: asyncio.Event) -> dict[str, Any]:
    """Fly until ``stop`` or the end; ``{"messages", "connected"}``."""
    if not 0 < args.hz <= 30:
        raise InputInvalid(field="--hz", detail=f"{args.hz} is out of range", how="give 0.1 … 30")
    controller = SimulatedController(
        args.host or settings.mqtt_host, args.port or settings.mqtt_port, args.gateway,
        args.user or f"dji:{args.gateway}", args.password, args.aircraft,
    )  # fmt: skip
    began, sent = time.monotonic(), 0
    try:
        while not stop.is_set() and (not args.seconds or time.monotonic() - began < args.seconds):
            for number, sn in enumerate(args.aircraft):
                body = telemetry(args.gateway, number, time.monotonic() - began, args.lon, args.lat)
                controller.send(f"thing/product/{sn}/osd", body)
                sent += 1
            try:
                await asyncio.wait_for(stop.wait(), 1 / args.hz)
            except TimeoutError:
                continue
    finally:
        controller.close()
    return {"messages": sent, "connected": "Success" in controller.codes, "answers": len(controller.received)}
