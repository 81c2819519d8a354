// Devices: filters, live state, last readings as a chart, quarantine, counters, commands.
import { t, term, full, number, span } from "../shared/i18n.mjs";
import { h, replace, debounce } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { cameraState, workersAtWork } from "./workers.mjs";
import { page, table, pager, tabs, choice, formDialog, failure, loading, can, departmentOptions, toast } from "./kit.mjs";
import { lineChart } from "./chart.mjs";
import { cameraView } from "../cases/video.mjs";

const SOURCES = ["gb26875", "sl651", "hj212", "jt808", "mqtt", "http", "sensorthings", "modbus", "files", "gb28181", "onvif", "connector", "webhook"];
const STATES = ["online", "silent", "flapping", "clock_off", "stuck", "out_of_range", "signal_bad", "never"];

export const mount = page((root, stops) => {
  replace(root, h("h1", {}, t("page.devices")));
  tabs(root, [
    ["all", t("devices.all"), (body) => deviceList(body, { status: "" })],
    ["quarantine", t("devices.quarantine"), (body) => deviceList(body, { status: "quarantine" })],
    ["cameras", t("layer.cameras"), cameraList],
    ["sources", t("devices.sources"), sources],
  ], stops);
});

function deviceList(body, fixed) {
  const search = new URLSearchParams(location.search);
  const wanted = { source: search.get("source") || "", state: search.get("state") || "", department: search.get("department") || "", q: search.get("q") || "", limit: 100, offset: 0, ...fixed };
  if (!fixed.status) delete wanted.status;
  const list = h("div", { class: "split-main" }, loading());
  const side = h("aside", { class: "split-side" }, h("p", { class: "quiet" }, t("devices.pick")));
  let alive = true;
  let chosen = search.get("device");
  let items = [];
  let leave = null;
  const load = async () => {
    try {
      const answer = await api.get(`/api/devices${api.query(wanted)}`);
      if (!alive) return;
      items = answer.items;
      show(answer);
    } catch (error) {
      if (alive) replace(list, failure(error, load));
    }
  };
  const set = (name) => (value) => { wanted[name] = value; wanted.offset = 0; load(); };
  const show = (answer) => {
    const columns = [
      { title: t("fact.name"), cell: (d) => [h("b", {}, d.name || d.device_id), h("small", { class: "under" }, d.device_id)] },
      { title: t("devices.type"), cell: (d) => [term("devicetype", d.device_type), h("small", { class: "under" }, term("protocol", d.source))] },
      { title: t("fact.site"), cell: (d) => d.site_name || "—" },
      { title: t("fact.state"), cell: (d) => stateChip(d) },
      { title: t("devices.last"), cell: (d) => lastValues(d) },
      { title: t("devices.heard"), cell: (d) => (d.heard_at ? t("cases.ago", { span: span(store.now() - Date.parse(d.heard_at)) }) : "—") },
    ];
    if (fixed.status === "quarantine") columns.push({ title: "", cell: (d) => (can("admin", "operator") ? h("button", { type: "button", class: "button primary", onClick: () => accept(d, load) }, t("act.accept")) : null) });
    replace(list, table(columns, items, { onRow: (d) => open(d.device_id), id: (d) => d.device_id, selected: chosen, empty: fixed.status ? t("devices.no_quarantine") : t("kit.empty") }),
      pager({ total: answer.total, limit: wanted.limit, offset: wanted.offset, go: (offset) => { wanted.offset = offset; load(); } }));
  };
  const open = (id) => {
    chosen = id;
    for (const row of list.querySelectorAll("tr[data-id]")) row.setAttribute("aria-selected", String(row.dataset.id === id));
    if (leave) leave();
    leave = device(side, id, load);
  };
  body.append(
    h("div", { class: "toolbar" },
      choice([["", t("devices.all_sources")], ...SOURCES.map((x) => [x, term("protocol", x)])], wanted.source, set("source"), t("devices.sources")),
      choice([["", t("devices.all_states")], ...STATES.map((x) => [x, term("devstate", x)])], wanted.state, set("state"), t("fact.state")),
      choice(departmentOptions(t("filter.all_departments")), wanted.department, set("department"), t("filter.department")),
      h("input", { type: "search", placeholder: t("devices.search"), "aria-label": t("devices.search"), value: wanted.q, onInput: debounce((e) => set("q")(e.target.value.trim()), 250) }),
      h("button", { type: "button", class: "button", onClick: load }, t("act.refresh"))),
    h("div", { class: "split" }, list, side));
  load().then(() => { if (chosen && alive) open(chosen); });
  const stop = store.on("device", (data) => {
    const item = items.find((d) => d.device_id === data.device_id);
    if (!item) return;
    Object.assign(item, { state: data.state || data.health?.state || item.state, reason: data.reason ?? item.reason, heard_at: data.heard_at || data.at || item.heard_at });
    if (data.values) item.values = data.values;
    const cells = [...list.querySelectorAll("tr[data-id]")].find((row) => row.dataset.id === data.device_id)?.children;
    if (cells) { replace(cells[3], stateChip(item)); replace(cells[4], lastValues(item)); cells[5].textContent = t("cases.ago", { span: span(0) }); }
  });
  return () => { alive = false; stop(); if (leave) leave(); };
}

const stateChip = (d) => [
  h("span", { class: `chip dev-${d.state}`, title: d.reason || "" }, term("devstate", d.state || "never")),
  d.status !== "accepted" ? h("span", { class: "chip dev-quarantine" }, term("devstatus", d.status)) : null,
  (d.standing || []).length ? h("span", { class: "chip dev-alarm" }, t("devices.alarms", { n: d.standing.length })) : null];

function lastValues(d) {
  const entries = Object.entries(d.values || {}).slice(0, 3);
  if (!entries.length) return "—";
  return entries.map(([key, v]) => h("span", { class: "value" }, h("b", {}, typeof v.value === "number" ? number(v.value, 3) : String(v.value)), ` ${v.unit || ""} `, h("small", {}, term("kind", key.split("/")[0]))));
}

async function accept(d, reload) {
  const sites = [["", "—"], ...[...store.state.sites.values()].map((s) => [s.site_id, s.name])];
  if (sites.length === 1) {
    const data = await api.get("/api/map/sites.geojson").catch(() => ({ features: [] }));
    for (const f of data.features) sites.push([f.properties.site_id, f.properties.name]);
  }
  const done = await formDialog(t("devices.accept_title", { id: d.device_id }), [
    { name: "name", title: t("fact.name"), value: d.name, required: true },
    { name: "device_type", title: t("devices.type"), value: d.device_type },
    { name: "site_id", title: t("fact.site"), type: "select", options: sites, value: d.site_id },
    { name: "department_id", title: t("fact.department"), type: "select", options: departmentOptions(), value: d.department_id },
    { name: "expected_interval_s", title: t("devices.interval"), type: "number", value: d.expected_interval_s, min: "1" },
  ], (values) => api.post(`/api/devices/${encodeURIComponent(d.device_id)}/accept`, values), { submit: t("act.accept") });
  if (done) { toast(t("devices.accepted", { id: d.device_id })); reload(); }
}

function device(side, id, reload) {
  let alive = true;
  const path = `/api/devices/${encodeURIComponent(id)}`;
  replace(side, loading());
  const load = async () => {
    try {
      const d = await api.get(path);
      if (!alive) return;
      const chart = h("div", { class: "chart-slot" });
      replace(side, h("div", { class: "panel-head" }, h("h2", {}, d.name || d.device_id), stateChip(d)),
        d.reason ? h("p", { class: "warn-text" }, d.reason) : null,
        chart, commands(d, path), facts(d), latest(d), d.status !== "accepted" && can("admin", "operator") ? h("button", { type: "button", class: "button primary", onClick: () => accept(d, () => { reload(); load(); }) }, t("act.accept")) : null,
        can("admin", "operator") ? h("button", { type: "button", class: "button", onClick: () => edit(d, path, () => { reload(); load(); }) }, t("act.edit")) : null);
      series(chart, d, path);
    } catch (error) {
      if (alive) replace(side, failure(error, load));
    }
  };
  load();
  return () => { alive = false; };
}

async function series(slot, d, path) {
  const known = [...new Set([...Object.keys(d.values || {}).map((k) => k.split("/")[0]), ...(d.latest || []).map((r) => r.quantity)])];
  if (!known.length) { replace(slot, h("p", { class: "quiet" }, t("devices.no_readings"))); return; }
  let quantity = known[0];
  let hours = 24;
  const plot = h("div", {});
  const load = async () => {
    replace(plot, loading());
    const from = new Date(store.now() - hours * 3600e3).toISOString();
    const step = hours <= 24 ? 0 : hours <= 24 * 7 ? 3600 : 86400;
    try {
      const answer = await api.get(`${path}/readings${api.query({ quantity, from, step, limit: 5000 })}`);
      const points = answer.points.map((p) => ({ at: Date.parse(p.observed_at || p.at || p.start || p.bucket_at), value: p.value ?? p.mean ?? p.avg, low: p.min ?? undefined, high: p.max ?? undefined })).sort((a, b) => a.at - b.at);
      const range = d.ranges?.[quantity];
      const limits = range ? [{ value: range[0], label: t("devices.low") }, { value: range[1], label: t("devices.high") }] : [];
      const gap = Math.max((d.expected_interval_s || 600) * 3000, step * 3000);
      const unit = (d.latest || []).find((r) => r.quantity === quantity)?.unit || Object.entries(d.values || {}).find(([k]) => k.startsWith(quantity))?.[1]?.unit || "";
      replace(plot, lineChart(points, { unit, limits, gap, label: term("kind", quantity) }) || h("p", { class: "quiet" }, t("devices.no_points")));
    } catch (error) {
      replace(plot, failure(error, load));
    }
  };
  replace(slot, h("div", { class: "toolbar" }, choice(known.map((q) => [q, term("kind", q)]), quantity, (v) => { quantity = v; load(); }, t("devices.quantity")),
    choice([["6", t("devices.hours", { n: 6 })], ["24", t("devices.hours", { n: 24 })], ["168", t("devices.days", { n: 7 })], ["2160", t("devices.days", { n: 90 })]], String(hours), (v) => { hours = Number(v); load(); }, t("devices.span"))), plot);
  load();
}

function commands(d, path) {
  if (!can("admin", "operator", "dispatcher") || d.status !== "accepted") return null;
  const said = h("p", { class: "quiet", role: "status" });
  const names = d.source === "gb26875" ? ["duty_check", "clock_sync", "query_now", "restart"] : ["query_now", "clock_sync", "restart"];
  const run = async (name, button) => {
    if (name === "restart" && !confirm(t("devices.really_restart"))) return;
    button.disabled = true;
    said.textContent = t("devices.sending");
    try {
      const answer = await api.post(`${path}/commands`, { name, timeout_s: name === "duty_check" ? 60 : 20 }, { timeout: 70000 });
      said.textContent = `${term("devcommand", name)}: ${answer.ok ? t("devices.ok") : t("devices.failed")} ${answer.detail || ""}`;
    } catch (error) {
      said.textContent = error.text || String(error);
    } finally {
      button.disabled = false;
    }
  };
  return h("div", {}, h("div", { class: "command-row" }, names.map((name) => h("button", { type: "button", class: "button", dataset: { command: name }, onClick: (e) => run(name, e.currentTarget) }, term("devcommand", name)))), said);
}

function facts(d) {
  const rows = [[t("fact.number"), d.device_id], [t("devices.type"), `${term("devicetype", d.device_type)} · ${term("protocol", d.source)}`], [t("fact.site"), d.site_name], [t("fact.department"), d.department_name],
    [t("fact.position"), d.lon != null ? `${d.lon.toFixed(5)}, ${d.lat.toFixed(5)} (${d.coord_sys || "wgs84"})` : null], [t("devices.interval"), d.expected_interval_s ? `${d.expected_interval_s} s` : null],
    [t("devices.first_seen"), d.first_seen_at ? full(d.first_seen_at) : null], [t("devices.heard"), d.heard_at ? full(d.heard_at) : null], [t("devices.since"), d.since ? full(d.since) : null],
    [t("devices.calibration"), Object.keys(d.calibration || {}).length ? JSON.stringify(d.calibration) : null],
    ...Object.entries(d.rain_sums_mm || {}).map(([k, v]) => [t("devices.rain", { span: k }), `${number(v, 1)} mm`])];
  return h("dl", { class: "facts" }, rows.filter(([, v]) => v).map(([k, v]) => [h("dt", {}, k), h("dd", {}, v)]));
}

function latest(d) {
  const rows = d.latest?.length ? d.latest.map((r) => ({ quantity: r.quantity, channel: r.channel, value: r.value, unit: r.unit, at: r.observed_at || r.at, quality: r.quality }))
    : Object.entries(d.values || {}).map(([k, v]) => ({ quantity: k.split("/")[0], channel: k.split("/").slice(1).join("/"), ...v }));
  if (!rows.length) return null;
  return table([
    { title: t("devices.quantity"), cell: (r) => [term("kind", r.quantity), r.channel ? h("small", { class: "under" }, r.channel) : null] },
    { title: t("fact.value"), number: true, cell: (r) => `${typeof r.value === "number" ? number(r.value, 3) : r.value ?? "—"} ${r.unit || ""}` },
    { title: t("devices.quality"), cell: (r) => term("quality", r.quality || "good") },
    { title: t("fact.observed_at"), cell: (r) => full(r.at) },
  ], rows.slice(0, 30));
}

async function edit(d, path, done) {
  const changed = await formDialog(t("devices.edit_title", { id: d.device_id }), [
    { name: "name", title: t("fact.name"), value: d.name, required: true },
    { name: "device_type", title: t("devices.type"), value: d.device_type },
    { name: "department_id", title: t("fact.department"), type: "select", options: departmentOptions(), value: d.department_id },
    { name: "expected_interval_s", title: t("devices.interval"), type: "number", value: d.expected_interval_s, min: "1" },
    { name: "lon", title: t("devices.lon"), type: "number", value: d.lon }, { name: "lat", title: t("devices.lat"), type: "number", value: d.lat },
    { name: "coord_sys", title: t("devices.coord_sys"), type: "select", options: ["wgs84", "gcj02", "bd09", "cgcs2000"].map((v) => [v, v.toUpperCase()]), value: d.coord_sys },
    { name: "calibration", title: t("devices.calibration"), type: "json", value: d.calibration, hint: '{"water_level_m": {"scale": 1.0, "offset": 0.0}}' },
    { name: "ranges", title: t("devices.ranges"), type: "json", value: d.ranges, hint: '{"water_level_m": [0, 3]}' },
    { name: "status", title: t("fact.state"), type: "select", options: ["accepted", "quarantine", "disabled"].map((v) => [v, term("devstatus", v)]), value: d.status },
  ], (values) => api.patch(path, values));
  if (changed) done();
}

function cameraList(body) {
  const wanted = { category: "", q: "", limit: 100, offset: 0, enabled: "" };
  const list = h("div", { class: "split-main" }, loading());
  const side = h("aside", { class: "split-side" }, h("p", { class: "quiet" }, t("devices.pick")));
  let leave = null;
  let alive = true;
  const load = async () => {
    try {
      const answer = await api.get(`/api/cameras${api.query(wanted)}`);
      if (!alive) return;
      replace(list, table([
        { title: t("fact.name"), cell: (c) => [h("b", {}, c.name), h("small", { class: "under" }, c.camera_id)] },
        { title: t("fact.kind"), cell: (c) => term("category", c.category) },
        { title: t("fact.site"), cell: (c) => c.site_name || "—" },
        { title: t("fact.state"), cell: cameraState },
        { title: t("vision.algorithms"), cell: (c) => (c.algorithms || []).map((a) => h("span", { class: "chip" }, term("kind", a.kind || a))) },
      ], answer.items, { id: (c) => c.camera_id, onRow: (c) => {
        if (leave) leave();
        const slot = h("div", {});
        replace(side, h("div", { class: "panel-head" }, h("h2", {}, c.name)), slot);
        leave = cameraView(slot, c.camera_id);
      } }), pager({ total: answer.total, limit: wanted.limit, offset: wanted.offset, go: (o) => { wanted.offset = o; load(); } }));
    } catch (error) {
      if (alive) replace(list, failure(error, load));
    }
  };
  const set = (name) => (value) => { wanted[name] = value; wanted.offset = 0; load(); };
  body.append(h("div", { class: "toolbar" },
    choice([["", t("devices.all_categories")], ...["fire_control_room", "fuel_station", "waterlogging", "key_place", "warehouse", "traffic", "public_security"].map((x) => [x, term("category", x)])], "", set("category"), t("fact.kind")),
    choice([["", t("devices.all_cameras")], ["true", t("devices.analysed")], ["false", t("camstate.patrol")]], "", set("enabled"), t("fact.state")),
    h("input", { type: "search", placeholder: t("devices.search"), "aria-label": t("devices.search"), onInput: debounce((e) => set("q")(e.target.value.trim()), 250) })),
  workersAtWork(), h("div", { class: "split" }, list, side));
  load();
  return () => { alive = false; if (leave) leave(); };
}

/** Counters by name, as they stand in the metrics. */
function pairsOf(counters) {
  const entries = Object.entries(counters || {}).filter(([, n]) => n);
  return entries.length ? entries.map(([name, n]) => h("span", { class: "value" }, h("small", {}, `${name.replaceAll("_", " ")} `), h("b", {}, typeof n === "number" ? number(n, 0) : String(n)))) : "—";
}

function sources(body) {
  const load = async () => {
    try {
      const answer = await api.get("/api/sources");
      replace(body, table([
        { title: t("devices.source"), cell: (s) => h("b", {}, term("protocol", s.source)) },
        ...["messages", "refused", "connections"].map((key) => ({ title: t(`devices.c_${key}`), number: true, cell: (s) => number(s[key] ?? 0, 0) })),
        { title: t("devices.c_errors"), cell: (s) => pairsOf(s.errors) }, { title: t("devices.c_events"), cell: (s) => pairsOf(s.events) },
        { title: t("devices.heard"), cell: (s) => (s.last_at ? full(s.last_at) : "—") },
      ], answer.items, { id: (s) => s.source }));
    } catch (error) {
      replace(body, failure(error, load));
    }
  };
  body.append(loading());
  load();
  const timer = setInterval(load, 5000);
  return () => clearInterval(timer);
}
