// The cards of the list: what is gravest first, in what group, how long it has.  Drawn from what the page brought along, too.
import { caseTitle, h, kindTerm, language, span, t, term } from "../drawn.mjs";
import { metres } from "../geo.mjs";
import { app, home } from "../state.mjs";

export const severity = (c) => ["", "s1", "s2", "s3", "s4"][c.severity] || "";
const TODO = ["dispatched", "rework"];
const CHECK = ["handle_finished", "checking"];
const ROUTE = { "phone.to_register": ["reported", "pending_register"], "phone.to_dispatch": ["pending_dispatch", "returned"], "phone.to_close": ["pending_close"] };
const ELSEWHERE = [...TODO, ...CHECK, "handling", ...Object.values(ROUTE).flat()];
const FIRST = { grid: "phone.to_check", inspector: "phone.to_check", coordinator: "phone.to_dispatch" };

export function away(c) {
  return app.place && c.lon != null ? metres([app.place.lon, app.place.lat], [c.lon, c.lat]) : null;
}
export const distance = (m) => (m === null ? "" : m < 1000 ? `${Math.round(m)} m` : `${(m / 1000).toFixed(1)} km`);

export function remaining(c) {
  const left = c.deadline_at ? Date.parse(c.deadline_at) - Date.now() : null;
  return left === null ? null : h("span", { class: left < 0 ? "late" : left < 900000 ? "soon" : "ok" }, left < 0 ? t("cases.overdue", { span: span(left) }) : t("cases.left", { span: span(left) }));
}

/** The gravest first, of equal ones what is due first; or the nearest first. */
function pressing(a, b) {
  if (app.settings.order === "near") return (away(a) ?? Infinity) - (away(b) ?? Infinity);
  return b.severity - a.severity || (Date.parse(a.deadline_at) || Infinity) - (Date.parse(b.deadline_at) || Infinity);
}

/** What no step of the field's work fits stands under the name of its kind. @param {any[]} items @returns {[string, any[]][]} */
function byKind(items) {
  const named = new Map();
  for (const c of items) {
    const name = kindTerm(c, "kind", c.definition_id);
    const heading = name === term("kind", c.definition_id) ? "phone.others" : `=${name}`;
    named.set(heading, [...(named.get(heading) || []), c]);
  }
  return [...named];
}

/** Headings with their cases; `waiting`: the step that waits to be sent, by case. @param {Map<string, string>} waiting */
function groups(waiting) {
  const at = (c, name) => waiting.get(c.case_id) === name;
  const accepted = (c) => at(c, "accept") && TODO.includes(c.state);
  /** @type {[string, any[]][]} */
  const all = [
    ["phone.to_accept", app.tasks.filter((c) => TODO.includes(c.state) && !at(c, "accept") && !at(c, "finish"))],
    ["phone.in_hand", app.tasks.filter((c) => (c.state === "handling" || accepted(c)) && !at(c, "finish"))],
    ["phone.to_check", app.tasks.filter((c) => CHECK.includes(c.state) && !at(c, "finish"))],
    ["phone.sending", app.tasks.filter((c) => at(c, "finish"))],
    .../** @type {[string, any[]][]} */ (Object.entries(ROUTE).map(([key, states]) => [key, app.tasks.filter((c) => states.includes(c.state))])),
    ...byKind(app.tasks.filter((c) => !ELSEWHERE.includes(c.state) && !at(c, "finish"))),
  ];
  const first = FIRST[home(app.me)];
  return first ? [...all.filter(([k]) => k === first), ...all.filter(([k]) => k !== first)] : all;
}

/** A name of a case in the viewer's language. @param {any} c @param {string} field */
export const nameOf = (c, field) => (language() === "en" && c[`${field}_en`]) || c[field];
/** Where it is: the site, else the division. */
export const place = (c) => nameOf(c, "site_name") || nameOf(c, "division_name");

export function card(c) {
  return h("a", { class: `card ${severity(c)}`, href: `#/task/${encodeURIComponent(c.case_id)}`, dataset: { case: c.case_id } },
    h("b", {}, caseTitle(c)),
    h("span", { class: "soft" }, [place(c), distance(away(c))].filter(Boolean).join(" · ")),
    h("span", { class: "line" }, h("span", { class: "chip" }, kindTerm(c, "state", c.state)), h("span", { class: "chip" }, t(`severity.${c.severity}`)), remaining(c)));
}

/** Every group that has cases, with its cards. @param {Map<string, string>} waiting */
export const grouped = (waiting) => groups(waiting).filter(([, items]) => items.length).map(([key, items]) => [h("h2", {}, key.startsWith("=") ? key.slice(1) : t(key), h("span", {}, items.length)), items.sort(pressing).map(card)]);

/** How many are mine besides those that were read so far. */
export const unread = () => (app.total > app.tasks.length ? h("p", { class: "soft", role: "status" }, t("phone.unread", { n: app.total - app.tasks.length })) : null);

/** The gravest or the nearest first. @param {(order: string) => void} choose */
export const orders = (choose) => h("div", { class: "orders", role: "group", "aria-label": t("phone.order") }, [["urgent", "phone.urgent_first"], ["near", "phone.near_first"]].map(([id, words]) =>
  h("button", { type: "button", class: "pill", "aria-pressed": String(app.settings.order === id), dataset: { order: id }, onClick: () => choose(id) }, t(words))));

/** The other lists. */
export const lists = () => h("nav", { class: "under", "aria-label": t("phone.lists") }, ["started", "copied", "all"].map((view) => h("a", { class: "flat", href: `#/work/${view}` }, t(`phone.view_${view}`))), h("a", { class: "flat", href: "#/new" }, t("phone.new")));
