"""Settings from the environment (``YIWANG_*``), read once by the command that runs."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path

from core import plugins
from core.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that may differ between two installations.

    Ports are TCP.  ``subject_prefix`` separates a drill from the live city ("" live, "drill.x." drill).
    """

    data_dir: Path
    database_url: str
    nats_url: str  # without credentials; those are in ``nats_token``
    nats_token: str = field(repr=False)
    nats_embedded: bool  # True: app/run.py starts nats-server from its wheel
    nats_port: int
    mqtt_host: str
    mqtt_port: int
    mqtt_user: str  # ingest's own MQTT account
    mqtt_password: str = field(repr=False)
    mqtt_device_user: str  # account for devices (may only publish below sensors/)
    mqtt_device_password: str = field(repr=False)
    broker_secret: str = field(repr=False)  # signs what the broker is told about devices
    media_url: str  # fsspec URL or path of the evidence store
    web_host: str
    web_port: int
    public_url: str
    panel_host: str  # the address on which devices of TCP protocols connect
    ingest_http_port: int
    session_secret: str = field(repr=False)
    records_key: str = field(repr=False)  # encrypts identity numbers and telephones in the registers
    nats_ca: str = ""  # PEM file of the authority that signed the bus's certificates; "": no TLS to the bus
    mqtt_shared_account: bool = True  # False: devices need a credential of their own
    mqtt_tls_cert: str = ""  # the MQTT listener speaks TLS with this certificate …
    mqtt_tls_key: str = ""
    mqtt_tls_client_ca: str = ""  # … and asks clients for one of this authority
    allow: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # listener: networks that may connect
    partitions: int = 8
    subject_prefix: str = ""
    nats_replicas: int = 1  # copies of each stream: 3 on a three-node cluster
    district: str = "220105"
    camera: str = ""  # YIWANG_CAMERA: one's own camera, added in one step
    log_level: str = "INFO"
    vision_capacity: int = 256  # cameras one vision worker takes at most; a busy one stops before that
    patrol_every_s: int = 0  # seconds from one patrol's start to the next's; 0: no patrols
    disk_reserve_mb: int = 0  # kept free for alarms: uploads are refused below it; 0: 5 % of the disk, at most 5 GB
    trusted_proxies: str = ""  # addresses and networks whose X-Forwarded-For is believed
    camera_networks: str = ""  # networks that a camera's web address may lead to; "": all but our own machine's
    connection_networks: str = ""  # private networks that connections to other platforms may lead to
    allowed_hosts: str = ""  # names by which browsers may call us, with commas; "": any
    media_keep_days: int = 0  # evidence of cases closed longer than this goes; 0: it stays for good
    ports: Mapping[str, int] = field(default_factory=dict)  # YIWANG_…_PORT as set, for sources that listen
    audit_sm2: bool = False  # anchors of the audit log are signed with SM2, too
    separate_admins: bool = False  # system, security and audit administrators are three people
    outside_port: int = 8640  # of the outside door
    outside_host: str = "127.0.0.1"
    outside_url: str = ""
    outside_secret: str = field(default="", repr=False)  # makes the codes that the outside door hands out
    outside_nats_token: str = field(default="", repr=False)  # its narrow account on the bus
    outside_keep_days: int = 180  # what people sent in goes this long after it was answered
    drone_push_url: str = ""  # where controllers push their live picture: rtmp://host:1935/live/{name}
    drone_play_url: str = ""  # where it is read from: rtsp://user:password@host:8554/live/{name}
    dji_app_id: str = ""  # of developer.dji.com; "": Pilot's licence is not checked
    dji_app_key: str = field(default="", repr=False)
    dji_app_license: str = field(default="", repr=False)
    nodeodm_url: str = ""  # of a photogrammetry node (NodeODM, NodeODX); "": no survey-grade products
    nodeodm_token: str = field(default="", repr=False)
    drone_ntp: str = ""  # the time server that docks are told, reachable from the field; "": they keep their own
    drone_keep_days: int = 0  # drone files that nothing rests on go after this; 0: they stay
    drone_bucket: str = ""  # s3://name/prefix: what controllers and docks upload
    drone_bucket_endpoint: str = ""  # "" is AWS; http://host:9000, reachable from the field
    drone_bucket_region: str = "us-east-1"
    drone_bucket_provider: str = "aws"  # as the controller is told: aws, minio, ali
    drone_bucket_key: str = ""
    drone_bucket_secret: str = field(default="", repr=False)
    video_past_s: int = 30  # seconds kept in memory of each camera that somebody watches; 0: nothing
    wvp_url: str = ""  # WVP-GB28181-pro, by which cameras of GB/T 28181 are moved
    wvp_user: str = "admin"
    wvp_password: str = field(default="", repr=False)
    vision_blur: str = ""  # "faces", "plates" or both with a comma: made unrecognisable in evidence pictures

    @property
    def tiles_dir(self) -> Path:
        return self.data_dir / "tiles"

    @property
    def disks(self) -> list[Path]:
        """The local folders that we write to, each perhaps on a disk of its own: data, evidence, SQLite."""
        folders = [self.data_dir]
        media = self.media_url.removeprefix("file://")
        if "://" not in media:
            folders.append(Path(media))
        if self.database_url.startswith("sqlite:///"):
            folders.append(Path(self.database_url.removeprefix("sqlite:///")).parent)
        return [folder for folder in dict.fromkeys(folders) if folder.is_dir()] or [self.data_dir]

    def source_port(self, kind: str) -> int:
        """The port on which devices of source ``kind`` connect: as set, else the plug-in's own."""
        about = plugins.about("source", kind)
        return self.ports.get(about.variable(kind), about.port)

    def with_(self, **changes: object) -> Settings:
        """A copy with ``changes``."""
        return replace(self, **changes)  # type: ignore[arg-type]


def listeners() -> list[str]:
    """What devices connect to; ``YIWANG_<LISTENER>_ALLOW`` names who may."""
    tcp = [kind for kind in plugins.titles("source", "en") if plugins.about("source", kind).transport == "tcp"]
    return ["mqtt", "ingest_http", *tcp]


def data_dir(env: Mapping[str, str] | None = None) -> Path:
    """The installation's data folder (``YIWANG_DATA_DIR``)."""
    env = os.environ if env is None else env
    return Path(env.get("YIWANG_DATA_DIR", "var")).expanduser().resolve()


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``env`` (default ``os.environ``); secrets are generated on first use.

    Generated secrets are kept in ``<data_dir>/secrets.json`` (mode 600).
    """
    env = os.environ if env is None else env
    folder = data_dir(env)
    vault = _Secrets(folder / "secrets.json", env)
    nats_port = _port(env, "YIWANG_NATS_PORT", 8622)
    web_port = _port(env, "YIWANG_WEB_PORT", 8600)
    nats_url = env.get("YIWANG_NATS_URL", "")
    return Settings(
        data_dir=folder,
        database_url=env.get("YIWANG_DATABASE_URL", f"sqlite:///{folder / 'yiwang.db'}"),
        nats_url=nats_url or f"nats://127.0.0.1:{nats_port}",
        nats_token=vault.get("nats_token"),
        nats_embedded=not nats_url,
        nats_port=nats_port,
        mqtt_host=env.get("YIWANG_MQTT_HOST", "127.0.0.1"),
        mqtt_port=_port(env, "YIWANG_MQTT_PORT", 8623),
        mqtt_user="yiwang-ingest",
        mqtt_password=vault.get("mqtt_password"),
        mqtt_device_user="device",
        mqtt_device_password=vault.get("mqtt_device_password"),
        broker_secret=vault.get("broker_secret"),
        mqtt_shared_account=_whole(env, "YIWANG_MQTT_SHARED", 1, 0, 1) == 1,
        nats_ca=_file(env, "YIWANG_NATS_CA"),
        mqtt_tls_cert=_file(env, "YIWANG_MQTT_TLS_CERT"),
        mqtt_tls_key=_file(env, "YIWANG_MQTT_TLS_KEY"),
        mqtt_tls_client_ca=_file(env, "YIWANG_MQTT_TLS_CLIENT_CA"),
        allow={name: found for name in listeners() if (found := _networks(env, f"YIWANG_{name.upper()}_ALLOW"))},
        media_url=env.get("YIWANG_MEDIA_URL", str(folder / "media")),
        web_host=env.get("YIWANG_WEB_HOST", "127.0.0.1"),
        web_port=web_port,
        public_url=env.get("YIWANG_PUBLIC_URL", f"http://127.0.0.1:{web_port}").rstrip("/"),
        panel_host=env.get("YIWANG_PANEL_HOST", "127.0.0.1"),
        ingest_http_port=_port(env, "YIWANG_INGEST_HTTP_PORT", 8630),
        session_secret=vault.get("session_secret"),
        records_key=vault.get("records_key"),
        partitions=_whole(env, "YIWANG_PARTITIONS", 8, 1, 256),
        subject_prefix=env.get("YIWANG_SUBJECT_PREFIX", ""),
        nats_replicas=_whole(env, "YIWANG_NATS_REPLICAS", 1, 1, 5),
        district=env.get("YIWANG_DISTRICT", "220105"),
        camera=env.get("YIWANG_CAMERA", ""),
        log_level=env.get("YIWANG_LOG_LEVEL", "INFO").upper(),
        ports={name: _port(env, name, 0) for name in env if re.fullmatch(r"YIWANG_\w+_PORT", name)},
        audit_sm2=_whole(env, "YIWANG_AUDIT_SM2", 0, 0, 1) == 1,
        separate_admins=_whole(env, "YIWANG_SEPARATE_ADMINS", 0, 0, 1) == 1,
        outside_port=(outside_port := _port(env, "YIWANG_OUTSIDE_PORT", 8640)),
        outside_host=env.get("YIWANG_OUTSIDE_HOST", "127.0.0.1"),
        outside_url=env.get("YIWANG_OUTSIDE_URL", f"http://127.0.0.1:{outside_port}").rstrip("/"),
        outside_secret=vault.get("outside_secret"),
        outside_nats_token=vault.get("outside_nats_token"),
        outside_keep_days=_whole(env, "YIWANG_OUTSIDE_KEEP_DAYS", 180, 1, 36500),
        vision_blur=env.get("YIWANG_VISION_BLUR", ""),
        dji_app_id=env.get("YIWANG_DJI_APP_ID", ""),
        dji_app_key=env.get("YIWANG_DJI_APP_KEY", ""),
        dji_app_license=env.get("YIWANG_DJI_APP_LICENSE", ""),
        nodeodm_url=env.get("YIWANG_NODEODM_URL", ""),
        nodeodm_token=env.get("YIWANG_NODEODM_TOKEN", ""),
        drone_ntp=env.get("YIWANG_DRONE_NTP", ""),
        drone_keep_days=_whole(env, "YIWANG_DRONE_KEEP_DAYS", 0, 0, 36500),
        drone_bucket=env.get("YIWANG_DRONE_BUCKET", ""),
        drone_bucket_endpoint=env.get("YIWANG_DRONE_BUCKET_ENDPOINT", ""),
        drone_bucket_region=env.get("YIWANG_DRONE_BUCKET_REGION", "us-east-1"),
        drone_bucket_provider=env.get("YIWANG_DRONE_BUCKET_PROVIDER", "aws"),
        drone_bucket_key=env.get("YIWANG_DRONE_BUCKET_KEY", ""),
        drone_bucket_secret=env.get("YIWANG_DRONE_BUCKET_SECRET", ""),
        drone_push_url=env.get("YIWANG_DRONE_PUSH_URL", ""),
        drone_play_url=env.get("YIWANG_DRONE_PLAY_URL", ""),
        video_past_s=_whole(env, "YIWANG_VIDEO_PAST_S", 30, 0, 120),
        wvp_url=env.get("YIWANG_WVP_URL", ""),
        wvp_user=env.get("YIWANG_WVP_USER", "admin"),
        wvp_password=env.get("YIWANG_WVP_PASSWORD", ""),
        vision_capacity=_whole(env, "YIWANG_VISION_CAPACITY", 256, 1, 10000),
        disk_reserve_mb=_whole(env, "YIWANG_DISK_RESERVE_MB", 0, 0, 10_000_000),
        trusted_proxies=env.get("YIWANG_TRUSTED_PROXIES", ""),
        camera_networks=env.get("YIWANG_CAMERA_NETWORKS", ""),
        connection_networks=env.get("YIWANG_CONNECTION_NETWORKS", ""),
        allowed_hosts=env.get("YIWANG_ALLOWED_HOSTS", ""),
        media_keep_days=_whole(env, "YIWANG_MEDIA_KEEP_DAYS", 0, 0, 36500),
        patrol_every_s=_whole(env, "YIWANG_PATROL_EVERY_S", 0, 0, 7 * 86400),
    )


def outside_variables(settings: Settings) -> dict[str, str]:
    """All that the outside door's process is told: no folder, no database, no secret of the inside."""
    return {
        "YIWANG_OUTSIDE_HOST": settings.outside_host,
        "YIWANG_OUTSIDE_PORT": str(settings.outside_port),
        "YIWANG_OUTSIDE_URL": settings.outside_url or f"http://127.0.0.1:{settings.outside_port}",
        "YIWANG_OUTSIDE_SECRET": settings.outside_secret,
        "YIWANG_OUTSIDE_NATS_URL": settings.nats_url,
        "YIWANG_OUTSIDE_NATS_TOKEN": settings.outside_nats_token,
        "YIWANG_OUTSIDE_PREFIX": settings.subject_prefix,
        "YIWANG_OUTSIDE_LOG_LEVEL": settings.log_level,
    }


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    return _whole(env, name, default, 1, 65535)


def _whole(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, str(default))
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise SettingsError(
            field=name,
            detail=f"{text!r} is not a whole number from {low} to {high}",
            how=f"set {name} to such a number",
        )
    return value


def _file(env: Mapping[str, str], name: str) -> str:
    """The path of a file that must be there; "" when it is not set."""
    text = env.get(name, "")
    if text and not Path(text).is_file():
        raise SettingsError(field=name, detail=f"there is no file {text!r}", how="give the path of a PEM file")
    return text


def _networks(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Addresses and networks, separated by commas or blanks."""
    found = tuple(env.get(name, "").replace(",", " ").split())
    for text in found:
        try:
            ip_network(text, strict=False)
        except ValueError as error:
            how = "write addresses and networks with commas: 10.8.0.0/16,10.9.1.4"
            raise SettingsError(field=name, detail=str(error), how=how) from error
    return found


class _Secrets:
    """Secrets from the environment, else from the file, else made now and kept."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self._path = path
        self._env = env
        try:
            self._kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        except (OSError, ValueError) as error:
            raise SettingsError(
                field=str(path), detail=str(error), how="make the file readable, or delete it to have new secrets made"
            ) from error

    def get(self, name: str) -> str:
        given = self._env.get(f"YIWANG_{name.upper()}")
        if given:
            return given
        if name not in self._kept:
            self._kept[name] = secrets.token_urlsafe(24)
            self._write()
        return self._kept[name]

    def _write(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial = self._path.with_suffix(f".{os.getpid()}")
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(self._kept, file, indent=1)
            partial.replace(self._path)
        except OSError as error:
            raise SettingsError(
                field="YIWANG_DATA_DIR", detail=str(error), how="choose a folder with space that you may write to"
            ) from error
