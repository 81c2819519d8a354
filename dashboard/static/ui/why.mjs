// "Why me?": frame → model → zone → rule → merge → routing → clock, as steps in plain words.
import { t, term, full, number, has } from "./i18n.mjs";
import { h } from "./dom.mjs";

const HIDDEN = new Set(["snapshot", "evidence", "geometry", "polygon"]);

export function whySteps(detail) {
  const why = detail.why || {};
  const observation = why.observation || detail.observations?.[0] || null;
  const steps = [];
  if (observation) steps.push(...seen(observation));
  if (why.rule) steps.push(step("rule", lines(why.rule)));
  const merged = why.merge || null;
  if (merged) steps.push(step("merge", lines(merged)));
  const n = detail.observations?.length || 0;
  if (n > 1) steps.push(step("observations", [h("p", {}, t("why.n_observations", { n })), observations(detail.observations)]));
  if (why.routing) steps.push(step("routing", lines(why.routing)));
  if (why.clock) steps.push(step("clock", lines(why.clock)));
  for (const [name, value] of Object.entries(why)) {
    if (!["observation", "rule", "merge", "routing", "clock"].includes(name) && value) steps.push(step(name, lines(value)));
  }
  return steps.length ? h("ol", { class: "why" }, steps) : h("p", { class: "quiet" }, t("why.none"));
}

function seen(o) {
  const steps = [step("frame", [h("p", {}, `${term("kind", o.kind)} · ${full(o.observed_at)}`),
    pairs({ source: o.source_id, confidence: o.confidence, value: o.value == null ? undefined : `${number(o.value)} ${o.unit || ""}` })])];
  if (o.model && o.model.name) {
    steps.push(step("model", [h("p", {}, o.model.name), h("code", { title: o.model.sha256 }, `sha256 ${String(o.model.sha256 || "").slice(0, 16)}…`)]));
  }
  if (o.zone) steps.push(step("zone", [h("p", {}, o.zone)]));
  return steps;
}

function step(name, body) {
  return h("li", {}, h("b", {}, term("why", name)), h("div", {}, body));
}

/** A structured explanation: texts and lists as lines, plain values as pairs. */
function lines(value) {
  if (value === null || value === undefined) return null;
  if (typeof value !== "object") return h("p", {}, text(value));
  if (Array.isArray(value)) return h("ol", { class: "why-lines" }, value.map((v) => h("li", {}, lines(v))));
  if (typeof value.text === "string" || typeof value.step === "string") {
    const { text: said, step: name, ...rest } = value;
    return [h("p", {}, [name ? term("whystep", name) : null, said].filter(Boolean).join(" · ")), pairs(rest)];
  }
  return pairs(value);
}

function pairs(record) {
  const rows = Object.entries(record).filter(([key, v]) => !HIDDEN.has(key) && v !== null && v !== undefined && v !== "" && !(Array.isArray(v) && !v.length));
  if (!rows.length) return null;
  return h("dl", { class: "pairs" }, rows.map(([key, v]) => [h("dt", {}, term("fact", key)), h("dd", {}, typeof v === "object" ? lines(v) : text(v, key))]));
}

function text(value, key = "") {
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (typeof value === "number") return key === "confidence" && value <= 1 ? `${number(value * 100, 0)} %` : number(value, 3);
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) return full(value);
  if (has(`kind.${value}`)) return term("kind", value);
  return String(value);
}

function observations(items) {
  return h("ul", { class: "observations" }, items.slice(0, 8).map((o) => h("li", {},
    h("time", {}, full(o.observed_at)), ` ${term("kind", o.kind)} · ${term("obsstate", o.state)} · ${o.source_id}`)));
}
