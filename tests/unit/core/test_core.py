"""Records, ids, settings, errors, clock and evidence files."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock
from core.errors import InputInvalid, MediaMissing, MediaTampered, RecordError, SettingsError, YiwangError
from core.ids import derived_id, new_id, partition, subject_token
from core.media import MediaStore
from core.records import EvidenceRef, GeoPoint, ModelRef, Observation, decode, encode
from core.settings import load_settings

NOW = datetime(2026, 6, 5, 7, 0, tzinfo=UTC)

text = st.text(max_size=30)
moments = st.datetimes(timezones=st.just(UTC))
observations = st.builds(
    Observation,
    observation_id=text,
    kind=text,
    state=st.sampled_from(["open", "clear", "measure"]),
    source_type=st.sampled_from(["camera", "device"]),
    source_id=text,
    observed_at=moments,
    received_at=moments,
    location=st.none() | st.builds(GeoPoint, lon=st.floats(-180, 180), lat=st.floats(-90, 90)),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    box=st.none() | st.tuples(*[st.floats(0, 1)] * 4),
    model=st.none() | st.builds(ModelRef, name=text, sha256=text),
    attributes=st.dictionaries(text, st.integers(-(2**53), 2**53) | text | st.booleans(), max_size=4),
)


@given(observations)
def test_an_observation_survives_the_wire(observation: Observation) -> None:
    assert decode(Observation, encode(observation)) == observation


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", b'{"kind": 1}', b"null"])
def test_bytes_that_are_no_record_are_a_typed_error(data: bytes) -> None:
    with pytest.raises(RecordError, match="Observation is not valid"):
        decode(Observation, data)


def test_derived_ids_depend_on_every_part_and_their_borders() -> None:
    assert derived_id("a", 1, NOW) == derived_id("a", 1, NOW)
    assert derived_id("ab", "c") != derived_id("a", "bc")
    assert derived_id("a", None) != derived_id("a")
    assert len(derived_id(b"\x00")) == 26
    assert derived_id("gb26875", 889, None) == "3pfc1wfpzpzpy5ps2sdkz50wht", "ids are kept for years"


def test_new_ids_are_unique_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert [i[:9] for i in ids] == sorted(i[:9] for i in ids)


@given(text, st.integers(1, 64))
def test_a_partition_is_stable_and_within_bounds(key: str, count: int) -> None:
    assert 0 <= partition(key, count) < count
    assert partition(key, count) == partition(key, count)


@given(text)
def test_a_subject_token_is_one_token(value: str) -> None:
    token = subject_token(value)
    assert token
    assert not set(token) & set(". *>\t\r\n")


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    env = {"YIWANG_DATA_DIR": str(tmp_path)}
    first, second = load_settings(env), load_settings(env)
    assert first.nats_token == second.nats_token
    assert len({first.nats_token, first.mqtt_password, first.mqtt_device_password, first.session_secret}) == 4
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert first.nats_token not in repr(first)
    assert load_settings({**env, "YIWANG_NATS_TOKEN": "given"}).nats_token == "given"


@pytest.mark.parametrize("value", ["", "x", "0", "70000", "8.5"])
def test_a_bad_port_names_the_setting_and_the_remedy(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({"YIWANG_DATA_DIR": str(tmp_path), "YIWANG_WEB_PORT": value})
    assert error.value.data["field"] == "YIWANG_WEB_PORT"
    assert "65535" in str(error.value)


def test_broken_secrets_are_said_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{broken")
    with pytest.raises(SettingsError, match=r"secrets\.json"):
        load_settings({"YIWANG_DATA_DIR": str(tmp_path)})
    assert (tmp_path / "secrets.json").read_text() == "{broken"


def test_an_error_carries_its_data_and_its_remedy() -> None:
    error = InputInvalid(field="limit", detail="is negative", how="give a number above 0")
    assert str(error) == "limit: is negative — give a number above 0"
    assert json.loads(json.dumps(error.as_dict()))["error"] == "input_invalid"
    assert error.as_dict()["field"] == "limit"
    assert isinstance(error, YiwangError)


def test_a_manual_clock_moves_only_forward() -> None:
    clock = ManualClock(NOW)
    clock.advance(90)
    assert clock.now() == NOW + timedelta(seconds=90)
    assert clock.monotonic() == 90
    with pytest.raises(ValueError, match="backwards"):
        clock.set(NOW)
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 1, 1))  # noqa: DTZ001


def _put(store: MediaStore, data: bytes) -> EvidenceRef:
    return store.put(data, kind="snapshot", media_type="image/jpeg", taken_at=NOW)


def test_evidence_is_sealed_and_stored_once(tmp_path: Path) -> None:
    store = MediaStore(str(tmp_path / "media"))
    ref = _put(store, b"picture")
    assert _put(store, b"picture") == ref
    assert store.get(ref) == b"picture"
    assert len([p for p in (tmp_path / "media").rglob("*") if p.is_file()]) == 1


def test_every_flipped_byte_of_evidence_is_found(tmp_path: Path) -> None:
    store = MediaStore(str(tmp_path))
    ref = _put(store, b"picture")
    file = tmp_path / ref.uri
    for position in range(len(b"picture")):
        damaged = bytearray(b"picture")
        damaged[position] ^= 1
        file.write_bytes(bytes(damaged))
        with pytest.raises(MediaTampered, match=ref.uri):
            store.get(ref)


@pytest.mark.parametrize("uri", ["../secrets.json", "/etc/passwd", "aa/none.jpg", "aa/../../x", "", "aa"])
def test_a_path_out_of_the_store_is_no_evidence(tmp_path: Path, uri: str) -> None:
    (tmp_path / "secrets.json").write_text("secret")
    (tmp_path / "media" / "aa").mkdir(parents=True)
    with pytest.raises(MediaMissing):
        MediaStore(str(tmp_path / "media")).read(uri)


def test_different_names_never_share_a_subject_token() -> None:
    names = ["mqtt:井盖一号", "mqtt:井盖二号", "mqtt:g.1", "mqtt:g_1", "mqtt:g 1", "", "_x", "."]
    assert len({subject_token(name) for name in names}) == len(names)
    assert subject_token("gb26875:889") == "gb26875:889"
