"""What gateways say, judged and remembered: topology, poses, live streams, alarms.  Pure: no socket, no clock.

A message is taken from a registered gateway (device ``dji:SN``, accepted) or from an aircraft that is registered and
belongs to the gateway that it names.  Everything else is refused with a code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.errors import YiwangError
from core.records import DeviceConfig
from core.settings import Settings
from ingest.drones.dji import events, osd, topology
from ingest.drones.dji.envelope import NotAuthorised, data_of, device_of, parse, reply
from ingest.drones.live import requests
from ingest.drones.live.view import live_view

SOURCE = "dji"
MOST_AIRCRAFT = 2000
_MOST_STREAMS = 64


class GatewayUnknown(YiwangError):
    code = "gateway_unknown"
    message = "{sn} is no gateway that is registered and accepted"
    remedy = "register the controller or dock on the page of devices"
    zh = "{sn} 不是已登记并接受的网关"
    zh_remedy = "请在设备页登记遥控器或机场"


class AircraftUnknown(YiwangError):
    code = "aircraft_unknown"
    message = "aircraft {sn} behind {gateway} is not registered and accepted"
    remedy = "accept it on the page of devices and name its gateway"
    zh = "{gateway} 之后的飞行器 {sn} 未登记或未接受"
    zh_remedy = "请在设备页接受它，并注明其网关"


@dataclass(frozen=True, slots=True)
class GatewayRefusal:
    """A message that was refused: ``device_id`` is where it is counted and shown."""

    code: str
    detail: str
    device_id: str


@dataclass(slots=True)
class Heard:
    """What one message led to: answers as (topic, payload), poses, aircraft that are new or gone, and the rest."""

    replies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    poses: list[dict[str, Any]] = field(default_factory=list)
    alive: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    refused: list[GatewayRefusal] = field(default_factory=list)
    found: list[tuple[str, str, str]] = field(default_factory=list)  # serial number, gateway, model key
    alarms: tuple[str, list[dict[str, Any]]] | None = None
    media: dict[str, Any] | None = None
    answered: dict[str, Any] | None = None
    weather: tuple[str, dict[str, float]] | None = None
    storage: tuple[str, str, dict[str, Any]] | None = None  # who asks for the bucket; topic and payload of its reply


def device_id(sn: str) -> str:
    """The registry's id of a serial number."""
    return f"{SOURCE}:{sn}"


def gateways_of(device: DeviceConfig) -> tuple[str, ...]:
    """Which gateways may speak for an aircraft (``attributes.gateways``)."""
    named = device.attributes.get("gateways")
    return tuple(str(sn) for sn in named) if isinstance(named, list) else ()


class Fleet:
    """``known``: the registry's look-up by device id."""

    def __init__(self, known: Callable[[str], DeviceConfig | None], settings: Settings | None = None) -> None:
        self._known, self._settings = known, settings
        self.behind: dict[str, list[str]] = {}  # gateway → aircraft that it announced and that we know
        self.poses: dict[str, dict[str, Any]] = {}
        self.streams: dict[str, list[str]] = {}  # aircraft → video ids that its gateway offers
        self.live: dict[str, bool] = {}

    def take(self, topic: str, payload: bytes | str) -> Heard:
        """Judge one message; typed errors are refusals, never raised."""
        heard = Heard()
        sn = ""
        try:
            sn, rest = device_of(topic)
            message = parse(topic, payload)
            handler = {
                "osd": self._osd, "state": self._state, "status": self._status, "events": self._event,
                "requests": self._request, "services_reply": self._answered, "property/set_reply": self._answered,
            }.get(rest)  # fmt: skip
            if handler is not None:
                handler(topic, sn, message, heard)
        except YiwangError as error:
            heard.refused.append(GatewayRefusal(error.code, str(error), device_id(sn) if sn else ""))
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            detail = f"{topic[:120]}: cannot be read ({type(error).__name__})"
            heard.refused.append(GatewayRefusal("message_unreadable", detail, device_id(sn)))
        return heard

    # who speaks -----------------------------------------------------------
    def _accepted(self, sn: str) -> DeviceConfig | None:
        device = self._known(device_id(sn))
        return device if device is not None and device.status == "accepted" else None

    def _gateway(self, sn: str) -> DeviceConfig:
        device = self._accepted(sn)
        if device is None or device.device_type not in ("drone_controller", "drone_dock"):
            raise GatewayUnknown(sn=sn[:64])
        return device

    def _speaker(self, sn: str, gateway: str) -> DeviceConfig:
        """The device of a telemetry topic; its gateway may speak for it."""
        device = self._accepted(sn)
        if device is None:
            raise AircraftUnknown(sn=sn[:64], gateway=gateway[:64])
        if gateway not in (sn, *gateways_of(device)):
            raise NotAuthorised(user=gateway[:64], device=sn[:64])
        return device

    # topics ---------------------------------------------------------------
    def _osd(self, topic: str, sn: str, message: dict[str, Any], heard: Heard) -> None:
        device = self._speaker(sn, str(message.get("gateway") or sn))
        said = osd.of_message(sn, message)
        heard.alive.append(device.device_id)
        if said["device_class"] == "dock":
            values = {"temperature_c": said.get("temperature_c"), "wind_speed_ms": said.get("wind_ms"),
                      "humidity_pct": said.get("humidity")}  # fmt: skip
            heard.weather = (device.device_id, {k: float(v) for k, v in values.items() if v is not None})
        elif said["device_class"] == "aircraft":
            before = self.poses.get(sn, {})
            pose = live_view(device, said, before)
            pose["live"] = self.live.get(sn, False)
            if sn in self.poses or len(self.poses) < MOST_AIRCRAFT:
                self.poses[sn] = pose
                heard.poses.append(pose)

    def _state(self, topic: str, sn: str, message: dict[str, Any], heard: Heard) -> None:
        self._speaker(sn, str(message.get("gateway") or sn))
        data = data_of(message)
        capacity = data.get("live_capacity")
        for offered in _rows(capacity, "device_list"):
            owner = str(offered.get("sn") or sn)
            ids = [
                f"{owner}/{camera.get('camera_index')}/{video.get('video_index')}"
                for camera in _rows(offered, "camera_list") for video in _rows(camera, "video_list")
            ]  # fmt: skip
            self.streams[owner] = ids[:_MOST_STREAMS]
        for stream in _rows(data, "live_status"):
            owner = str(stream.get("video_id") or "").partition("/")[0]
            if owner:
                self.live[owner] = stream.get("status") in (1, 2) and not stream.get("error_status")

    def _status(self, topic: str, sn: str, message: dict[str, Any], heard: Heard) -> None:
        gateway = self._gateway(sn)
        heard.alive.append(gateway.device_id)
        if message.get("method") != "update_topo":
            return
        said = topology.update(topic, message, self.behind.get(sn, []))
        allowed: list[str] = []
        for announced in said["online"]:
            device = self._accepted(announced["sn"])
            if device is None:
                error: YiwangError = AircraftUnknown(sn=announced["sn"], gateway=sn)
                heard.found.append((announced["sn"], sn, announced["model_key"]))
            elif sn not in gateways_of(device):
                error = NotAuthorised(user=sn, device=announced["sn"])
            else:
                allowed.append(announced["sn"])
                heard.alive.append(device.device_id)
                continue
            heard.refused.append(GatewayRefusal(error.code, str(error), gateway.device_id))
        heard.gone = [other for other in self.behind.get(sn, []) if other not in allowed]
        for other in heard.gone:
            self.poses.pop(other, None)
        self.behind[sn] = allowed
        heard.replies.append((said["reply"]["topic"], said["reply"]["payload"]))

    def _event(self, topic: str, sn: str, message: dict[str, Any], heard: Heard) -> None:
        gateway = self._gateway(sn)
        heard.alive.append(gateway.device_id)
        said = events.event(topic, message)
        if said["method"] == "hms":
            heard.alarms = (gateway.device_id, said["alarms"])
        elif said["method"] == "file_upload_callback":
            heard.media = said
        if said["reply"] is not None:
            heard.replies.append((said["reply"]["topic"], said["reply"]["payload"]))

    def _request(self, topic: str, sn: str, message: dict[str, Any], heard: Heard) -> None:
        """Always answered: a dock waits about 40 s for each missing reply before it takes off."""
        heard.alive.append(self._gateway(sn).device_id)
        method = str(message.get("method", ""))
        answer = reply(topic, message)
        if method == requests.STORAGE:
            heard.storage = (sn, answer["topic"], answer["payload"])
            return
        said = requests.answered(method, data_of(message), self._settings, lambda one: self._accepted(one) is not None)
        heard.replies.append((answer["topic"], {**answer["payload"], "data": said}))

    def _answered(self, topic: str, sn: str, message: dict[str, Any], heard: Heard) -> None:
        self._gateway(sn)
        data = data_of(message)
        heard.answered = {
            "gateway": sn, "tid": str(message.get("tid") or ""), "method": str(message.get("method") or ""),
            "result": data.get("result"), "output": data.get("output"),
        }  # fmt: skip

    def gateway_of(self, sn: str) -> str:
        """Over which gateway an aircraft is reached now; "" when over none."""
        return next((gateway for gateway, behind in self.behind.items() if sn in behind), "")


def _rows(value: Any, name: str) -> list[dict[str, Any]]:
    rows = value.get(name) if isinstance(value, dict) else None
    return [row for row in rows if isinstance(row, dict)][:200] if isinstance(rows, list) else []
