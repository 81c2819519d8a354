// Rules: what opens a case, changed in the browser, tried on a past period before it is saved.
import { t, term, full, number, language } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { paramsForm, draftForm } from "./ruleform.mjs";
import { page, table, failure, formDialog, loading, can, toast, csv, download } from "./kit.mjs";

const title = (rule) => { const [zh, en] = String(rule.name || rule.rule_id).split(" / "); return language() === "en" ? en || zh : zh; };
const local = (date) => new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);

export const mount = page(async (root) => {
  const list = h("div", { class: "split-main" }, loading());
  const side = h("aside", { class: "split-side" }, h("p", { class: "quiet" }, t("rules.pick")));
  replace(root, h("h1", {}, t("page.rules")), h("div", { class: "split" }, list, side));
  let chosen = new URLSearchParams(location.search).get("rule");
  let items = [];
  let kinds = [];
  let happenings = [];
  const load = async () => {
    try {
      const answer = await api.get("/api/rules");
      items = answer.items;
      kinds = answer.kinds || [];
      happenings = answer.happenings || [];
      show();
      const found = items.find((r) => r.rule_id === chosen);
      if (found) editor(side, found, load, { kinds, happenings });
    } catch (error) {
      replace(list, failure(error, load));
    }
  };
  const show = () => replace(list, table([
    { title: t("fact.name"), cell: (r) => [h("b", {}, title(r)), h("small", { class: "under" }, `${r.rule_id} · v${r.version}`)] },
    { title: t("rules.kind"), cell: (r) => term("whystep", r.kind) },
    { title: t("rules.applies"), cell: (r) => (r.applies_to || []).map((k) => h("span", { class: "chip" }, term("kind", k))) },
    { title: t("fact.severity"), cell: (r) => h("span", { class: `badge s${r.draft?.severity || 2}` }, t(`severity.${r.draft?.severity || 2}`)) },
    { title: t("fact.limit"), cell: (r) => h("span", { class: "value" }, r.draft?.limit ? `${number(r.draft.limit.value)} ${term("unit", r.draft.limit.unit)}` : "—") },
    { title: t("fact.state"), cell: (r) => h("span", { class: `chip ${r.enabled ? "cam-online" : "cam-offline"}` }, r.enabled ? t("rules.on") : t("rules.off")) },
  ], items, { id: (r) => r.rule_id, selected: chosen, onRow: (r) => {
    chosen = r.rule_id;
    const search = new URLSearchParams(location.search);
    search.set("rule", chosen);
    history.replaceState(history.state, "", `${location.pathname}?${search}`);
    for (const row of list.querySelectorAll("tr[data-id]")) row.setAttribute("aria-selected", String(row.dataset.id === chosen));
    editor(side, r, load, { kinds, happenings });
  } }), can("admin") ? h("button", { type: "button", class: "button", onClick: () => create(load, kinds, (id) => { chosen = id; }) }, t("rules.new")) : null);
  load();
});

async function create(load, kinds, choose) {
  const made = await formDialog(t("rules.new"), [
    { name: "rule_id", title: t("fact.number"), required: true, hint: "a-z 0-9 - _" }, { name: "name", title: t("fact.name"), required: true },
    { name: "kind", title: t("rules.kind"), type: "select", options: kinds.map((k) => [k.kind, `${term("whystep", k.kind)} (${k.kind})`]), required: true },
    { name: "applies_to", title: t("rules.applies"), required: true, hint: "flame_smoke, water_level_m …" },
    { name: "params", title: t("fact.params"), type: "json", value: {} },
    { name: "draft", title: t("rules.draft"), type: "json", value: { happening: "equipment", class_code: "event-06-85", title: "{place} …", severity: 1, limit: { value: 4, unit: "work_hour" } } },
  ], ({ rule_id: id, applies_to: applies, ...rest }) => api.put(`/api/rules/${encodeURIComponent(id)}`, { ...rest, applies_to: applies.split(/[,，\s]+/).filter(Boolean), enabled: false }));
  if (made?.rule_id) choose(made.rule_id);
  if (made) load();
}

function editor(side, rule, reload, { kinds, happenings }) {
  const admin = can("admin");
  const name = h("input", { value: rule.name, disabled: !admin });
  const applies = h("input", { value: (rule.applies_to || []).join(", "), disabled: !admin });
  const params = paramsForm(kinds.find((k) => k.kind === rule.kind)?.params, rule.params, !admin);
  const draft = draftForm(rule.draft, happenings, !admin);
  const enabled = h("input", { type: "checkbox", disabled: !admin });
  enabled.checked = rule.enabled;
  const message = h("p", { class: "form-error", role: "alert", hidden: true });
  const result = h("div", {});
  const to = h("input", { type: "datetime-local", value: local(new Date(store.now())) });
  const from = h("input", { type: "datetime-local", value: local(new Date(store.now() - 7 * 86400e3)) });
  const current = () => ({ rule_id: rule.rule_id, kind: rule.kind, name: name.value.trim(), applies_to: applies.value.split(/[,，\s]+/).filter(Boolean), params: params.value(), draft: draft.value(), enabled: enabled.checked });
  const refuse = (error) => {
    const text = error.status === 404 || error.status === 405 ? t("kit.not_here") : error.text || error.message;
    const detail = error.body?.detail || error.message || "";
    const beside = params.mark(detail) || draft.mark(detail);
    message.hidden = false;
    message.textContent = beside ? t("rules.wrong_field") : text;
    if (beside) side.querySelector(".invalid")?.scrollIntoView({ block: "center" });
  };
  const guard = async (button, run) => {
    message.hidden = true;
    params.mark("");
    draft.mark("");
    button.disabled = true;
    try {
      await run();
    } catch (error) {
      refuse(error);
    } finally {
      button.disabled = false;
    }
  };
  const save = h("button", { type: "button", class: "button primary", onClick: () => guard(save, async () => {
    await api.put(`/api/rules/${encodeURIComponent(rule.rule_id)}`, { ...current(), version: rule.version });
    toast(t("vision.saved"));
    reload();
  }) }, t("act.save"));
  const simulate = h("button", { type: "button", class: "button", onClick: () => guard(simulate, async () => {
    replace(result, loading());
    try {
      const answer = await api.post("/api/rules/simulate", { rule: current(), from: new Date(from.value).toISOString(), to: new Date(to.value).toISOString() }, { timeout: 120000 });
      replace(result, outcome(answer));
    } catch (error) {
      replace(result);
      throw error;
    }
  }) }, t("rules.simulate"));
  const by = rule.updated_by === "defaults" ? t("rules.shipped") : rule.updated_by_name || rule.updated_by || "—";
  replace(side, h("div", { class: "panel-head" }, h("h2", {}, title(rule))),
    h("p", { class: "quiet" }, t("rules.changed", { who: by, when: full(rule.updated_at) })),
    h("div", { class: "stack" }, h("label", {}, h("span", {}, t("fact.name")), name), h("label", {}, h("span", {}, t("rules.applies")), applies, h("small", { class: "quiet" }, (rule.applies_to || []).map((k) => term("kind", k)).join("、"))),
      h("h3", {}, t("fact.params")), params.node, h("h3", {}, t("rules.draft")), draft.node, h("label", { class: "inline" }, enabled, h("span", {}, t("rules.on")))), message,
    h("div", { class: "toolbar" }, h("label", { class: "inline" }, t("rules.from"), from), h("label", { class: "inline" }, t("rules.to"), to)),
    h("div", { class: "command-row" }, simulate, admin ? save : h("span", { class: "quiet" }, t("admin.only"))), h("p", { class: "quiet" }, t("rules.simulate_note")), result);
}

function outcome(answer) {
  const cases = answer.cases || [];
  const per = Object.entries(answer.by_department || {});
  return h("div", {}, h("h2", {}, t("rules.would", { n: cases.length, seen: answer.observations ?? 0 })),
    answer.truncated ? h("p", { class: "warn-text" }, t("rules.truncated")) : null,
    per.length ? h("section", { class: "bars" }, per.map(([name, n]) => h("div", { class: "bar" }, h("span", { title: name }, name), h("i", {}, h("u", { style: { width: `${(n / Math.max(...per.map((p) => p[1]))) * 100}%` } })), h("b", {}, n)))) : null,
    table([{ title: t("fact.opened"), cell: (c) => full(c.opened_at) }, { title: t("fact.title"), cell: (c) => h("span", { class: `case-link s${c.severity || 1}` }, c.title) },
      { title: t("fact.department"), cell: (c) => c.department_name || c.department_id || "—" }], cases.slice(0, 100), { empty: t("rules.none") }),
    cases.length ? h("button", { type: "button", class: "button", onClick: () => download("simulation.csv", csv(["opened_at", "title", "severity", "site", "department"], cases.map((c) => [c.opened_at, c.title, c.severity, c.site_name, c.department_name || c.department_id]))) }, t("act.export")) : null);
}
