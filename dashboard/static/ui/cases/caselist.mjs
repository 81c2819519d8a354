// The desk's list: what waits for a decision, everything open, what is closed.  Rows are kept, only changed text is set anew.
import { t, caseTitle, kindTerm, short, named, ready as wordsReady } from "../shared/i18n.mjs";
import { h, icon, replace, debounce } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { mark } from "../shared/severity.mjs";
import { byUrgency, countdown, needsDecision } from "./rank.mjs";
import { valueOf, want } from "./values.mjs";
import { marks, spark, trendText, valueNode } from "./livevalue.mjs";
import { ringingIds } from "../wall/alarm.mjs";
import { pictureOf } from "../wall/media.mjs";

const LIMIT = 200;
const PICTURES = 30; // rows that show one
const TABS = ["decide", "open", "closed"];

export function mount(root) {
  const stops = [];
  wordsReady.then(() => draw(root, stops));
  store.start().catch(() => {});
  return { destroy: () => stops.forEach((run) => run()) };
}

function draw(root, stops) {
  const rows = new Map();
  let tab = "open";
  let closed = null;
  const list = h("ol", { class: "cases", role: "listbox", tabindex: "0", "aria-label": t("cases.label") });
  const state = h("div", { class: "list-state" });
  const total = h("span", { class: "list-total" });
  const tabs = h("div", { class: "list-tabs", role: "group", "aria-label": t("cases.label") });
  const items = () => {
    if (tab === "closed") return (closed || []).filter(store.matches);
    const open = byUrgency(store.shown(), ringingIds(), store.now());
    return tab === "decide" ? open.filter((c) => needsDecision(c, store.now())) : open;
  };
  const loadClosed = async () => {
    try {
      closed = (await api.get(`/api/cases${api.query({ open: "false", limit: LIMIT })}`)).items;
    } catch (error) {
      closed = [];
      store.emit("notice", { kind: "client", severity: 1, title: error.text || String(error) });
    }
    show();
  };
  const counts = () => {
    const open = store.shown();
    const n = { decide: open.filter((c) => needsDecision(c, store.now())).length, open: open.length, closed: closed ? closed.length : "" };
    replace(tabs, TABS.map((name) => h("button", { type: "button", "aria-pressed": String(name === tab), dataset: { tab: name }, onClick: () => { tab = name; closed = null; if (name === "closed") loadClosed(); show(); } },
      t(`cases.tab_${name}`), n[name] === "" ? null : h("b", {}, n[name]))));
  };
  const show = () => {
    const found = items();
    counts();
    total.textContent = t("cases.total", { n: found.length });
    message(state, tab === "closed" && closed === null ? null : found);
    const wanted = found.slice(0, LIMIT);
    const ids = new Set(wanted.map((item) => item.case_id));
    for (const [id, row] of rows) if (!ids.has(id)) { row.node.remove(); rows.delete(id); }
    let place = list.firstChild;
    wanted.forEach((item, n) => {
      let row = rows.get(item.case_id);
      if (!row) { row = newRow(item.case_id); rows.set(item.case_id, row); }
      row.show(item, n < PICTURES);
      if (row.node !== place) list.insertBefore(row.node, place);
      else place = place.nextSibling;
    });
    list.hidden = !wanted.length; // an empty listbox says nothing
    want("list", document.documentElement.dataset.layout === "wall" || tab === "closed" ? [] : wanted.slice(0, 40).map((c) => c.case_id));
    mark_(false);
  };
  const age = () => rows.forEach((row) => row.age());
  const timer = setInterval(age, 1000);
  stops.push(() => clearInterval(timer), () => want("list", []), ...["cases", "connection", "sites", "departments", "layout", "alarms", "values"].map((name) => store.on(name, show)));
  const mark_ = (fly) => {
    const id = store.state.selection?.type === "case" ? store.state.selection.id : null;
    for (const [key, row] of rows) row.node.setAttribute("aria-selected", String(key === id));
    if (fly && rows.get(id)) rows.get(id).node.scrollIntoView({ block: "nearest" });
  };
  stops.push(store.on("select", () => mark_(true)));
  list.addEventListener("keydown", (event) => keys(event, list));
  replace(root, h("div", { class: "list-head" }, tabs, total), filters(stops), state, list);
  show();
  mark_(true);
}

function message(node, items) {
  const { loaded, failed, connection, cases } = store.state;
  node.className = "list-state";
  if (failed) {
    node.classList.add("error");
    replace(node, icon("alarm", 26), h("p", {}, t("cases.failed")), h("small", {}, failed.text || String(failed)),
      h("button", { type: "button", class: "button", onClick: store.loadCases }, t("act.retry")));
  } else if (!loaded || items === null) replace(node, h("div", { class: "skeleton" }), h("div", { class: "skeleton" }), h("div", { class: "skeleton" }));
  else if (connection === "lost") replace(node, h("p", { class: "warn" }, t("cases.stale")));
  else if (!items.length) replace(node, icon("check", 30), h("p", {}, cases.size ? t("cases.none_match") : t("cases.none")));
  else replace(node);
}

function newRow(id) {
  let item = null;
  let version = -1;
  const picture = h("img", { alt: "", hidden: true, loading: "lazy" });
  picture.addEventListener("error", () => { picture.hidden = true; });
  const badge = h("span", { class: "case-badge" });
  const title = h("b", { class: "case-title" });
  const live = h("span", { class: "case-live" });
  const stage = h("span", { class: "chip" });
  const who = h("span", { class: "case-who" });
  const due = h("span", { class: "case-due" });
  const pick = () => store.select({ type: "case", id, item: item?.open ? undefined : item }, { fly: true });
  const node = h("li", { class: "case", role: "option", tabindex: "-1", "aria-selected": "false", dataset: { case: id }, onClick: pick, onKeydown: (e) => { if (e.key === "Enter") { e.preventDefault(); pick(); } } },
    h("span", { class: "case-picture" }, icon("camera", 20), picture, badge),
    h("span", { class: "case-main" }, title, live, h("span", { class: "case-line" }, who, due)));
  const set = (target, text) => { if (target.textContent !== text) target.textContent = text; };
  const age = () => {
    if (!item) return;
    if (!item.open) { set(due, item.closed_at ? short(item.closed_at) : ""); return; }
    if (!item.deadline_at) { set(due, ""); return; }
    const c = countdown(Date.parse(item.deadline_at) - store.now());
    due.className = `case-due ${c.late ? "late" : c.text.length <= 5 && c.text < "15:00" ? "soon" : ""}`;
    set(due, c.late ? t("cases.overdue", { span: c.text.slice(1) }) : t("cases.left", { span: c.days ? t("clock.days", { n: c.days }) : c.text }));
  };
  return {
    node, age,
    show(next, withPicture) {
      const before = item;
      item = next;
      const ringing = ringingIds().has(id);
      node.className = `case s${item.severity}${before ? "" : " fresh"}${ringing ? " ringing" : ""}`;
      set(title, caseTitle(item));
      title.title = item.title;
      if (!before || before.severity !== item.severity) replace(badge, mark(item.severity, "1.35rem", t(`severity.${item.severity}`)));
      const value = valueOf(id);
      const key = value ? `${value.at}:${value.value}:${value.cleared_at}` : "";
      if (live.dataset.key !== key || !before || before.state !== item.state) {
        live.dataset.key = key;
        set(stage, kindTerm(item, "state", item.state));
        stage.className = `chip st-${item.state}`;
        replace(live, valueNode(value), spark(value, 64, 16), value ? h("span", { class: "quiet" }, trendText(value).slice(0, 1)) : null, marks(value), stage);
      }
      set(who, [store.departmentOf(item) || t("cases.no_department"), item.handler_name].filter(Boolean).join(" · "));
      if (withPicture && version !== item.version && document.documentElement.dataset.layout !== "wall") {
        version = item.version;
        pictureOf(id).then((found) => { picture.hidden = !found; if (found && picture.getAttribute("src") !== found.src) picture.src = found.src; });
      }
      age();
    },
  };
}

function keys(event, list) {
  const at = /** @type {Element} */ (document.activeElement).closest?.("li.case");
  let next = null;
  if (event.key === "ArrowDown" || event.key === "j") next = at ? at.nextElementSibling : list.firstElementChild;
  else if (event.key === "ArrowUp" || event.key === "k") next = at ? at.previousElementSibling : list.lastElementChild;
  else if (event.key === "Escape") return store.select(null);
  if (next) {
    event.preventDefault();
    next.focus();
  }
}

function filters(stops) {
  const department = h("select", { "aria-label": t("filter.department"), onChange: (e) => store.filter({ department: e.target.value }) });
  const fill = () => {
    replace(department, h("option", { value: "" }, t("filter.all_departments")),
      store.state.departments.map((d) => h("option", { value: d.department_id }, named(d))));
    department.value = store.state.filters.department;
  };
  fill();
  stops.push(store.on("departments", fill));
  const search = h("input", {
    type: "search", placeholder: t("filter.search"), "aria-label": t("filter.search"), value: store.state.filters.q,
    onInput: debounce((e) => store.filter({ q: e.target.value.trim() }), 150),
  });
  const reset = h("button", { type: "button", class: "tool", hidden: true, onClick: () => {
    store.filter({ department: "", severity: [], q: "", late: false, kind: "" });
    department.value = "";
    search.value = "";
  } }, t("filter.reset"));
  const showReset = () => {
    const f = store.state.filters;
    reset.hidden = !(f.department || f.severity.length || f.q || f.late || f.kind);
    if (!search.matches(":focus")) search.value = f.q;
  };
  stops.push(store.on("cases", showReset));
  showReset();
  window.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/INPUT|TEXTAREA|SELECT/.test(/** @type {Element} */ (document.activeElement).tagName)) { event.preventDefault(); search.focus(); }
  });
  return h("div", { class: "filters" }, department, search, reset);
}
