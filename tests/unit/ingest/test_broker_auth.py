"""Who may connect over MQTT, with which client id, and what he may publish; filters within a session's budget."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from core.records import DeviceConfig
from core.settings import Settings, load_settings
from ingest.broker_auth import Asked, BrokerGate, Denied, Granted, subjects
from ingest.mapping import Mapping, read_mapping
from ingest.nkeys import Issuer, claims_of
from ingest.registry import DeviceRegistry
from ingest.transports.limits import AllowList
from ingest.transports.mqtt_topics import BUDGET, HeldTopics, cost, covers, sessions

TOKEN = "a-token-that-only-g1-knows"  # noqa: S105 - a test's
HASH = hashlib.sha256(TOKEN.encode()).hexdigest()
PUMPS = read_mapping({
    "name": "pumps", "topic": "city/pumps/{station}/up", "device": "{station}",
    "values": [{"path": "a", "quantity": "a"}],
})  # fmt: skip
FOREIGN = msgspec.structs.replace(PUMPS, name="x", topic="read/{a}/b", device="{a}")


def gate(settings: Settings, mappings: tuple[Mapping, ...] = (PUMPS, FOREIGN), **attributes: object) -> BrokerGate:
    registry = DeviceRegistry()
    registry.put(DeviceConfig(
        device_id="mqtt:g1", source="mqtt", address="g1", status="accepted",
        attributes={"token_sha256": HASH, **attributes},
    ), "device.g1")  # fmt: skip
    registry.put(DeviceConfig(device_id="mqtt:g2", source="mqtt", address="g2"), "device.g2")
    return BrokerGate(settings, registry, lambda: mappings)


def asked(user: str = "g1", password: str = TOKEN, client_id: str = "g1", address: str = "10.0.0.5") -> Asked:
    return Asked(user, password, client_id, address)


def code(verdict: Granted | Denied) -> str:
    return verdict.code if isinstance(verdict, Denied) else ""


def test_a_device_publishes_on_its_own_topics_only(settings: Settings) -> None:
    granted = gate(settings, mqtt_topics=["zigbee2mqtt/#", "$SYS/x"]).judge(asked())
    assert isinstance(granted, Granted) and granted.device_id == "mqtt:g1"
    assert granted.publish == ("sensors/g1", "sensors/g1/#", "zigbee2mqtt/#", "city/pumps/g1/up")
    assert granted.subscribe == ("commands/g1/#",)


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (asked(password="wrong"), "unauthorised"),
        (asked(user="g2", password=""), "unauthorised"),
        (asked(user="g2"), "unauthorised"),
        (asked(user="nobody"), "unauthorised"),
        (asked(client_id="g2"), "foreign_client_id"),
        (asked(client_id="yiwang-ingest"), "foreign_client_id"),
        (asked(user="mqtt:g1", client_id="mqtt:g1"), ""),
        (asked(client_id=""), ""),
    ],
)
def test_user_password_and_client_id(settings: Settings, who: Asked, why: str) -> None:
    assert code(gate(settings).judge(who)) == why


def test_the_shared_account_may_use_neither_our_client_ids_nor_those_of_devices_with_a_credential(
    settings: Settings,
) -> None:
    def shared(client_id: str, password: str = settings.mqtt_device_password) -> Granted | Denied:
        return gate(settings).judge(asked(settings.mqtt_device_user, password, client_id))

    granted = shared("whatever")
    assert isinstance(granted, Granted) and granted.publish == ("sensors/#", "city/pumps/+/up")
    assert code(shared("g2")) == ""
    for client_id in ("yiwang-ingest", "yiwang-ingest-2", "drill-x-yiwang-ingest", "g1", "mqtt:g1"):
        assert code(shared(client_id)) == "foreign_client_id"
    assert code(shared("whatever", "wrong")) == "unauthorised"
    off = settings.with_(mqtt_shared_account=False)
    assert code(gate(off).judge(asked(settings.mqtt_device_user, settings.mqtt_device_password, "w"))) == (
        "shared_account_off"
    )


def test_only_addresses_on_the_list_connect(settings: Settings) -> None:
    closed = gate(settings.with_(allow={"mqtt": ("10.8.0.0/16",)}))
    assert code(closed.judge(asked())) == "not_allowed"
    assert code(closed.judge(asked(address="10.8.3.4"))) == ""


@pytest.mark.parametrize(
    ("networks", "address", "admitted"),
    [((), "1.2.3.4", True), (("10.0.0.0/8",), "10.1.1.1", True), (("10.0.0.0/8",), "11.1.1.1", False),
     (("10.0.0.7",), "::ffff:10.0.0.7", True), (("fd00::/8",), "fd00::1%eth0", True), (("10.0.0.0/8",), "?", False)],
)  # fmt: skip
def test_allow_lists(networks: tuple[str, ...], address: str, admitted: bool) -> None:
    assert AllowList(networks).admits(address) is admitted


def test_allow_lists_and_certificates_are_checked_when_the_settings_are_read(tmp_path: Path) -> None:
    env = {"YIWANG_DATA_DIR": str(tmp_path)}
    found = load_settings(env | {"YIWANG_HJ212_ALLOW": "10.8.0.0/16, 10.9.1.4"})
    assert found.allow == {"hj212": ("10.8.0.0/16", "10.9.1.4")}
    for wrong in ({"YIWANG_MQTT_ALLOW": "10.8.0.300"}, {"YIWANG_MQTT_TLS_CERT": "/nowhere.pem"}):
        with pytest.raises(SettingsError):
            load_settings(env | wrong)


def test_filters_as_subjects() -> None:
    assert subjects(["sensors/#", "a/+/b", "x.y/z", "/lead"]) == ["sensors", "sensors.>", "a.*.b", "x//y.z", "/.lead"]


def test_a_token_of_ours_can_be_read_back() -> None:
    issuer = Issuer("secret")
    assert issuer.public == Issuer("secret").public != Issuer("other").public
    assert issuer.public[0] == "A" and len(issuer.public) == 56
    assert claims_of(issuer.sign("U1", {"type": "user"}))["sub"] == "U1"


TOPICS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "+"]), min_size=1, max_size=3).flatmap(
        lambda levels: st.sampled_from(["/".join(levels), "/".join([*levels, "#"])])
    ),
    max_size=80,
)


@given(TOPICS)
def test_every_topic_is_in_one_session_within_its_budget(topics: list[str]) -> None:
    groups = sessions(topics, budget=5)
    held = [topic for group in groups for topic in group]
    assert all(sum(map(cost, group)) <= 5 for group in groups)
    assert all(any(covers(other, topic) for other in held) for topic in topics)
    assert not any(covers(a, b) for a in held for b in held if a != b)


def test_the_budget_is_the_brokers() -> None:
    assert sessions(["sensors/#", *[f"city/{n}/+/up" for n in range(20)]])[1:] == []
    assert len(sessions([f"city/{n}/#" for n in range(40)])) == -(-80 // (BUDGET - BUDGET % 2))


def test_topics_that_nobody_wants_any_more_are_given_back(tmp_path: Path) -> None:
    held = HeldTopics(tmp_path / "x" / "mqtt.json")
    assert held.exchange({"i": ("a", "b"), "i-2": ("c",)}) == {}
    assert held.exchange({"i": ("a",)}) == {"i": ("b",), "i-2": ("c",)}
    assert held.exchange({"i": ("a",)}) == {"i": ("b",), "i-2": ("c",)}  # that start may have been cut off
    assert held.exchange({"i": ("a", "b")}) == {"i-2": ("c",)}
