// Indicators by department, street or class, with the cases behind each figure.
import { t, caseTitle, term, number, language, short, span } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { page, table, choice, failure, loading } from "./kit.mjs";

const day = (ms) => new Date(ms + 8 * 3600e3).toISOString().slice(0, 10);
const MAIN_RATES = ["registration_rate", "on_time_dispatch_rate", "handling_rate", "on_time_handling_rate", "overdue_unhandled_rate", "close_rate", "on_time_close_rate", "rework_rate", "extension_rate"];
const MAIN_COUNTS = ["registered", "should_handle", "handled", "overdue_unhandled", "closed"];

export const mount = page((root) => {
  const search = new URLSearchParams(location.search);
  const wanted = { by: search.get("by") || "department", from: search.get("from") || day(store.now() - 30 * 86400e3), to: search.get("to") || day(store.now() + 86400e3) };
  let everything = search.get("all") === "1";
  const body = h("div", {}, loading());
  const drill = h("div", {});
  const query = () => ({ by: wanted.by, from: `${wanted.from}T00:00:00+08:00`, to: `${wanted.to}T00:00:00+08:00` });
  const load = async () => {
    history.replaceState(history.state, "", `${location.pathname}${api.query(wanted)}`);
    replace(body, loading());
    replace(drill);
    for (const [format, link] of links) link.href = `/api/indicators.${format}${api.query(query())}`;
    try {
      show(await api.get(`/api/indicators${api.query(query())}`));
    } catch (error) {
      replace(body, failure(error, load));
    }
  };
  const open = async (row, what, label) => {
    replace(drill, loading());
    drill.scrollIntoView({ behavior: "smooth", block: "nearest" });
    try {
      const answer = await api.get(`/api/indicators/cases${api.query({ ...query(), key: row.key, ...what })}${row.key ? "" : "&key="}`);
      replace(drill, h("div", { class: "panel-head" }, h("h2", {}, `${row.name || row.key || "—"} · ${label}`), h("span", { class: "quiet" }, t("kit.total", { n: answer.items.length }))),
        table([{ title: t("fact.number"), cell: (c) => h("a", { href: `/cases/${encodeURIComponent(c.case_id)}` }, c.number) }, { title: t("fact.title"), cell: (c) => h("span", { title: c.title }, caseTitle(c)) }, { title: t("fact.state"), cell: (c) => h("span", { class: `chip st-${c.state}` }, term("state", c.state)) },
          { title: t("fact.department"), cell: (c) => c.department_name || "—" }, { title: t("fact.opened"), cell: (c) => short(c.opened_at) }, { title: t("indicators.closed_at"), cell: (c) => short(c.closed_at) }, { title: t("fact.deadline"), cell: (c) => short(c.deadline_at) }], answer.items));
    } catch (error) {
      replace(drill, failure(error));
    }
  };
  const show = (answer) => {
    const definitions = answer.definitions || [];
    const named = (id) => { const d = definitions.find((x) => x.id === id); return d?.name?.[language()] || d?.name?.zh || term("indicator", id); };
    const formula = (id) => { const d = definitions.find((x) => x.id === id); return d ? `${term("indicator", d.over)} ÷ ${term("indicator", d.under)}` : ""; };
    const better = (id) => definitions.find((x) => x.id === id)?.better || "higher";
    const first = answer.items[0];
    if (!first) return replace(body, h("div", { class: "list-state" }, h("p", {}, t("indicators.none"))));
    const some = (all, main) => (everything ? all : main.filter((id) => all.includes(id)));
    const rates = some(Object.keys(first.rates || {}), MAIN_RATES);
    const counts = some(Object.keys(first.counts || {}), MAIN_COUNTS);
    const total = answer.total || null;
    const columns = [
      { title: t(`indicators.by_${wanted.by}`), cell: (r) => h("b", {}, r.name || r.key || "—") },
      { title: t("indicators.score"), number: true, cell: (r) => (r.score == null ? "—" : h("b", {}, number(r.score, 1))) },
      ...rates.map((id) => ({ title: h("abbr", { title: formula(id) }, named(id)), number: true, cell: (r) => rate(r, id, better(id), () => open(r, { indicator: id }, named(id))) })),
      ...counts.map((id) => ({ title: named(id), number: true, cell: (r) => (r.counts[id] ? h("button", { type: "button", class: "figure", onClick: () => open(r, { measure: id }, named(id)) }, number(r.counts[id], 0)) : "0") })),
      { title: t("indicators.mean"), number: true, cell: (r) => (r.mean_handling_s == null ? "—" : span(r.mean_handling_s * 1000)) },
    ];
    return replace(body, total ? tiles(total, named) : null, table(columns, answer.items, { id: (r) => r.key }), warnings(answer, open), h("p", { class: "quiet" }, t("indicators.note")));
  };
  const links = ["csv", "xlsx"].map((format) => [format, h("a", { class: "button", download: true }, `${t("act.export")} ${format.toUpperCase()}`)]);
  const date = (name) => h("input", { type: "date", value: wanted[name], "aria-label": t(`rules.${name}`), onChange: (e) => { wanted[name] = e.target.value; load(); } });
  replace(root, h("h1", {}, t("page.indicators")),
    h("div", { class: "toolbar" }, choice([["department", t("indicators.by_department")], ["street", t("indicators.by_street")], ["class", t("indicators.by_class")]], wanted.by, (v) => { wanted.by = v; load(); }, t("indicators.group")),
      date("from"), h("span", {}, "–"), date("to"), links.map(([, link]) => link),
      h("button", { type: "button", class: "button", "aria-pressed": String(everything), onClick: (e) => { everything = !everything; e.currentTarget.setAttribute("aria-pressed", String(everything)); load(); } }, t("indicators.all"))), body, drill);
  load();
});

function rate(row, id, better, onClick) {
  const value = row.rates[id];
  if (value === null || value === undefined) return "—";
  const good = better === "lower" ? 1 - value : value;
  return h("button", { type: "button", class: "figure rate", style: { "--share": `${Math.min(100, value * 100)}%`, "--c": good > 0.9 ? "var(--good)" : good > 0.7 ? "var(--s2)" : "var(--s4)" }, onClick }, `${number(value * 100, 1)} %`);
}

function tiles(total, named) {
  const show = MAIN_RATES.filter((id) => total.rates?.[id] != null).slice(0, 5);
  return h("div", { class: "tiles wide" }, h("div", { class: "tile" }, h("b", {}, total.score == null ? "—" : number(total.score, 1)), h("span", {}, t("indicators.score"))),
    show.map((id) => h("div", { class: "tile" }, h("b", {}, `${number(total.rates[id] * 100, 1)} %`), h("span", {}, named(id)))));
}

/** Guards against gaming: work "finished" impossibly fast, cases returned just before the deadline. */
function warnings(answer, open) {
  const found = answer.items.flatMap((row) => ["fast_finish", "late_return"].filter((m) => row.counts[m] > 0).map((m) => [row, m]));
  if (!found.length) return null;
  return h("section", { class: "bars" }, h("h3", {}, t("indicators.gaming")), found.map(([row, measure]) => h("p", { class: "warn-text" },
    `${row.name}: ${term("indicator", measure)} `, h("button", { type: "button", class: "figure", onClick: () => open(row, { measure }, term("indicator", measure)) }, number(row.counts[measure], 0)))));
}
