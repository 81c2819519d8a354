// Indicators by department, street or class, with the cases behind each figure.
import { t, term, number, language, short } from "./i18n.mjs";
import { h, replace } from "./dom.mjs";
import * as api from "./api.mjs";
import * as store from "./store.mjs";
import { page, table, choice, failure, loading } from "./kit.mjs";

const day = (ms) => new Date(ms + 8 * 3600e3).toISOString().slice(0, 10);
// Rates where a low figure is the good one.
const LOWER = /rework|extension|overdue|suspen|return|reopen|false/;

export const mount = page((root) => {
  const search = new URLSearchParams(location.search);
  const wanted = { by: search.get("by") || "department", from: search.get("from") || day(store.now() - 30 * 86400e3), to: search.get("to") || day(store.now() + 86400e3) };
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
  const open = async (row, indicator, label) => {
    replace(drill, loading());
    drill.scrollIntoView({ behavior: "smooth", block: "nearest" });
    try {
      const answer = await api.get(`/api/indicators/cases${api.query({ ...query(), key: row.key, indicator })}`);
      replace(drill, h("div", { class: "panel-head" }, h("h2", {}, `${row.name} · ${label}`), h("span", { class: "quiet" }, t("kit.total", { n: answer.items.length }))),
        table([{ title: t("fact.number"), cell: (c) => h("a", { href: `/cases/${encodeURIComponent(c.case_id)}` }, c.number) }, { title: t("fact.title"), key: "title" }, { title: t("fact.state"), cell: (c) => h("span", { class: `chip st-${c.state}` }, term("state", c.state)) },
          { title: t("fact.department"), cell: (c) => c.department_name || "—" }, { title: t("fact.opened"), cell: (c) => short(c.opened_at) }, { title: t("indicators.closed_at"), cell: (c) => short(c.closed_at) }, { title: t("fact.deadline"), cell: (c) => short(c.deadline_at) }], answer.items));
    } catch (error) {
      replace(drill, failure(error));
    }
  };
  const show = (answer) => {
    const definitions = answer.definitions || [];
    const named = (id) => { const d = definitions.find((x) => x.id === id); return d?.name?.[language()] || d?.name?.zh || term("indicator", id); };
    const formula = (id) => { const f = definitions.find((x) => x.id === id)?.formula; return typeof f === "object" && f ? f[language()] || f.zh : f || ""; };
    const first = answer.items[0];
    if (!first) return replace(body, h("div", { class: "list-state" }, h("p", {}, t("indicators.none"))));
    const rates = Object.keys(first.rates || {});
    const counts = Object.keys(first.counts || {});
    const total = answer.total || null;
    const columns = [
      { title: t(`indicators.by_${wanted.by}`), cell: (r) => h("b", {}, r.name || r.key || "—") },
      { title: t("indicators.score"), number: true, cell: (r) => (r.score == null ? "—" : h("b", {}, number(r.score, 1))) },
      ...rates.map((id) => ({ title: h("abbr", { title: formula(id) }, named(id)), number: true, cell: (r) => rate(r, id, () => open(r, id, named(id))) })),
      ...counts.map((id) => ({ title: named(id), number: true, cell: (r) => (r.counts[id] ? h("button", { type: "button", class: "figure", onClick: () => open(r, id, named(id)) }, number(r.counts[id], 0)) : "0") })),
    ];
    return replace(body, total ? tiles(total, named) : null, table(columns, answer.items, { id: (r) => r.key }), warnings(answer), h("p", { class: "quiet" }, t("indicators.note")));
  };
  const links = ["csv", "xlsx"].map((format) => [format, h("a", { class: "button", download: true }, `${t("act.export")} ${format.toUpperCase()}`)]);
  const date = (name) => h("input", { type: "date", value: wanted[name], "aria-label": t(`rules.${name}`), onChange: (e) => { wanted[name] = e.target.value; load(); } });
  replace(root, h("h1", {}, t("page.indicators")),
    h("div", { class: "toolbar" }, choice([["department", t("indicators.by_department")], ["street", t("indicators.by_street")], ["class", t("indicators.by_class")]], wanted.by, (v) => { wanted.by = v; load(); }, t("indicators.group")),
      date("from"), h("span", {}, "–"), date("to"), links.map(([, link]) => link)), body, drill);
  load();
});

function rate(row, id, onClick) {
  const value = row.rates[id];
  if (value === null || value === undefined) return "—";
  const share = value > 1.5 ? value / 100 : value;
  const good = LOWER.test(id) ? 1 - share : share;
  return h("button", { type: "button", class: "figure rate", style: { "--share": `${Math.min(100, share * 100)}%`, "--c": good > 0.9 ? "var(--good)" : good > 0.7 ? "var(--s2)" : "var(--s4)" }, onClick }, `${number(share * 100, 1)} %`);
}

function tiles(total, named) {
  const show = Object.entries(total.rates || {}).filter(([, v]) => v !== null).slice(0, 6);
  return h("div", { class: "tiles wide" }, show.map(([id, v]) => h("div", { class: "tile" }, h("b", {}, `${number((v > 1.5 ? v / 100 : v) * 100, 1)} %`), h("span", {}, named(id)))));
}

function warnings(answer) {
  const items = answer.warnings || answer.guards || [];
  if (!items.length) return null;
  return h("section", { class: "bars" }, h("h3", {}, t("indicators.gaming")), items.map((w) => h("p", { class: "warn-text" }, w.text?.[language()] || w.text || w.message || JSON.stringify(w))));
}
