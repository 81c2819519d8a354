// "Why me?": frame → model → zone → rule → merge → routing → clock, as steps in plain words.
import { t, term, full, number, has, named, language } from "../shared/i18n.mjs";
import { h } from "../shared/dom.mjs";
import { state } from "../shared/store.mjs";
import { clockLine } from "./derivation.mjs";

const HIDDEN = new Set(["snapshot", "hysteresis", "table", "within_s", "successive", "evidence", "geometry", "polygon", "standing_key", "epoch", "received_at", "rule_version", "kind_of"]);
const FIRST = ["observation", "rule", "merge", "routing", "clock"];

export function whySteps(detail) {
  const why = detail.why || {};
  const observation = why.observation || detail.observations?.[0] || null;
  const steps = [];
  if (observation) steps.push(...seen(observation));
  if (why.rule) steps.push(step("rule", rule(why.rule)));
  if (why.merge) steps.push(step("merge", merge(why.merge)));
  const n = detail.observations?.length || 0;
  if (n > 1) steps.push(step("observations", [h("p", {}, t("why.n_observations", { n })), observations(detail.observations)]));
  if (why.routing) steps.push(step("routing", listed(why.routing)));
  if (why.clock) steps.push(step("clock", clock(why.clock, detail.case)));
  for (const [name, value] of Object.entries(why)) {
    if (!FIRST.includes(name) && name !== "standing" && value) steps.push(step(name, listed(value)));
  }
  return steps.length ? h("ol", { class: "why" }, steps) : h("p", { class: "quiet" }, t("why.none"));
}

function seen(o) {
  const value = o.value == null ? null : `${number(o.value)} ${term("unit", o.unit || "")}`.replace(" —", "");
  const said = [o.confidence == null ? null : `${t("fact.confidence")} ${number(o.confidence * 100, 0)} %`, value].filter(Boolean).join(" · ");
  const steps = [step("frame", [h("p", {}, `${term("kind", o.kind)} · ${full(o.observed_at)}`), h("p", { class: "soft" }, [o.source_id, said].filter(Boolean).join(" · "))])];
  if (o.model && o.model.name) {
    steps.push(step("model", [h("p", {}, o.model.name), h("code", { title: o.model.sha256 }, `sha256 ${String(o.model.sha256 || "").slice(0, 16)}…`)]));
  }
  if (o.zone) steps.push(step("zone", [h("p", {}, term("zone", o.zone))]));
  return steps;
}

function rule(r) {
  const [zh, en] = String(r.name || "").split(" / ");
  const name = language() === "en" ? en || zh : zh;
  return [h("p", {}, name || r.rule_id), h("p", { class: "soft" }, `${r.rule_id}${r.version ? ` · v${r.version}` : ""}`), listed(r.steps || [])];
}

function merge(m) {
  if (m.verdict === "new" && !m.candidates?.length) return h("p", {}, t("why.new"));
  const { verdict, ...rest } = m;
  return [verdict ? h("p", {}, term("verdict", verdict)) : null, listed(rest)];
}

/** The case's own deadline, and the lines of all its clocks folded below it. */
function clock(value, c) {
  const items = Array.isArray(value) ? value : value.derivation || [value];
  if (items.some((v) => typeof v !== "string" && !v?.code)) return listed(value);
  if (items.length < 4) return listed(items.map(clockLine));
  const said = items.map(clockLine);
  return [h("p", {}, c?.deadline_at ? t("case.until", { time: full(c.deadline_at) }) : said[said.length - 1]), h("details", {}, h("summary", { class: "soft" }, t("why.n_lines", { n: said.length })), listed(said))];
}

function step(name, body) {
  return h("li", {}, h("b", {}, term("why", name)), h("div", {}, body));
}

/** A structured explanation, one line a step: "Rule · fire-control-room · because …". */
export function listed(value) {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) {
    if (!value.length) return null;
    return h("ol", { class: "why-lines" }, value.map((v) => h("li", {}, line(v))));
  }
  return h("p", { class: "soft" }, line(value));
}

function line(value) {
  if (value === null || typeof value !== "object") return text(value);
  if (Array.isArray(value)) return value.map((v) => line(v)).join(t("why.comma"));
  const { step: name, text: said, ...rest } = value;
  const parts = Object.entries(rest).filter(([key, v]) => !HIDDEN.has(key) && !empty(v)).map(([key, v]) => `${term("fact", key)} ${line2(v, key)}`);
  return [name ? term("whystep", name) : null, said, ...parts].filter(Boolean).join(" · ");
}

const line2 = (v, key) => (typeof v === "object" ? line(v) : text(v, key));
const empty = (v) => v === null || v === undefined || v === "" || (typeof v === "object" && !Object.keys(v).length);

function text(value, key = "") {
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (typeof value === "number") {
    if (key === "confidence" && value <= 1) return `${number(value * 100, 0)} %`;
    if (value > 1e9 && /since|until|_at$/.test(key)) return full(new Date(value * 1000).toISOString());
    return number(value, 3);
  }
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) return full(value);
  if (key === "wanted" && has(`plans.dept_${value}`)) return t(`plans.dept_${value}`);
  const department = state.departments.find((d) => d.department_id === value);
  if (department) return named(department);
  for (const family of ["kind", "obsstate", "whystep"]) if (key !== "rule_id" && has(`${family}.${value}`)) return t(`${family}.${value}`);
  return String(value);
}

function observations(items) {
  return h("ul", { class: "observations" }, items.slice(0, 8).map((o) => h("li", {},
    h("time", {}, full(o.observed_at)), ` ${term("kind", o.kind)} · ${term("obsstate", o.state)} · ${o.source_id}`)));
}
