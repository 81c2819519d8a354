"""Rules: hysteresis, successive readings, rate of rise, standing alarms, the rulebook's errors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PluginParamsInvalid, YiwangError
from core.records import Observation, Severity
from events.rules.findings import Context, DictMemory, DraftSpec, RuleFinding, RuleSpec
from events.rules.rulebook import RuleInvalid, build_rule, default_rulebook, default_rules, parse_rules

T0 = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)


def level(value: float, seconds: float, source: str = "mqtt:gauge-1") -> Observation:
    at = T0 + timedelta(seconds=seconds)
    return Observation(
        observation_id=f"{source}-{seconds}-{value}",
        kind="water_level_m",
        state="measure",
        source_type="device",
        source_id=source,
        observed_at=at,
        received_at=at,
        value=value,
        unit="m",
    )


def said(state: str, seconds: float, **more: object) -> Observation:
    at = T0 + timedelta(seconds=seconds)
    fields = {
        "observation_id": f"{state}-{seconds}",
        "kind": "flame_smoke",
        "source_type": "camera",
        "source_id": "cam-1",
        "observed_at": at,
        "received_at": at,
        "confidence": 0.8,
    }
    return Observation(state=state, **(fields | more))  # type: ignore[arg-type]


def play(rule_id: str, observations: list[Observation]) -> list[RuleFinding]:
    rule = build_rule(default_rulebook().specs[rule_id])
    memory = DictMemory()
    found = [rule.evaluate(o, Context(now=o.received_at, memory=memory)) for o in observations]
    return [f for f in found if f is not None]


def levels(*values: float, every_s: float = 1200) -> list[RuleFinding]:
    return play("waterlogging-gauge", [level(v, i * every_s) for i, v in enumerate(values)])


def test_two_successive_readings_open_and_the_lower_one_decides_the_level() -> None:
    found = levels(0.01, 0.30, 0.02, 0.16, 0.28)
    assert [(f.state, f.level) for f in found] == [("open", 2)]


def test_one_spike_opens_nothing() -> None:
    assert levels(0.0, 0.5, 0.0, 0.5, 0.0) == []


def test_levels_rise_through_all_colours_and_each_is_told_once() -> None:
    found = levels(0.06, 0.07, 0.16, 0.16, 0.28, 0.28, 0.41, 0.41, 0.42)
    assert [f.level for f in found] == [1, 2, 3, 4]
    assert [f.state for f in found] == ["open", "update", "update", "update"]
    assert found[-1].severity is Severity.RED


def test_hysteresis_holds_a_level_until_three_centimetres_below() -> None:
    found = levels(0.16, 0.16, 0.14, 0.13, 0.125, 0.14, 0.11, 0.115)
    assert [f.level for f in found] == [2, 1]
    assert levels(0.16, 0.16, 0.01, 0.01)[-1].state == "clear"


def test_a_fast_rise_escalates_by_one() -> None:
    slow = levels(0.16, 0.16, every_s=1200)
    fast = levels(0.09, 0.12, 0.16, 0.17, every_s=120)
    assert slow[-1].severity is Severity.YELLOW
    assert fast[-1].level == 2
    assert fast[-1].severity is Severity.ORANGE


def test_late_readings_do_not_run_the_hysteresis_backwards() -> None:
    found = play("waterlogging-gauge", [level(0.2, 100), level(0.2, 200), level(0.0, 50), level(0.0, 60)])
    assert [f.state for f in found] == ["open"]


def test_low_values_are_bad_where_the_rule_says_so() -> None:
    def pressure(value: float, seconds: float) -> Observation:
        reading = level(value, seconds)
        return Observation(**{f: getattr(reading, f) for f in reading.__struct_fields__} | {"kind": "pressure_mpa"})

    found = play(
        "hydrant-pressure",
        [
            pressure(0.3, 0),
            *(pressure(0.1, 60 * i) for i in range(1, 4)),
            *(pressure(0.3, 60 * i) for i in range(4, 8)),
        ],
    )
    assert [f.state for f in found] == ["open", "clear"]


@given(st.lists(st.floats(min_value=-0.5, max_value=2.0), max_size=60))
def test_threshold_findings_alternate_and_never_clear_what_is_not_open(values: list[float]) -> None:
    standing = False
    for finding in levels(*values):
        assert (finding.state == "open") is not standing or finding.state == "update"
        if finding.state == "clear":
            assert standing
        standing = finding.state != "clear"


def test_an_alarm_stands_once_until_clear() -> None:
    found = play(
        "flame-smoke",
        [said("open", 0), said("open", 5), said("open", 90), said("clear", 100), said("clear", 101), said("open", 200)],
    )
    assert [f.state for f in found] == ["open", "update", "clear", "open"]


def test_a_weak_or_late_alarm_opens_nothing() -> None:
    assert play("flame-smoke", [said("open", 0, confidence=0.1)]) == []
    assert [f.state for f in play("flame-smoke", [said("clear", 50), said("open", 40)])] == ["open"]
    found = play("flame-smoke", [said("open", 10), said("clear", 50), said("open", 40)])
    assert [f.state for f in found] == ["open", "clear"]


def test_two_zones_of_one_camera_are_two_conditions() -> None:
    found = play("flame-smoke", [said("open", 0, zone="a"), said("open", 1, zone="b")])
    assert len({f.standing_key for f in found}) == 2


def test_every_default_rule_builds_and_knows_its_happening() -> None:
    file = default_rules()
    assert len(file.rules) >= 20
    assert default_rulebook().problems == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("happening: fire", "nonsense"),
        ("kind: threshold", "there is no rule"),
        ("successive: 2", "successive"),
        ("{at: 0.27", "levels"),
        ('title: "{place} 火灾报警"', "title"),
    ],
)
def test_a_wrong_rule_is_named(change: str, told: str) -> None:
    from importlib import resources

    text = resources.files("events.rules").joinpath("rules.yaml").read_text(encoding="utf-8")
    wrong = {
        "happening: fire": "happening: nonsense",
        "kind: threshold": "kind: treshold",
        "successive: 2": "successive: 0",
        "{at: 0.27": "{at: 0.01",
        'title: "{place} 火灾报警"': 'title: "{nobody}"',
    }[change]
    assert change in text
    with pytest.raises(YiwangError, match=told):
        parse_rules(text.replace(change, wrong, 1))


def test_a_misspelt_parameter_is_named_with_the_known_ones() -> None:
    spec = RuleSpec(
        rule_id="x",
        kind="threshold",
        name="x",
        applies_to=("a",),
        draft=DraftSpec(happening="fire", class_code="", title="t"),
        params={"lvels": []},
    )
    with pytest.raises(PluginParamsInvalid, match="hysteresis"):
        build_rule(spec)


def test_ids_may_not_stand_twice() -> None:
    text = """
happenings: {general: {}}
rules:
  - {rule_id: a, kind: state_alarm, name: a, applies_to: [x], draft: {happening: general, class_code: "", title: t}}
  - {rule_id: a, kind: state_alarm, name: a, applies_to: [x], draft: {happening: general, class_code: "", title: t}}
"""
    with pytest.raises(RuleInvalid, match="twice"):
        parse_rules(text)


def spec(kind: str, params: dict[str, object], *applies_to: str) -> RuleSpec:
    return RuleSpec(
        rule_id="r",
        kind=kind,
        name="r",
        applies_to=applies_to or ("x",),
        draft=DraftSpec(happening="general", class_code="", title="t"),
        params=params,
    )


def drive(rule_spec: RuleSpec, observations: list[Observation]) -> list[RuleFinding]:
    rule, memory = build_rule(rule_spec), DictMemory()
    found = [rule.evaluate(o, Context(now=o.received_at, memory=memory)) for o in observations]
    return [f for f in found if f is not None]


def test_k_of_n_forgives_single_errors_both_ways() -> None:
    states = ["open", "clear", "open", "clear", "clear", "open", "open", "open", "clear", "clear", "clear", "clear"]
    rule = spec("k_of_n", {"k": 3, "n": 5, "within_s": 600, "clear_k": 1})
    found = drive(rule, [said(s, i * 10) for i, s in enumerate(states)])
    assert [(f.state, f.observation.observation_id) for f in found] == [("open", "open-60"), ("clear", "clear-110")]


def test_k_of_n_counts_values_beyond_a_limit_within_the_time_only() -> None:
    rule = spec("k_of_n", {"k": 3, "n": 3, "within_s": 100, "limit": 0.5})
    assert drive(rule, [level(0.6, 60 * i) for i in range(6)]) == []
    assert [f.state for f in drive(rule, [level(0.6, 30 * i) for i in range(6)])] == ["open"]


def test_rate_of_rise_opens_escalates_and_calms() -> None:
    rule = spec("rate_of_rise", {"levels": [{"by": 0.05, "severity": 2}, {"by": 0.2, "severity": 3}]})
    values = [1.0, 1.01, 1.06, 1.1, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25]
    found = drive(rule, [level(v, 120 * i) for i, v in enumerate(values)])
    assert [(f.state, int(f.severity)) for f in found] == [("open", 2), ("update", 3), ("clear", 2)]


def test_camera_and_gauge_must_agree_at_the_same_site() -> None:
    def at(site: str, o: Observation) -> Observation:
        return Observation(**{f: getattr(o, f) for f in o.__struct_fields__} | {"site_id": site})

    camera = at("s1", said("open", 10, kind="waterlogging"))
    rule = default_rulebook().specs["waterlogging-agreed"]
    assert drive(rule, [camera, at("s2", level(0.3, 20))]) == []
    found = drive(rule, [camera, at("s1", level(0.3, 20)), at("s1", level(0.31, 30)), at("s1", level(0.0, 40))])
    assert [f.state for f in found] == ["open", "clear"]
    assert found[0].why[0]["held"] == {"camera": ["cam-1"], "gauge": ["mqtt:gauge-1"]}


def test_a_value_in_a_combination_lapses() -> None:
    def at(o: Observation) -> Observation:
        return Observation(**{f: getattr(o, f) for f in o.__struct_fields__} | {"site_id": "s1"})

    rule = default_rulebook().specs["waterlogging-agreed"]
    assert drive(rule, [at(level(0.3, 0)), at(said("open", 2000, kind="waterlogging"))]) == []


def test_silence_is_found_by_a_tick_and_ended_by_the_next_word() -> None:
    rule, memory = build_rule(spec("silence", {"after_s": 600})), DictMemory()

    def tick(seconds: float) -> RuleFinding | None:
        context = Context(now=T0 + timedelta(seconds=seconds), memory=memory)
        body = memory.recall("r", "mqtt:gauge-1")
        return rule.tick("mqtt:gauge-1", body, context)  # type: ignore[attr-defined]

    rule.evaluate(level(0.1, 0), Context(now=T0, memory=memory))
    assert tick(500) is None
    found = tick(800)
    assert found is not None
    assert (found.state, found.observation.source_id) == ("open", "mqtt:gauge-1")
    assert tick(900) is None
    back = rule.evaluate(level(0.1, 1000), Context(now=T0, memory=memory))
    assert back is not None
    assert (back.state, back.standing_key) == ("clear", found.standing_key)


def rain(mm: float, minutes: float) -> Observation:
    o = level(mm, 60 * minutes, "sl651:1")
    return Observation(**{f: getattr(o, f) for f in o.__struct_fields__} | {"kind": "rain_mm", "unit": "mm"})


def test_rain_reaches_the_colours_of_the_warning_signals() -> None:
    steady = drive(default_rulebook().specs["rain-threshold"], [rain(0.5, 5 * i) for i in range(288)])
    assert [int(f.severity) for f in steady] == [1]  # 6 mm an hour: 50 mm in 12 h, never in 6
    cloudburst = drive(default_rulebook().specs["rain-threshold"], [rain(5.0, 5 * i) for i in range(24)])
    assert int(cloudburst[-1].severity) == 4
    over = drive(
        default_rulebook().specs["rain-threshold"],
        [*(rain(5.0, 5 * i) for i in range(24)), *(rain(0.0, 120 + 30 * i) for i in range(60))],
    )
    assert over[-1].state == "clear"
    assert any(step.get("step") == "note" for step in over[0].why)


def test_a_broken_gauge_makes_no_rainstorm() -> None:
    assert drive(default_rulebook().specs["rain-threshold"], [rain(900.0, 5 * i) for i in range(5)]) == []


def test_a_condition_that_must_hold_is_found_by_the_tick_unless_it_ends_first() -> None:
    rule, memory = build_rule(spec("state_alarm", {"hold_s": 60})), DictMemory()

    def evaluate(state: str, seconds: float) -> RuleFinding | None:
        o = said(state, seconds)
        return rule.evaluate(o, Context(now=o.received_at, memory=memory))

    def tick(seconds: float) -> RuleFinding | None:
        context = Context(now=T0 + timedelta(seconds=seconds), memory=memory)
        return rule.tick("cam-1", memory.recall("r", "cam-1"), context)  # type: ignore[attr-defined]

    assert evaluate("open", 0) is None
    assert evaluate("clear", 30) is None
    assert tick(100) is None
    assert evaluate("open", 200) is None
    assert evaluate("open", 230) is None
    assert tick(250) is None
    found = tick(265)
    assert found is not None
    assert found.state == "open"
    assert tick(300) is None
    cleared = evaluate("clear", 310)
    assert cleared is not None
    assert cleared.state == "clear"


def test_rubbish_and_full_bins_open_cases_of_their_classes_and_tidy_ends_both() -> None:
    for found, rule, other, code in (
        ("garbage", "rubbish", "bins-overflow", "event-01-10"),
        ("overflow", "bins-overflow", "rubbish", "event-01-92"),
    ):
        script = [
            said("open", 0, kind="tidiness", attributes={"found": found}),
            said("clear", 600, kind="tidiness", attributes={"found": "tidy"}),
        ]
        assert [f.state for f in play(rule, script)] == ["open", "clear"] and play(other, script) == []
        assert default_rulebook().specs[rule].draft.class_code == code
