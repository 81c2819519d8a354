// Administration: people, departments, cameras, notices and interfaces, dead letters, audit.
import { t, term, full, named } from "../shared/i18n.mjs";
import { interfaces, audit, showOnce } from "./admin_outside.mjs";
import { h, replace, debounce } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { page, table, pager, tabs, choice, formDialog, failure, loading, can, departmentOptions, toast } from "./kit.mjs";

const ROLES = ["admin", "operator", "dispatcher", "staff", "inspector", "grid_worker", "manager", "drone", "viewer"];

export const mount = page((root, stops) => {
  replace(root, h("h1", {}, t("page.admin")));
  if (!can("admin")) { root.append(h("p", { class: "quiet" }, t("admin.only"))); return; }
  tabs(root, [["users", t("admin.users"), users], ["departments", t("admin.departments"), departments], ["cameras", t("layer.cameras"), cameras],
    ["interfaces", t("admin.interfaces"), interfaces], ["dead", t("admin.dead"), deadLetters], ["audit", t("admin.audit"), audit]], stops);
});

function paged(body, path, wanted, tools, columns, options = {}) {
  const list = h("div", {}, loading());
  const load = async () => {
    try {
      const answer = await api.get(`${path}${api.query(wanted)}`);
      replace(list, table(columns(load), answer.items || answer, options), pager({ total: answer.total ?? (answer.items || answer).length, limit: wanted.limit, offset: wanted.offset, go: (o) => { wanted.offset = o; load(); } }));
    } catch (error) {
      replace(list, failure(error, load));
    }
  };
  const set = (name) => (value) => { wanted[name] = value; wanted.offset = 0; load(); };
  body.append(h("div", { class: "toolbar" }, tools(set, load)), list);
  load();
}

const searchBox = (set, label) => h("input", { type: "search", placeholder: label, "aria-label": label, onInput: debounce((e) => set("q")(e.target.value.trim()), 250) });

function users(body) {
  const roleOptions = ROLES.map((r) => [r, term("userrole", r)]);
  const edit = async (user, load) => {
    const fields = [
      ...(user ? [] : [{ name: "login", title: t("login.name"), required: true }]),
      { name: "name", title: t("admin.person"), value: user?.name, required: true },
      { name: "roles", title: t("admin.roles"), type: "select", multiple: true, options: roleOptions, value: user?.roles, required: true },
      { name: "department_id", title: t("fact.department"), type: "select", options: departmentOptions(), value: user?.department_id },
      { name: "division_code", title: t("admin.beat"), value: user?.division_code },
      ...(user ? [{ name: "active", title: t("admin.active"), type: "checkbox", value: user.active }] : []),
    ];
    const made = await formDialog(user ? t("admin.edit_user", { name: user.name }) : t("admin.new_user"), fields, (values) => {
      if (!values.division_code) values.division_code = null;
      return user ? api.patch(`/api/users/${encodeURIComponent(user.user_id)}`, values) : api.post("/api/users", values);
    });
    if (made?.password) showPassword(made);
    if (made) load();
  };
  const reset = async (user) => {
    if (!confirm(t("admin.really_reset", { name: user.name }))) return;
    try {
      showPassword({ login: user.login, ...(await api.post(`/api/users/${encodeURIComponent(user.user_id)}/password`)) });
    } catch (error) {
      toast(error.text, 3);
    }
  };
  paged(body, "/api/users", { q: "", role: "", department: "", all: "true", limit: 50, offset: 0 }, (set, load) => [
    searchBox(set, t("admin.search_user")), choice([["", t("admin.all_roles")], ...roleOptions], "", set("role"), t("admin.roles")),
    choice(departmentOptions(t("filter.all_departments")), "", set("department"), t("filter.department")),
    h("button", { type: "button", class: "button primary", onClick: () => edit(null, load) }, t("admin.new_user"))],
  (load) => [
    { title: t("login.name"), cell: (u) => h("b", {}, u.login) }, { title: t("admin.person"), key: "name" },
    { title: t("admin.roles"), cell: (u) => u.roles.map((r) => h("span", { class: "chip" }, term("userrole", r))) },
    { title: t("fact.department"), cell: (u) => named({ name: u.department_name, name_en: u.department_name_en }) }, { title: t("admin.beat"), cell: (u) => u.division_name || u.division_code || "—" },
    { title: t("fact.state"), cell: (u) => h("span", { class: `chip ${u.active ? (u.can_log_in ? "cam-online" : "") : "cam-offline"}` }, u.active ? (u.can_log_in ? t("admin.can_log_in") : t("admin.no_password")) : t("admin.closed")) },
    { title: "", cell: (u) => h("div", { class: "row-tools" }, h("button", { type: "button", class: "tool", onClick: () => edit(u, load) }, t("act.edit")), h("button", { type: "button", class: "tool", onClick: () => reset(u).then(load) }, t("admin.reset"))) },
  ], { id: (u) => u.user_id });
}

const showPassword = (made) => showOnce(t("admin.password_once"), made.login, made.password);

function departments(body) {
  const count = (id) => [...store.state.cases.values()].filter((c) => c.open && c.department_id === id).length;
  body.append(table([
    { title: t("fact.name"), cell: (d) => [h("b", {}, named(d)), h("small", { class: "under" }, named(d) === d.name ? d.name_en || "" : d.name)] }, { title: t("fact.number"), key: "department_id" },
    { title: t("fact.kind"), cell: (d) => term("deptkind", d.kind) }, { title: t("admin.phone"), cell: (d) => d.phone || "—" }, { title: t("overview.open"), number: true, cell: (d) => count(d.department_id) },
  ], store.state.departments, { id: (d) => d.department_id }));
}

function cameras(body) {
  const edit = async (camera, load) => {
    let detail;
    try { detail = await api.get(`/api/cameras/${encodeURIComponent(camera.camera_id)}`); } catch (error) { toast(error.text, 3); return; }
    const done = await formDialog(t("admin.edit_camera", { name: camera.name }), [
      { name: "name", title: t("fact.name"), value: detail.name, required: true }, { name: "enabled", title: t("devices.analysed"), type: "checkbox", value: detail.enabled },
      { name: "analysis_fps", title: t("admin.fps"), type: "number", value: detail.analysis_fps, min: "0.05", max: "25" },
      { name: "priority", title: t("admin.priority"), type: "number", value: detail.priority, min: "1", max: "9", step: "1" },
    ], (values) => api.patch(`/api/cameras/${encodeURIComponent(camera.camera_id)}`, values));
    if (done) load();
  };
  paged(body, "/api/cameras", { q: "", category: "", limit: 50, offset: 0 }, (set) => [searchBox(set, t("devices.search")),
    choice([["", t("devices.all_categories")], ...["fire_control_room", "fuel_station", "waterlogging", "key_place", "warehouse", "traffic", "public_security"].map((x) => [x, term("category", x)])], "", set("category"), t("fact.kind"))],
  (load) => [
    { title: t("fact.name"), cell: (c) => [h("b", {}, c.name), h("small", { class: "under" }, c.camera_id)] }, { title: t("fact.kind"), cell: (c) => term("category", c.category) },
    { title: t("fact.site"), cell: (c) => c.site_name || "—" }, { title: t("fact.department"), cell: (c) => c.department_name || "—" },
    { title: t("fact.state"), cell: (c) => h("span", { class: `chip cam-${c.state}` }, term("camstate", c.state)) },
    { title: "", cell: (c) => h("div", { class: "row-tools" }, h("button", { type: "button", class: "tool", onClick: () => edit(c, load) }, t("act.edit")), h("a", { class: "tool", href: `/vision?camera=${encodeURIComponent(c.camera_id)}` }, t("camera.zones"))) },
  ], { id: (c) => c.camera_id });
}

function deadLetters(body) {
  paged(body, "/api/dead-letters", { resolved: "", limit: 100, offset: 0 }, (set) => [choice([["", t("admin.unresolved")], ["true", t("admin.resolved")]], "", set("resolved"), t("fact.state"))],
    (load) => [
      { title: t("admin.when"), cell: (d) => full(d.happened_at) }, { title: t("admin.subject"), cell: (d) => h("code", {}, d.subject) }, { title: t("admin.error"), cell: (d) => h("span", { class: "warn-text" }, d.error) },
      { title: t("admin.tries"), number: true, key: "deliveries" }, { title: t("admin.payload"), cell: (d) => h("details", {}, h("summary", {}, t("admin.show")), h("pre", {}, d.payload)) },
      { title: "", cell: (d) => (d.resolved_at ? full(d.resolved_at) : h("div", { class: "row-tools" }, ["redeliver", "resolve"].map((what) => h("button", { type: "button", class: "tool", dataset: { do: what }, onClick: async () => {
        await api.post(`/api/dead-letters/${encodeURIComponent(d.dead_letter_id)}/${what}`).catch((error) => toast(error.text, 3));
        load();
      } }, t(`admin.${what}`))))) },
    ], { id: (d) => d.dead_letter_id, empty: t("admin.no_dead") });
}
