// Facts, people, stages, clocks and history of a case.
import { t, said, caseTitle, kindTerm, term, full, short, number, has, named } from "../shared/i18n.mjs";
import { h } from "../shared/dom.mjs";
import { folded } from "/static/work/course.mjs";
import * as store from "../shared/store.mjs";
import { clockLine } from "./derivation.mjs";
import { escalationText } from "./livevalue.mjs";
import { acknowledgedText, causeText } from "../wall/alarmbar.mjs";

export function section(title, body, open) {
  return h("details", { class: "section", open }, h("summary", {}, title), body);
}

const STAGES = ["collect", "register", "dispatch", "handle", "feedback", "check", "evaluate"];
export function stages(c) {
  if (!STAGES.includes(c.stage)) return h("p", { class: "stage-name" }, kindTerm(c, "stage", c.stage));
  const at = STAGES.indexOf(c.stage);
  return h("ol", { class: "stages", "aria-label": t("case.stages") }, STAGES.map((name, i) =>
    h("li", { class: i < at || !c.open ? "done" : i === at ? "now" : "", "aria-current": i === at ? "step" : undefined }, h("i"), h("span", {}, t(`stage.${name}`)))));
}

export function facts(c) {
  const rows = [
    [t("fact.place"), store.placeOf(c)], [t("fact.division"), store.divisionOf(c)], [t("fact.grid"), c.grid_code],
    [t("fact.department"), store.departmentOf(c)], [t("fact.handler"), c.handler_name], [t("fact.opened"), full(c.opened_at)],
    [t("fact.deadline"), c.deadline_at ? full(c.deadline_at) : null], [t("fact.class"), c.class_code ? className(c) : null],
    [t("fact.kind"), c.kind ? term("kind", c.kind) : null], [t("fact.confidence"), typeof c.confidence === "number" ? `${number(c.confidence * 100, 0)} %` : null],
    [t("fact.source"), c.source_type ? sourceName(c) : null],
  ].filter(([, value]) => value);
  return h("div", {}, c.description ? h("p", { class: "description" }, said(c.description)) : null,
    h("dl", { class: "facts" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}

/** The class by its name in the viewer's language, its code beside it. */
function className(c) {
  const node = h("span", {}, has(`class.${c.class_code}`) ? t(`class.${c.class_code}`) : t("fact.class_code", { code: c.class_code, set: c.class_version || "2013" }));
  store.classes().then((known) => { const found = known.get(c.class_code); if (found) node.textContent = `${named(found)} · ${c.class_code}`; });
  return node;
}

/** The source by its name: a camera's from the registry, else what kind of source it is and its number. */
function sourceName(c) {
  const camera = c.source_type === "camera" ? store.state.cameras.get(c.source_id) : null;
  return camera ? `${term("source", "camera")} · ${camera.name}` : `${term("source", c.source_type)} · ${c.source_id || "—"}`;
}

export function assignments(items) {
  if (!items?.length) return h("p", { class: "quiet" }, t("case.no_assignment"));
  return h("ul", { class: "assignments" }, items.map((a) => h("li", {},
    h("b", {}, store.departmentOf(a)), h("span", { class: "chip" }, term("role", a.role)), h("span", { class: `chip st-${a.state}` }, term("state", a.state)),
    h("small", {}, [a.user_name, a.duty, a.deadline_at ? t("case.until", { time: short(a.deadline_at) }) : null].filter(Boolean).join(" · ")))));
}

/** What happened, newest first: moves, escalations with values, acknowledgements; clear and again are one line. */
export function history(detail, live, alarm) {
  const escalated = new Map((live?.escalations || []).map((step) => [step.seq, step]));
  const lines = folded(detail.transitions).map(({ move: tr, times, since }) => ({ at: tr.at, node: h("li", { class: tr.command === "escalate" ? "escalated" : "" },
    h("time", {}, full(tr.at)), h("b", {}, kindTerm(detail.case, "command", tr.command)), ["system", "outside"].includes(tr.actor_id) ? h("span", {}, t(`actor.${tr.actor_id}`)) : h("span", {}, tr.actor_name || tr.actor_id),
    tr.from_state !== tr.to_state ? h("span", { class: "chip" }, kindTerm(detail.case, "state", tr.to_state)) : null,
    escalated.has(tr.seq) ? h("p", {}, escalationText(escalated.get(tr.seq))) : null,
    times > 1 ? h("p", {}, t("live.repeats", { n: times, from: short(since), to: short(tr.at) })) : null,
    tr.reason ? h("p", {}, tr.reason) : null, tr.data?.comment ? h("p", {}, tr.data.comment) : null) }));
  if (alarm?.acknowledged_at) lines.push({ at: alarm.acknowledged_at, node: h("li", { class: "acknowledged" }, h("time", {}, full(alarm.acknowledged_at)), h("b", {}, causeText(alarm)), h("span", {}, acknowledgedText(alarm))) });
  lines.sort((a, b) => (a.at < b.at ? 1 : -1));
  return h("ol", { class: "timeline" }, lines.map((line) => line.node));
}

export function clocks(items) {
  return h("div", { class: "clocks" }, items.map((k) => h("div", { class: "clock-card" },
    h("b", {}, term("clock", k.kind)), h("span", {}, `${number(k.limit_value)} ${term("unit", k.limit_unit)}`),
    h("span", {}, k.deadline_at ? full(k.deadline_at) : t("case.suspended")),
    h("ol", {}, (k.derivation || []).map((line) => h("li", {}, clockLine(line)))))));
}

export function related(title, items) {
  if (!items?.length) return null;
  return section(title, h("ul", { class: "related" }, items.map((c) => h("li", {},
    h("a", { href: `/cases/${c.case_id}`, onClick: (e) => { e.preventDefault(); store.select({ type: "case", id: c.case_id }, { fly: true }); } }, `${c.number} ${caseTitle(c)}`)))), true);
}
