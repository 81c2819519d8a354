// Emergency plans and the duty roster.
import { t, caseTitle, term, full, short, clock, named, number } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { taskList } from "../cases/plantasks.mjs";
import { page, table, tabs, formDialog, failure, loading, can, departmentOptions, toast } from "./kit.mjs";

export const mount = page((root, stops) => {
  replace(root, h("h1", {}, t("page.plans")));
  tabs(root, [["duty", t("plans.duty"), duty], ["plans", t("plans.plans"), plans]], stops);
});

const mine = (shift) => shift.user_id === store.state.me?.user_id; // a shift is handed over by the one who stands it
const DAY = 86400e3;
const midnight = (ms) => Math.floor((ms + 8 * 3600e3) / DAY) * DAY - 8 * 3600e3; // Beijing's

function duty(body) {
  let start = midnight(store.now());
  const table_ = h("div", {}, loading());
  const load = async () => {
    try {
      const answer = await api.get(`/api/duty${api.query({ from: new Date(start).toISOString(), to: new Date(start + 7 * DAY).toISOString() })}`);
      draw(answer.items || []);
    } catch (error) {
      replace(table_, failure(error, load));
    }
  };
  const draw = (items) => {
    const days = [...Array(7).keys()].map((i) => start + i * DAY);
    const departments = [...new Map(items.map((s) => [s.department_id, store.departmentOf(s) || s.department_id])).entries()];
    const now = store.now();
    const shift = (s) => h("div", { class: `shift ${Date.parse(s.starts_at) <= now && now < Date.parse(s.ends_at) ? "now" : ""}` },
      h("b", {}, s.user_name || s.user_id), h("small", {}, `${clock(new Date(s.starts_at)).slice(0, 5)}–${clock(new Date(s.ends_at)).slice(0, 5)} · ${term("post", s.post || s.role || "duty")}`),
      s.substitute_for_name || s.substitute_for ? h("small", { class: "warn-text" }, t("plans.for", { name: s.substitute_for_name || s.substitute_for })) : null,
      s.handed_over_at ? h("small", { class: "quiet" }, t("plans.handed", { time: short(s.handed_over_at), name: s.handed_over_to_name || s.handed_over_to || "—" })) : null,
      s.handover_note || s.note ? h("small", { class: "quiet" }, s.handover_note || s.note) : null,
      can("admin", "manager", "dispatcher", "operator") || mine(s) ? h("div", { class: "row-tools" }, s.handed_over_at || !(can("admin") || mine(s)) ? null : h("button", { type: "button", class: "tool", onClick: () => handOver(s, load) }, t("plans.hand_over")),
        Date.parse(s.starts_at) <= now ? h("button", { type: "button", class: "tool", onClick: () => standIn(s, load) }, t("plans.substitute")) : h("button", { type: "button", class: "tool", "aria-label": t("act.delete"), onClick: async () => { if (confirm(t("plans.really_delete"))) { await api.remove(`/api/duty/${encodeURIComponent(s.shift_id || s.duty_id)}`).catch((e) => toast(e.text, 3)); load(); } } }, "×")) : null);
    replace(table_, departments.length ? h("div", { class: "table-wrap" }, h("table", { class: "grid roster" },
      h("thead", {}, h("tr", {}, h("th", {}, t("fact.department")), days.map((d) => h("th", { class: d === midnight(now) ? "today" : "" }, new Intl.DateTimeFormat(document.documentElement.lang, { month: "numeric", day: "numeric", weekday: "short", timeZone: "Asia/Shanghai" }).format(new Date(d)))))),
      h("tbody", {}, departments.map(([id, name]) => h("tr", {}, h("th", { scope: "row" }, name), days.map((d) => h("td", {},
        items.filter((s) => s.department_id === id && Date.parse(s.starts_at) < d + DAY && Date.parse(s.ends_at) > d && (Date.parse(s.starts_at) >= d || d === start)).map(shift)))))))) : h("div", { class: "list-state" }, h("p", {}, t("plans.nobody"))));
  };
  const move = (days) => { start += days * DAY; load(); };
  body.append(h("div", { class: "toolbar" }, h("button", { type: "button", class: "button", onClick: () => move(-7) }, "‹"), h("button", { type: "button", class: "button", onClick: () => { start = midnight(store.now()); load(); } }, t("plans.this_week")), h("button", { type: "button", class: "button", onClick: () => move(7) }, "›"),
    can("admin", "manager", "dispatcher", "operator") ? h("button", { type: "button", class: "button primary", onClick: () => add(load) }, t("plans.add_shift")) : null), table_);
  load();
}

async function people(department) {
  return api.get(`/api/users${api.query({ department, limit: 500 })}`).then((a) => a.items.map((u) => [u.user_id, `${u.name} (${u.login})`])).catch(() => []);
}

async function add(load) {
  const first = await formDialog(t("plans.add_shift"), [{ name: "department_id", title: t("fact.department"), type: "select", options: departmentOptions(), required: true }], (v) => v, { submit: t("plans.next") });
  if (!first) return;
  const options = await people(first.department_id);
  const made = await formDialog(t("plans.add_shift"), [
    { name: "user_id", title: t("field.user_id"), type: "select", options, required: true },
    { name: "post", title: t("plans.post"), type: "select", options: ["duty", "leader", "dispatcher"].map((p) => [p, term("post", p)]), value: "duty" },
    { name: "starts_at", title: t("rules.from"), type: "datetime-local", required: true }, { name: "ends_at", title: t("rules.to"), type: "datetime-local", required: true },
    { name: "substitute_for", title: t("plans.substitute"), type: "select", options: [["", "—"], ...options] },
  ], (v) => api.post("/api/duty", { ...first, ...v }));
  if (made) load();
}

async function handOver(shift, load) {
  const options = await people(shift.department_id);
  const done = await formDialog(t("plans.hand_over"), [{ name: "to", title: t("plans.to"), type: "select", options, required: true }, { name: "note", title: t("plans.note"), type: "textarea", required: true }],
    (v) => api.post(`/api/duty/${encodeURIComponent(shift.shift_id || shift.duty_id)}/handover`, { user_id: v.to, note: v.note }));
  if (done) load();
}

async function standIn(shift, load) {
  const options = await people(shift.department_id);
  const done = await formDialog(t("plans.substitute"), [{ name: "user_id", title: t("field.user_id"), type: "select", options, required: true }],
    (v) => api.post(`/api/duty/${encodeURIComponent(shift.shift_id || shift.duty_id)}/substitute`, v));
  if (done) load();
}

function plans(body) {
  const list = h("div", { class: "split-main" }, loading());
  const side = h("aside", { class: "split-side" }, h("p", { class: "quiet" }, t("plans.pick")));
  body.append(h("div", { class: "split" }, list, side));
  const load = async () => {
    try {
      const answer = await api.get("/api/plans");
      replace(list, table([
        { title: t("fact.name"), cell: (p) => [h("b", {}, p.name), h("small", { class: "under" }, p.plan_id)] }, { title: t("plans.level"), cell: (p) => (p.level ? t("plans.level_n", { n: ["", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ"][p.level] || p.level }) : "—") },
        { title: t("plans.tasks"), number: true, cell: (p) => (p.body?.tasks || p.tasks || []).length }, { title: t("fact.version"), number: true, key: "version" },
        { title: t("fact.state"), cell: (p) => h("span", { class: `chip ${p.enabled === false ? "cam-offline" : "cam-online"}` }, p.enabled === false ? t("rules.off") : t("rules.on")) },
      ], answer.items || [], { id: (p) => p.plan_id, onRow: (p) => plan(side, p, load), empty: t("plans.none") }), runs(answer.runs || [], side, load));
      const wanted = answer.items.find((p) => p.plan_id === new URLSearchParams(location.search).get("plan"));
      if (wanted && !side.dataset.shown) { side.dataset.shown = "1"; plan(side, wanted, load); }
    } catch (error) {
      replace(list, failure(error, load));
    }
  };
  load();
}

function departmentName(id) {
  if (id === "street" || id === "site") return t(`plans.dept_${id}`);
  return id ? named(store.state.departments.find((d) => d.department_id === id) || { name: id }) : "";
}

const runs = (items, side, load) => (items.length ? h("div", {}, h("h2", {}, t("plans.runs")), table([
  { title: t("fact.name"), key: "plan_name" }, { title: t("plans.case"), cell: (r) => (r.case_id ? h("a", { href: `/cases/${encodeURIComponent(r.case_id)}` }, r.case_number || r.case_id) : "—") }, { title: t("rules.from"), cell: (r) => full(r.started_at) }, { title: t("fact.state"), cell: (r) => (r.ended_at ? full(r.ended_at) : t("plans.running")) },
  { title: t("plans.by"), cell: (r) => r.started_by_name || r.started_by },
  { title: t("plans.tasks"), cell: (r) => `${(r.tasks || []).filter((x) => x.state === "done").length} / ${(r.tasks || []).length}` },
], items, { id: (r) => r.run_id, onRow: (r) => run(side, r, load) })) : null);

/** A plan in force: its tasks, to take on and to tick off. */
function run(side, r, reload) {
  const again = async () => {
    await reload();
    const answer = await api.get("/api/plans");
    const fresh = (answer.runs || []).find((x) => x.run_id === r.run_id);
    if (fresh) run(side, fresh, reload);
  };
  replace(side, h("div", { class: "panel-head" }, h("h2", {}, r.plan_name)), r.case_id ? h("a", { href: `/cases/${encodeURIComponent(r.case_id)}` }, r.case_number || r.case_id) : null, taskList(r.tasks || [], again));
}

function plan(side, p, reload) {
  const body = p.body || p;
  const tasks = body.tasks || [];
  const open = store.shown();
  const select = h("select", { "aria-label": t("plans.case") }, h("option", { value: "" }, t("plans.choose_case")), open.map((c) => h("option", { value: c.case_id }, `${c.number} ${caseTitle(c)}`)));
  const given = new URLSearchParams(location.search).get("case");
  if (given) select.value = given;
  const start = h("button", { type: "button", class: "button primary", onClick: async () => {
    if (!select.value) return void select.focus();
    if (!confirm(t("plans.really_start", { name: p.name }))) return;
    start.disabled = true;
    try {
      await api.post(`/api/plans/${encodeURIComponent(p.plan_id)}/start`, { case_id: select.value });
      toast(t("plans.started", { name: p.name }), 2);
      reload();
    } catch (error) {
      toast(error.text || String(error), 3);
    } finally {
      start.disabled = false;
    }
  } }, t("plans.start"));
  const names = (items) => (items || []).map((x) => (typeof x === "string" ? x : x.name || x.title || x.user_id || x.site_id || x.camera_id)).join("、");
  replace(side, h("div", { class: "panel-head" }, h("h2", {}, p.name)), body.description ? h("p", {}, body.description) : null,
    h("h2", {}, t("plans.tasks")), h("ol", { class: "why-lines" }, tasks.map((x) => h("li", {}, h("b", {}, x.title), h("span", { class: "soft" }, ` ${[departmentName(x.department_id || x.department), x.due ? `${number(x.due.value)} ${term("unit", x.due.unit)}` : null, x.post ? term("post", x.post) : null].filter(Boolean).join(" · ")}`)))),
    [["people", body.people], ["warehouses", body.warehouses], ["cameras", body.cameras]].filter(([, v]) => v?.length).map(([k, v]) => h("p", {}, h("b", {}, t(`plans.${k}`)), " ", names(v))),
    can("admin", "operator", "dispatcher", "manager") ? h("div", { class: "stack" }, h("label", {}, h("span", {}, t("plans.case")), select), start) : null);
}
