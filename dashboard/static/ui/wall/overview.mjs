// Nothing selected: the situation at one look.
import { t, caseTitle, term, short } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { iconFor } from "../map/style.mjs";

export function showOverview(root) {
  const draw = () => {
    const cases = [...store.state.cases.values()].filter((c) => c.open);
    replace(root, h("div", { class: "panel-head" }, h("h2", {}, t("overview.title")), h("span", { class: "quiet" }, t("overview.hint"))),
      tiles(cases), bars(t("overview.by_stage"), count(cases, (c) => c.stage), (key) => term("stage", key)),
      bars(t("overview.by_department"), count(cases, (c) => store.departmentOf(c)), (key) => key || t("cases.no_department"), 8, cases),
      bars(t("overview.by_kind"), count(cases, (c) => c.kind || ""), (key) => term("kind", key), 8),
      registry(), newest(cases));
  };
  draw();
  const stops = ["cases", "sites", "cameras", "camera", "departments"].map((name) => store.on(name, draw));
  const timer = setInterval(draw, 20000);
  return () => { stops.forEach((run) => run()); clearInterval(timer); };
}

function tiles(cases) {
  const waiting = cases.filter((c) => ["dispatched", "pending_dispatch", "pending_register", "reported"].includes(c.state)).length;
  const hand = cases.filter((c) => ["handling", "rework"].includes(c.state)).length;
  const check = cases.filter((c) => ["handle_finished", "checking"].includes(c.state)).length;
  const late = cases.filter(store.isLate).length;
  const tile = (n, text, kind) => h("div", { class: `tile ${kind}` }, h("b", {}, n), h("span", {}, text));
  return h("div", { class: "tiles" }, tile(cases.length, t("overview.open"), ""), tile(waiting, t("overview.waiting"), "wait"),
    tile(hand, t("overview.handling"), "hand"), tile(check, t("overview.checking"), "check"), tile(late, t("top.late"), late ? "late" : ""));
}

function count(items, keyOf) {
  const found = new Map();
  for (const item of items) found.set(keyOf(item), (found.get(keyOf(item)) || 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1]);
}

/**
 * @param {string} title @param {[any, number][]} pairs each key and how many, the most first @param {(key: any) => string} label
 * @param {number} [limit] @param {any[] | null} [cases] whose late ones are told by department
 */
function bars(title, pairs, label, limit = 8, cases = null) {
  if (!pairs.length) return null;
  const top = pairs[0][1];
  return h("section", { class: "bars" }, h("h3", {}, title), pairs.slice(0, limit).map(([key, n]) => {
    const late = cases ? cases.filter((c) => store.departmentOf(c) === key && store.isLate(c)).length : 0;
    return h("div", { class: "bar" }, h("span", { title: label(key) }, label(key)), h("i", {}, h("u", { style: { width: `${(n / top) * 100}%` } })), h("b", {}, n),
      late ? h("em", { class: "late" }, t("overview.n_late", { n: late })) : null);
  }));
}

function registry() {
  const { sites, cameras } = store.state;
  if (!sites.size && !cameras.size) return null;
  const off = [...cameras.values()].filter((c) => ["offline", "frozen", "black", "lost"].includes(c.state));
  const byKind = count([...sites.values()], (s) => s.kind);
  return h("section", { class: "bars" }, h("h3", {}, t("overview.registry")),
    h("div", { class: "registry" }, byKind.map(([kind, n]) => h("div", {}, icon(iconFor(kind), 18), h("b", {}, n), h("span", {}, term("sitekind", kind)))),
      h("div", {}, icon("camera", 18), h("b", {}, cameras.size), h("span", {}, t("layer.cameras"))),
      h("div", { class: off.length ? "bad" : "" }, icon("camera", 18), h("b", {}, off.length), h("span", {}, t("overview.cameras_off")))));
}

function newest(cases) {
  const items = [...cases].sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1)).slice(0, 6);
  if (!items.length) return null;
  return h("section", { class: "bars" }, h("h3", {}, t("overview.latest")), h("ul", { class: "related" }, items.map((c) => h("li", {}, h("button", {
    type: "button", class: `case-link s${c.severity}`, onClick: () => store.select({ type: "case", id: c.case_id }, { fly: true }),
  }, h("b", { title: c.title }, caseTitle(c)), h("small", {}, `${store.placeOf(c) || "—"} · ${term("state", c.state)} · ${short(c.updated_at)}`))))));
}
