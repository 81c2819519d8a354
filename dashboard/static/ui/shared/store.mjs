// What the page knows: who I am, the open cases, the selection, the live connection.
import * as api from "./api.mjs";
import { openStream } from "./live.mjs";
import { ready as wordsReady, caseTitle, language, named } from "./i18n.mjs";

const bus = new EventTarget();
export const on = (name, run) => {
  const wrapped = (event) => run(event.detail);
  bus.addEventListener(name, wrapped);
  return () => bus.removeEventListener(name, wrapped);
};
export const emit = (name, detail) => bus.dispatchEvent(new CustomEvent(name, { detail }));

/** @typedef {{type: string, id: string}} Selection */
/**
 * @type {{me: any, cases: Map<string, any>, loaded: boolean, failed: any, departments: any[], connection: string, skew: number, drill: any,
 *   filters: {department: string, severity: number[], q: string, late: boolean, kind: string}, selection: Selection | null, layers: string, at: string,
 *   sites: Map<string, any>, divisions: Map<string, any>, cameras: Map<string, any>}}
 */
export const state = {
  me: null,
  cases: new Map(),
  loaded: false,
  failed: null,
  departments: [],
  connection: "connecting", // connecting, live, lost
  skew: 0, // server clock minus ours, ms
  drill: null,
  filters: { department: "", severity: [], q: "", late: false, kind: "" },
  selection: null, // {type, id}
  layers: "", // switched-off layers of the map, as the address has them
  at: "", // the instant that the time slider shows; empty: now
  sites: new Map(),
  divisions: new Map(),
  cameras: new Map(),
};

export const now = () => Date.now() + state.skew;
export const isLate = (item) => item.open && item.deadline_at && Date.parse(item.deadline_at) < now();

/** Place and department of a case in the viewer's language, as far as the registry knows them. */
/** A case's division in the viewer's language; of a community that the map does not hold, its street. @param {any} item */
export const divisionOf = (item) => (item.division_code && language() === "en" && (state.divisions.get(item.division_code) || state.divisions.get(item.division_code.slice(0, 9)))?.name_en) || item.division_name || "";
export const placeOf = (item) => (item.site_id && named(state.sites.get(item.site_id) || null, "name") !== "—" ? named(state.sites.get(item.site_id)) : named({ name: item.site_name || "", name_en: item.site_name_en }).replace("—", "") || divisionOf(item));
export function departmentOf(item) {
  const known = state.departments.find((d) => d.department_id === item.department_id);
  return known ? named(known) : item.department_name || "";
}

// --- address: filters and selection in the query string, the map's view in the hash -------------
function readAddress() {
  const search = new URLSearchParams(location.search);
  state.filters.department = search.get("department") || "";
  state.filters.severity = (search.get("severity") || "").split(",").filter(Boolean).map(Number);
  state.filters.q = search.get("q") || "";
  state.filters.late = search.get("late") === "1";
  state.filters.kind = search.get("kind") || "";
  state.layers = search.get("layers") || "";
  state.at = search.get("at") || "";
  const deep = location.pathname.match(/^\/cases\/([^/]+)$/);
  /** @type {Selection | null} */
  let selection = null;
  if (deep) selection = { type: "case", id: decodeURIComponent(deep[1]) };
  for (const type of ["case", "site", "camera", "building"]) {
    if (search.get(type)) selection = { type, id: /** @type {string} */ (search.get(type)) };
  }
  state.selection = selection;
}

export function writeAddress() {
  const { department, severity, q, late, kind } = state.filters;
  const before = new URLSearchParams(location.search);
  /** @type {Record<string, any>} */
  const values = { department, severity, q, late: late ? "1" : "", kind, layers: state.layers, at: state.at, view: before.get("view") ? document.documentElement.dataset.layout : "" };
  let path = location.pathname.startsWith("/cases/") ? "/" : location.pathname;
  if (state.selection) {
    if (state.selection.type === "case") path = `/cases/${encodeURIComponent(state.selection.id)}`;
    else values[state.selection.type] = state.selection.id;
  }
  // replaceState keeps Dash's router (which watches pushState) from drawing the page anew.
  history.replaceState(history.state, "", path + api.query(values) + location.hash);
}

export function select(selection, { fly = false } = {}) {
  state.selection = selection;
  writeAddress();
  emit("select", { selection, fly });
}

export function filter(changes) {
  Object.assign(state.filters, changes);
  writeAddress();
  emit("cases", { reason: "filter" });
}

export function matches(item) {
  const f = state.filters;
  if (f.department && item.department_id !== f.department) return false;
  if (f.severity.length && !f.severity.includes(item.severity)) return false;
  if (f.kind && item.kind !== f.kind) return false;
  if (f.late && !isLate(item)) return false;
  if (f.q) {
    const text = `${item.title} ${caseTitle(item)} ${item.number} ${item.site_name || ""} ${item.site_name_en || ""} ${item.department_name || ""} ${item.division_name || ""}`;
    if (!text.toLowerCase().includes(f.q.toLowerCase())) return false;
  }
  return true;
}

export const shown = () =>
  [...state.cases.values()].filter((item) => item.open && matches(item))
    .sort((a, b) => b.severity - a.severity || (isLate(b) ? 1 : 0) - (isLate(a) ? 1 : 0) || (a.opened_at < b.opened_at ? 1 : -1));

const FIRST_PAGE = "/api/cases?open=true&limit=500";
let loading = 0; // lists that are on their way
const meanwhile = new Map(); // what came live while they were
let behind = false; // the cases came with the page, before the stream was open: read once more when it is

// --- cases ----------------------------------------------------------------------------------------
export async function loadCases() {
  loading += 1;
  try {
    behind ||= api.came(FIRST_PAGE);
    const fresh = new Map();
    let cursor = "";
    for (let page = 0; page < 10; page++) {
      const answer = await api.get(`/api/cases${api.query({ open: "true", limit: 500, cursor })}`);
      for (const item of answer.items) fresh.set(item.case_id, item);
      cursor = answer.next;
      if (!cursor) break;
    }
    // Live events may have overtaken the list: also of cases that it does not hold yet, or still holds.
    for (const [id, item] of fresh) {
      const known = state.cases.get(id);
      if (known && known.version > item.version) fresh.set(id, known);
    }
    for (const [id, item] of meanwhile) {
      const listed = fresh.get(id);
      if (listed && listed.version >= item.version) continue;
      if (item.open === false) fresh.delete(id);
      else fresh.set(id, item);
    }
    state.cases = fresh;
    state.loaded = true;
    state.failed = null;
  } catch (error) {
    state.failed = error;
  }
  loading -= 1;
  if (!loading) meanwhile.clear();
  emit("cases", { reason: "load" });
}

export function put(item) {
  const known = state.cases.get(item.case_id);
  if (known && known.version > item.version) return;
  const merged = { ...known, ...item };
  if (loading) meanwhile.set(item.case_id, merged);
  if (merged.open === false) {
    state.cases.delete(item.case_id);
    emit("case", { item: merged, gone: true, fresh: false });
  } else {
    state.cases.set(item.case_id, merged);
    emit("case", { item: merged, gone: false, fresh: !known, risen: Boolean(known) && item.severity > known.severity });
  }
  scheduleList();
}

let listTimer = null;
function scheduleList() {
  // A burst of events draws the list once.
  if (listTimer) return;
  listTimer = setTimeout(() => {
    listTimer = null;
    emit("cases", { reason: "live" });
  }, 120);
}

// --- live -----------------------------------------------------------------------------------------
let stream = null;
let retry = 1000;
let lastHeard = 0;
let hadLoss = false;

function heard() {
  lastHeard = Date.now();
  retry = 1000;
  if (state.connection !== "live") {
    state.connection = "live";
    emit("connection", state.connection);
    if (hadLoss || behind) loadCases(); // what was missed meanwhile
    hadLoss = behind = false;
  }
}

function lost() {
  if (stream) stream.leave();
  stream = null;
  hadLoss = true;
  if (state.connection !== "lost") {
    state.connection = "lost";
    emit("connection", state.connection);
  }
  clearTimeout(retryTimer);
  retryTimer = setTimeout(connect, retry);
  retry = Math.min(retry * 2, 3000); // a city that is back is seen within seconds
}

let retryTimer = null;
const HANDLERS = {
  hello(data) {
    state.drill = data.drill || null;
    emit("hello", data);
  },
  beat() {},
  case: put,
  camera: (data) => emit("camera", data),
  device: (data) => emit("device", data),
  notice: (data) => emit("notice", data),
  alarm: (data) => emit("alarm", data),
  aircraft: (data) => emit("aircraft", data),
};

async function connect() {
  if (stream) return;
  if (hadLoss) {
    try {
      await api.me(); // a session that ended meanwhile sends to the login page
    } catch (error) {
      if (error.status !== 401) lost();
      return;
    }
  }
  let mine = null;
  mine = openStream((name, text) => {
    if (mine !== null && stream !== mine) return; // a stream that we left
    if (name === "error") return void lost();
    heard();
    if (!HANDLERS[name]) return;
    let data = null;
    try {
      data = JSON.parse(text);
    } catch {
      return;
    }
    if (data && data.server_time) state.skew = Date.parse(data.server_time) - Date.now();
    HANDLERS[name](data);
  });
  stream = mine;
  lastHeard = Date.now();
}

/** Ends the stream of every tab: before logging out. */
export const endStream = () => { if (stream) stream.end(); };

setInterval(() => {
  if (stream && lastHeard && Date.now() - lastHeard > 45000) lost();
}, 5000);

/** As if the connection had broken now: for tests of recovery. */
export const drop = () => lost();
export const freeze = () => { if (stream) { stream.leave(); stream = null; } };

// --- start ----------------------------------------------------------------------------------------
let started = null;
export function start() {
  if (!started) started = begin();
  return started;
}

/** @type {Promise<Map<string, any>> | null} */
let classesRead = null;

/** The classes of cases by code; read once, when somebody first looks at a case of one. */
export function classes() {
  classesRead ??= api.get("/api/classes").then((answer) => new Map(answer.items.map((one) => [one.code, one])))
    .catch(() => { classesRead = null; return new Map(); });
  return classesRead;
}

const PATIENCE_MS = 2500;
let mapSeen = () => {};
const mapDrawn = new Promise((resolve) => { mapSeen = () => resolve(undefined); });
/** The map tells that it is drawn for the first time. */
export const drawn = () => mapSeen();
/** When the first map stands, or has taken too long: what the person does not see yet waits for it. */
export const firstMap = () => (document.getElementById("map") ? Promise.race([mapDrawn, new Promise((resolve) => { setTimeout(resolve, PATIENCE_MS); })]) : Promise.resolve());

async function begin() {
  await wordsReady;
  readAddress();
  window.addEventListener("popstate", () => { readAddress(); emit("select", { selection: state.selection, fly: true }); });
  state.me = await api.me();
  emit("me", state.me);
  firstMap().then(connect);
  const departments = api.get("/api/departments").then((answer) => {
    state.departments = answer.items || answer;
    emit("departments", state.departments);
  }).catch(() => {});
  await Promise.allSettled([loadCases(), departments]);
}

window.addEventListener("pagehide", () => { if (stream) stream.leave(); });
window.addEventListener("pageshow", (event) => { if (event.persisted && started) { stream = null; connect(); } });
