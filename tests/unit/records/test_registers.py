"""Registers: what is stored, found, shown, corrected, merged and visited."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pypinyin
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from core.clock import ManualClock
from core.errors import Forbidden, InputInvalid
from core.language.syllables import syllable
from core.sealing import Seal, SealBroken, comparable_number
from core.tables.safe_cells import safe_cell
from records.registers import ordering
from records.registers.access import visible_records
from records.registers.corrections import ValueRefused, decide, propose
from records.registers.definition import RegisterInvalid, parse_register, shipped_registers
from records.registers.disclosure import export_csv, restrict, unmask
from records.registers.generating import generate, rows
from records.registers.merging import find_duplicates, merge, unmerge
from records.registers.naming import grams, searched, spelled
from records.registers.ordering import SeenKeys
from records.registers.preparing import masked
from records.registers.search import Query, count, page
from records.registers.storing import RecordChanged, change_record, history, values_of
from records.registers.visits import counts_per_cell, due_visits, visit
from storage.session import read_scope, session_scope
from storage.tables.records import RecordAccess, RecordDuplicate, RecordLink, RegisterRecord
from tests.unit.records.registry import (
    ADMIN,
    AROUND,
    CLERK,
    COMMUNITIES,
    GRID,
    NOW,
    PERSON,
    REGISTERS,
    SEAL,
    TODAY,
    Chain,
    csv_of,
    fresh,
    origin,
    people,
    preparer,
    take,
)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return fresh(tmp_path)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    assert take(engine, csv_of(people(300))).created == 300
    return engine


def test_every_shipped_register_is_complete() -> None:
    wanted = {"person", "household", "building", "enterprise", "project", "network_line", "network_device", "licence"}
    wanted |= {"policy", "duty", "credit_commitment", "media_account", "emergency_stock", "special_place"}
    assert wanted <= set(shipped_registers())
    for register in shipped_registers().values():
        assert all(field.zh and field.en for field in register.fields)
        assert register.zh and register.en


@pytest.mark.parametrize(
    "change",
    [
        {"key": ["nothing"]},
        {"facets": ["nothing"]},
        {"title": "nothing"},
        {"fields": [{"name": "a", "zh": "甲", "en": "a", "type": "nothing"}]},
        {"fields": [{"name": "a", "zh": "甲", "en": "a"}, {"name": "a", "zh": "乙", "en": "b"}]},
        {"fields": [{"name": "a", "zh": "甲", "en": "a", "type": "choice"}]},
        {"unknown": 1},
    ],
)
def test_a_wrong_definition_names_its_field(change: dict[str, object]) -> None:
    body = {
        "id": "x",
        "zh": "甲",
        "en": "x",
        "title": "a",
        "key": ["a"],
        "fields": [{"name": "a", "zh": "甲", "en": "a"}],
    }
    parse_register(body)
    with pytest.raises(RegisterInvalid):
        parse_register({**body, **change})


def test_numbers_are_nowhere_in_the_database_in_plain(filled: Engine, tmp_path: Path) -> None:
    first = people(1)[0]
    body = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("records.db*")))
    assert first["id_number"].encode() not in body
    assert first["phone"].encode() not in body
    assert first["name"].encode() in body


def test_a_sealed_value_opens_with_its_key_and_record_only() -> None:
    sealed = SEAL.seal("a", {"phone": "1"})
    assert SEAL.open("a", sealed) == {"phone": "1"}
    for seal, record, body in [(Seal("another key, long"), "a", sealed), (SEAL, "b", sealed), (SEAL, "a", sealed[:-1])]:
        with pytest.raises(SealBroken):
            seal.open(record, body)


@given(st.text("0123456789 -+()", min_size=3, max_size=20))
def test_a_telephone_is_compared_without_signs(number: str) -> None:
    digits = "".join(c for c in number if c.isdigit())
    assert comparable_number("phone", number) == comparable_number("phone", digits)


def test_a_person_is_found_by_name_pinyin_initials_and_number(filled: Engine) -> None:
    with read_scope(filled) as session:
        for record in page(session, Query("person", limit=12, offset=100), SEAL):
            hidden = SEAL.open(record.record_id, record.sealed)
            for words in (
                record.name,
                record.pinyin,
                hidden["id_number"],
                hidden["id_number"].lower(),
                hidden["phone"],
            ):
                found = page(session, Query("person", words, limit=200), SEAL)
                assert record.record_id in {r.record_id for r in found}, words
            near = page(session, Query("person", record.initials, limit=200), SEAL)
            assert record.record_id in {r.record_id for r in near}
        assert page(session, Query("person", "99999999999"), SEAL) == []
        assert page(session, Query("person", "%"), SEAL) == []


def test_a_firm_is_found_by_any_two_neighbouring_characters(engine: Engine) -> None:
    register = REGISTERS["enterprise"]
    take(engine, csv_of(list(rows(register, COMMUNITIES, 12)), register), register)
    with read_scope(engine) as session:
        for record in page(session, Query("enterprise", limit=60), SEAL):
            for at in range(len(record.name) - 2):
                found = page(session, Query("enterprise", record.name[at : at + 2], limit=200), SEAL)
                assert record.record_id in {r.record_id for r in found}


def test_pages_of_a_search_neither_repeat_nor_lose(filled: Engine) -> None:
    with read_scope(filled) as session:
        whole = [r.record_id for r in page(session, Query("person", "w", limit=200), SEAL)]
        parts = [
            r.record_id
            for at in range(0, len(whole), 7)
            for r in page(session, Query("person", "w", offset=at, limit=7), SEAL)
        ]
        assert parts == whole
        assert len(set(whole)) == len(whole) == count(session, Query("person", "w"), SEAL)


def test_filters_agree_with_a_look_at_every_record(filled: Engine) -> None:
    lines = people(300)
    with read_scope(filled) as session:
        for division in ("220105", "220105002", COMMUNITIES[3][0]):
            for care in ((), ("none",), ("disabled", "elderly_alone")):
                query = Query("person", division=division, facet_b=care, limit=200)
                expected = [p for p in lines if p["division"].startswith(division) and (not care or p["care"] in care)]
                assert count(session, query, SEAL) == len(expected)
                found = [r.name for r in page(session, query, SEAL)]
                assert found == sorted(p["name"] for p in expected)[:200]


def test_rights_follow_roles_division_and_department(filled: Engine) -> None:
    with read_scope(filled) as session:

        def seen(actor: object) -> set[str]:
            sql = select(RegisterRecord.division_code).where(visible_records(actor, REGISTERS))  # type: ignore[arg-type]
            return set(session.scalars(sql))

        assert seen(ADMIN) == {code for code, _, _ in COMMUNITIES}
        assert seen(GRID) == {GRID.division_code}
        assert seen(CLERK) == set()


def test_masked_values_show_the_least(filled: Engine) -> None:
    with read_scope(filled) as session:
        record = page(session, Query("person", limit=1), SEAL)[0]
        values = values_of(record, SEAL)
        shown = masked(PERSON, values, names=True)
    assert shown["id_number"].count("*") == 16
    assert shown["phone"][3:7] == "****"
    assert shown["name"][1:] == "*" * (len(values["name"]) - 1)
    assert shown["address"] == values["address"]


def test_unmasking_needs_right_and_reason_and_leaves_a_link(filled: Engine) -> None:
    chain = Chain()
    with session_scope(filled) as session:
        record = page(session, Query("person", limit=1), SEAL)[0]
        for actor, reason in ((CLERK, "走访核实"), (ADMIN, " ")):
            with pytest.raises((Forbidden, InputInvalid)):
                unmask(session, record, PERSON, ["phone"], reason, actor, origin(), SEAL, chain)
        with pytest.raises(InputInvalid):
            unmask(session, record, PERSON, ["address"], "走访核实", ADMIN, origin(), SEAL, chain)
        assert chain.links == []
        values = unmask(session, record, PERSON, ["phone"], "走访核实", GRID, origin("grid"), SEAL, chain)
        assert values == {"phone": SEAL.open(record.record_id, record.sealed)["phone"]}
    assert chain.links[0][1] == "record_unmask"
    assert values["phone"] not in str(chain.links)
    with read_scope(filled) as session:
        assert session.scalar(select(func.count()).select_from(RecordAccess)) == 1


def test_a_change_keeps_the_history_per_field_and_refuses_a_stale_one(filled: Engine) -> None:
    with session_scope(filled) as session:
        record = page(session, Query("person", limit=1), SEAL)[0]
        old = values_of(record, SEAL)
        changes = {"phone": "12099998888", "address": "新址1号", "nation": old["nation"]}
        assert change_record(session, record, changes, preparer(), PERSON, SEAL, origin(), record.version) == [
            "phone",
            "address",
        ]
    with session_scope(filled) as session:
        changed = session.get_one(RegisterRecord, record.record_id)
        assert changed.version == 2
        assert values_of(changed, SEAL)["address"] == "新址1号"
        lines = history(session, changed, PERSON, SEAL)
        assert {line["field"] for line in lines} == {"phone", "address", ""}
        secret = next(line for line in lines if line["field"] == "phone")
        assert secret["hidden"] and secret["old"] is None and secret["new"] is None
        assert page(session, Query("person", "12099998888"), SEAL)[0].record_id == record.record_id
        assert page(session, Query("person", old["phone"]), SEAL) == []
        with pytest.raises(RecordChanged):
            change_record(session, changed, {"address": "x"}, preparer(), PERSON, SEAL, origin(), 1)


def test_a_correction_is_asked_once_decided_by_another_and_checked(filled: Engine) -> None:
    with session_scope(filled) as session:
        record = page(session, Query("person", limit=1), SEAL)[0]
        for _ in range(2):
            asked = propose(
                session, "r1", record, PERSON, {"phone": "12011112222"}, "换号", AROUND, SEAL, origin("grid")
            )
        assert asked.state == "open"
        with pytest.raises(ValueRefused):
            propose(session, "r2", record, PERSON, {"id_number": "1"}, "", AROUND, SEAL, origin("grid"))
        with pytest.raises(ValueRefused):
            propose(session, "r3", record, PERSON, {"name": ""}, "", AROUND, SEAL, origin("grid"))
        with pytest.raises(RegisterInvalid):
            propose(session, "r4", record, PERSON, {"nothing": "1"}, "", AROUND, SEAL, origin("grid"))
    with session_scope(filled) as session:
        with pytest.raises(Forbidden):
            decide(session, "r1", True, "", GRID, PERSON, AROUND, SEAL, origin("grid"))
        assert decide(session, "r1", True, "已核实", ADMIN, PERSON, AROUND, SEAL, origin()).state == "accepted"
        with pytest.raises(InputInvalid):
            decide(session, "r1", False, "", ADMIN, PERSON, AROUND, SEAL, origin())
    with read_scope(filled) as session:
        record = session.get_one(RegisterRecord, record.record_id)
        assert values_of(record, SEAL)["phone"] == "12011112222"
        assert history(session, record, PERSON, SEAL)[0]["actor"] == "grid"


def test_a_birth_that_contradicts_the_number_is_refused_when_decided(filled: Engine) -> None:
    with session_scope(filled) as session:
        record = page(session, Query("person", limit=1), SEAL)[0]
        propose(session, "r", record, PERSON, {"birth": "1900-01-01"}, "", AROUND, SEAL, origin("grid"))
    with pytest.raises(ValueRefused), session_scope(filled) as session:
        decide(session, "r", True, "", ADMIN, PERSON, AROUND, SEAL, origin())


def _state(engine: Engine) -> list[tuple[object, ...]]:
    with read_scope(engine) as session:
        records = session.scalars(select(RegisterRecord).order_by(RegisterRecord.record_id)).all()
        links = session.scalars(select(RecordLink).order_by(RecordLink.link_id)).all()
        rows: list[tuple[object, ...]] = [
            (r.record_id, r.state, r.natural_key, r.merged_into, sorted(values_of(r, SEAL).items())) for r in records
        ]
        return rows + [(link.kind, link.from_id, link.to_id) for link in links]


def test_a_merge_undone_leaves_what_was_before(engine: Engine) -> None:
    lines = people(40)
    twin = {k: v for k, v in lines[3].items() if k in ("name", "birth", "division", "phone")}
    take(engine, csv_of(lines))
    take(engine, csv_of([{**twin, "remark": "新增"}]))
    with session_scope(engine) as session:
        assert find_duplicates(session, PERSON, SEAL, NOW) == 1
        assert find_duplicates(session, PERSON, SEAL, NOW) == 0
        pair = session.scalars(select(RecordDuplicate)).one()
        assert {"name", "birth", "phone"} <= set(pair.reasons)
        kept, gone = pair.first_id, pair.second_id
        if session.get_one(RegisterRecord, kept).natural_key is None:
            kept, gone = gone, kept
        session.add(RecordLink(link_id="l1", kind="member_of", from_id=gone, to_id="h1"))
        session.add(RecordLink(link_id="l2", kind="lives_in", from_id="x", to_id=gone))
    before = _state(engine)
    with session_scope(engine) as session:
        row = merge(session, kept, gone, PERSON, preparer(), SEAL, origin())
    with read_scope(engine) as session:
        assert values_of(session.get_one(RegisterRecord, kept), SEAL)["remark"] == "新增"
        assert session.get_one(RecordLink, "l1").from_id == kept
        assert count(session, Query("person"), SEAL) == 40
    with session_scope(engine) as session:
        unmerge(session, row.merge_id, PERSON, preparer(), SEAL, origin())
        with pytest.raises(InputInvalid):
            unmerge(session, row.merge_id, PERSON, preparer(), SEAL, origin())
    assert _state(engine) == before


def test_visits_fall_due_by_the_rule_and_are_noted_once(engine: Engine) -> None:
    lines = people(30)
    for line in lines:
        line["care"] = "none"
    lines[0]["care"], lines[1]["care"] = "elderly_alone", "released"
    take(engine, csv_of(lines))
    with session_scope(engine) as session:
        due = due_visits(session, visible_records(ADMIN, REGISTERS), "220105", TODAY)
        assert {r.facet_b for r in due} == {"elderly_alone", "released"}
        lonely = next(r for r in due if r.facet_b == "elderly_alone")
        for _ in range(2):
            row = visit(session, "v1", lonely, PERSON, {"ok": "1"}, "met", preparer(), SEAL, origin("grid"), TODAY)
        assert row.next_due == TODAY + timedelta(days=7)
        with pytest.raises(InputInvalid):
            visit(session, "v2", lonely, PERSON, {}, "nothing", preparer(), SEAL, origin("grid"), TODAY)
    with read_scope(engine) as session:
        assert len(due_visits(session, visible_records(ADMIN, REGISTERS), "", TODAY)) == 1
        assert len(due_visits(session, visible_records(ADMIN, REGISTERS), "", TODAY + timedelta(days=7))) == 2


def test_cells_are_counted_not_shown_as_dots(filled: Engine) -> None:
    with read_scope(filled) as session:
        cells = counts_per_cell(session, "person", "220105002")
    assert sum(cells.values()) == sum(p["division"].startswith("220105002") for p in people(300))
    assert all(len(code) == 15 for code in cells)


def test_a_restricted_record_is_out_of_sight(filled: Engine) -> None:
    chain = Chain()
    with session_scope(filled) as session:
        record = page(session, Query("person", division=str(GRID.division_code), limit=1), SEAL)[0]
        restrict(session, record, PERSON, "本人申请限制处理", ADMIN, origin(), SEAL, chain)
    with read_scope(filled) as session:
        mine = select(RegisterRecord.record_id).where(visible_records(GRID, REGISTERS))
        assert record.record_id not in set(session.scalars(mine))
    assert chain.links[0][1] == "record_restrict"


@pytest.mark.parametrize("text_", ["=1+1", "+1", "-1", "@a", "＝1", "＋1", "－1", "＠a", "\n=1", "\t=1", " =1", "|cmd"])
def test_no_cell_of_an_export_is_a_formula(text_: str) -> None:
    assert str(safe_cell(text_)).startswith("'")


def test_an_export_is_masked_and_logged(filled: Engine) -> None:
    chain = Chain()
    with session_scope(filled) as session:
        records = page(session, Query("person", limit=5), SEAL)
        body = export_csv(session, records, PERSON, "人口普查核对", ADMIN, origin(), SEAL, chain).decode("utf-8-sig")
        with pytest.raises(Forbidden):
            export_csv(session, records, PERSON, "人口普查核对", CLERK, origin(), SEAL, chain, whole=True)
    assert len(body.splitlines()) == 6
    assert "****" in body
    assert not any(SEAL.open(r.record_id, r.sealed)["phone"] in body for r in records)
    assert [link[1] for link in chain.links] == ["record_export"]


def test_a_generated_district_is_marked_and_the_same_again(tmp_path: Path) -> None:
    engine = fresh(tmp_path)
    made = generate(engine, SEAL, ManualClock(NOW), COMMUNITIES, 1000)
    assert sum(made.values()) == 1000
    with read_scope(engine) as session:
        assert set(session.scalars(select(RegisterRecord.source))) == {"generated"}
        assert session.scalar(select(func.count()).select_from(RegisterRecord)) == 1000
    assert people(50) == people(50) != people(50, seed=2)


@pytest.mark.parametrize(
    ("name", "spelt"),
    [("单雄信", ("shanxiongxin", "sxx")), ("张三", ("zhangsan", "zs")), ("", ("", "")), ("A厂", ("achang", "ac"))],
)
def test_names_are_spelt(name: str, spelt: tuple[str, str]) -> None:
    assert spelled(name, person=True) == spelt


@given(st.text(max_size=12))
def test_grams_hold_every_pair_but_the_first(name: str) -> None:
    plain = searched(name)
    assert set(grams(name)) == {plain[i : i + 2] for i in range(1, len(plain) - 1)}


def test_random_changes_and_their_history_agree(filled: Engine) -> None:
    dice = random.Random(3)
    with session_scope(filled) as session:
        record = page(session, Query("person", limit=1), SEAL)[0]
        seen = dict(values_of(record, SEAL))
        for step in range(30):
            field = dice.choice(["address", "nation", "remark", "work"])
            value = dice.choice(["", None, "甲", "乙", f"值{step}"])
            change_record(session, record, {field: value}, preparer(), PERSON, SEAL, origin())
        now = values_of(session.get_one(RegisterRecord, record.record_id), SEAL)
        for line in reversed(history(session, record, PERSON, SEAL)):
            if line["field"]:
                assert (seen.get(line["field"]) or None) == (line["old"] or None)
                seen[line["field"]] = line["new"]
        assert {k: v for k, v in seen.items() if v} == {k: v for k, v in now.items() if v}


def test_generated_people_live_at_buildings_that_are_in_the_register() -> None:
    built = {row["number"]: row for row in rows(REGISTERS["building"], COMMUNITIES, 3 * len(COMMUNITIES))}
    for register in ("person", "household"):
        for row in rows(REGISTERS[register], COMMUNITIES, 60, houses=3):
            house = built[row["building"]]
            assert row["address"].startswith(house["address"]) and row["division"] == house["division"]
    places = {(row["lon"], row["lat"]) for row in built.values()}
    for register in ("enterprise", "special_place"):
        assert {(r["lon"], r["lat"]) for r in rows(REGISTERS[register], COMMUNITIES, 60, houses=3)} <= places


def test_every_common_character_has_the_syllable_of_the_dictionary() -> None:
    """Read without the package's phrases; the package itself reads a sample the same way."""
    sample = [chr(code) for code in range(0x4E00, 0x9FA6, 97)] + list("绿女略嗯呒aZ7İ，\u3000𠀀")
    whole = ["".join(c for c in pypinyin.lazy_pinyin(one)[0].lower() if c.isascii() and c.isalnum()) for one in sample]
    assert [syllable(one) for one in sample] == whole


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=200))
def test_seen_keys_name_the_first_row_as_a_dictionary_does(given_keys: list[tuple[int, int]]) -> None:
    seen, plain = SeenKeys(places=4), dict[bytes, int]()
    for number, row in given_keys:
        key = (number % 7).to_bytes(8, "little") + number.to_bytes(8, "little")  # many share a half
        assert seen.first(key) == plain.get(key, 0)
        assert seen.met(key, row) == plain.get(key, 0)
        plain.setdefault(key, row)


def test_rows_are_written_by_name_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "BATCH", 3)
    monkeypatch.setattr(ordering, "ORDERED", 6)
    lines = [(str(n).encode(), {"name": "乙甲丙"[n % 3], "at": n}) for n in range(8)] + [(None, {"at": 8.5})]
    found = list(ordering.batches(iter(lines), "name"))
    assert [len(batch) for batch in found] == [3, 3, 3]
    assert [row.get("name") for row in (values for _, values in found[0] + found[1])] == list("丙丙乙乙甲甲")
    assert sorted((values["at"], key) for batch in found for key, values in batch) == [(v["at"], k) for k, v in lines]
