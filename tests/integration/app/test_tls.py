"""TLS on the inside with an authority of one's own: the bus's production file and PostgreSQL; nobody else gets in."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.nats import nats_binary
from core.bus import connect
from core.errors import BusUnavailable
from core.settings import Settings
from ingest.nkeys import Issuer
from tests.conftest import free_port

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    folder = tmp_path_factory.mktemp("certs")
    for name in ("ours", "theirs"):
        subprocess.run([str(ROOT / "deploy/certificates.sh"), str(folder / name)], check=True, capture_output=True)
    return folder


@pytest.fixture
def bus(settings: Settings, certs: Path, tmp_path: Path) -> Iterator[Settings]:
    ports = {name: free_port() for name in ("client", "monitor", "cluster", "mqtt")}
    env = {
        **os.environ,
        "NATS_NODE": "nats-1",
        "NATS_LISTEN": f"127.0.0.1:{ports['client']}",
        "NATS_MONITOR": f"127.0.0.1:{ports['monitor']}",
        "NATS_CLUSTER_LISTEN": f"127.0.0.1:{ports['cluster']}",
        "NATS_MQTT_LISTEN": f"127.0.0.1:{ports['mqtt']}",
        "NATS_STORE": str(tmp_path / "store"),
        "NATS_ROUTE_PASSWORD": "route-secret",
        "NATS_ADMIN_PASSWORD": "admin-secret",
        "NATS_CERT": str(certs / "ours/nats-1/cert.pem"),
        "NATS_KEY": str(certs / "ours/nats-1/key.pem"),
        "NATS_CA": str(certs / "ours/ca/ca.pem"),
        "YIWANG_NATS_TOKEN": settings.nats_token,
        "YIWANG_MQTT_PASSWORD": settings.mqtt_password,
        "YIWANG_BROKER_ISSUER": Issuer(settings.broker_secret).public,
        **{f"NATS_ROUTE_{n}": f"nats://route:route-secret@127.0.0.1:{ports['cluster']}" for n in (1, 2, 3)},
    }
    command = [nats_binary(), "-c", str(ROOT / "deploy/nats-tls.conf")]
    with (tmp_path / "nats.log").open("wb") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    yield settings.with_(nats_url=f"nats://127.0.0.1:{ports['client']}", nats_embedded=False)
    server.kill()
    server.wait(10)


def test_the_bus_is_reached_with_the_right_authority_alone(bus: Settings, certs: Path) -> None:
    async def reach(authority: str, wait_s: float) -> bool:
        reached = await connect(bus.with_(nats_ca=authority), "test", wait_s=wait_s)
        encrypted = reached.client._transport._io_writer.get_extra_info("ssl_object") is not None  # type: ignore[union-attr]
        await reached.client.close()
        return encrypted

    assert asyncio.run(reach(str(certs / "ours/ca/ca.pem"), 30))
    for wrong in (str(certs / "theirs/ca/ca.pem"), ""):
        with pytest.raises(BusUnavailable):
            asyncio.run(reach(wrong, 1))


def test_the_two_files_of_the_bus_differ_in_tls_alone() -> None:
    plain, tls = ((ROOT / "deploy" / name).read_text().splitlines()[1:] for name in ("nats.conf", "nats-tls.conf"))
    assert [line for line in tls if "tls {" not in line] == plain
    assert sum("tls {" in line for line in tls) == 2


@pytest.fixture
def database(certs: Path) -> Iterator[str]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if not found:
        pytest.skip("no PostgreSQL server on this machine (apt-get install postgresql postgresql-postgis)")
    data = Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
    user = {}
    for name in ("cert.pem", "key.pem"):
        shutil.copy(certs / "ours/postgres" / name, data / name)
        (data / name).chmod(0o600)
    if os.geteuid() == 0:
        user = {"user": "postgres", "group": "postgres", "cwd": "/"}
        for path in (data, *data.iterdir()):
            shutil.chown(path, "postgres", "postgres")
    run = [str(found[-1]), "-D", str(data / "db"), "-U", "yiwang", "-A", "trust", "-E", "UTF8", "--no-locale"]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL, **user)  # type: ignore[call-overload]
    port = free_port()
    tls = ["-c", "ssl=on", "-c", f"ssl_cert_file={data}/cert.pem", "-c", f"ssl_key_file={data}/key.pem"]
    command = [str(found[-1].parent / "postgres"), "-D", str(data / "db"), "-p", str(port), "-h", "127.0.0.1", *tls]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([*command, "-k", ""], **quiet, **user)  # type: ignore[call-overload]
    ready = [str(found[-1].parent / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-q"]
    deadline = time.monotonic() + 60
    while subprocess.run(ready, check=False).returncode and time.monotonic() < deadline:
        time.sleep(0.05)
    yield f"postgresql://yiwang@localhost:{port}/postgres?sslmode=verify-full&hostaddr=127.0.0.1"
    server.terminate()
    server.wait(20)
    shutil.rmtree(data, ignore_errors=True)


def test_the_database_is_reached_with_the_right_authority_alone(database: str, certs: Path) -> None:
    with psycopg.connect(f"{database}&sslrootcert={certs}/ours/ca/ca.pem") as connection:
        row = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert row == (True,)
    with pytest.raises(psycopg.OperationalError, match="certificate"):
        psycopg.connect(f"{database}&sslrootcert={certs}/theirs/ca/ca.pem")
