// The list of open cases.  Rows are kept and only their changed text is set anew.
import { t, caseTitle, term, short, span, named, ready as wordsReady } from "../shared/i18n.mjs";
import { h, icon, replace, debounce } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { iconFor } from "../map/style.mjs";

const LIMIT = 200;

export function mount(root) {
  const stops = [];
  wordsReady.then(() => draw(root, stops));
  store.start().catch(() => {});
  return { destroy: () => stops.forEach((run) => run()) };
}

function draw(root, stops) {
  const rows = new Map();
  const list = h("ol", { class: "cases", tabindex: "0", "aria-label": t("cases.label") });
  const state = h("div", { class: "list-state" });
  const total = h("span", { class: "list-total" });
  const show = () => {
    const items = store.shown();
    total.textContent = t("cases.total", { n: items.length });
    message(state, items);
    const wanted = items.slice(0, LIMIT);
    const ids = new Set(wanted.map((item) => item.case_id));
    for (const [id, row] of rows) if (!ids.has(id)) { row.node.remove(); rows.delete(id); }
    let place = list.firstChild;
    for (const item of wanted) {
      let row = rows.get(item.case_id);
      if (!row) { row = newRow(item.case_id); rows.set(item.case_id, row); }
      row.show(item);
      if (row.node !== place) list.insertBefore(row.node, place);
      else place = place.nextSibling;
    }
  };
  const age = () => rows.forEach((row) => row.age());
  const timer = setInterval(age, 1000);
  stops.push(() => clearInterval(timer), store.on("cases", show), store.on("connection", show), store.on("sites", show), store.on("departments", show));
  const mark = (fly) => {
    const id = store.state.selection?.type === "case" ? store.state.selection.id : null;
    for (const [key, row] of rows) row.node.setAttribute("aria-selected", String(key === id));
    if (fly && rows.get(id)) rows.get(id).node.scrollIntoView({ block: "nearest" });
  };
  stops.push(store.on("select", () => mark(true)), store.on("cases", () => mark(false)));
  list.addEventListener("keydown", (event) => keys(event, list));
  replace(root, filters(stops), h("div", { class: "list-head" }, h("h2", {}, t("cases.title")), total), state, list);
  show();
  mark(true);
}

function message(node, items) {
  const { loaded, failed, connection, cases } = store.state;
  node.className = "list-state";
  if (failed) {
    node.classList.add("error");
    replace(node, icon("alarm", 26), h("p", {}, t("cases.failed")), h("small", {}, failed.text || String(failed)),
      h("button", { type: "button", class: "button", onClick: store.loadCases }, t("act.retry")));
  } else if (!loaded) replace(node, h("div", { class: "skeleton" }), h("div", { class: "skeleton" }), h("div", { class: "skeleton" }));
  else if (connection === "lost") replace(node, h("p", { class: "warn" }, t("cases.stale")));
  else if (!items.length) replace(node, icon("check", 30), h("p", {}, cases.size ? t("cases.none_match") : t("cases.none")));
  else replace(node);
}

function newRow(id) {
  let item = null;
  const mark = h("span", { class: "case-icon" });
  const title = h("b", { class: "case-title" });
  const stage = h("span", { class: "chip" });
  const place = h("span", { class: "case-place" });
  const who = h("span", { class: "case-who" });
  const aged = h("time", { class: "case-age" });
  const due = h("span", { class: "case-due" });
  const pick = () => store.select({ type: "case", id }, { fly: true });
  const node = h("li", { class: "case", role: "option", tabindex: "-1", dataset: { case: id }, onClick: pick, onKeydown: (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); pick(); } } },
    mark, h("div", { class: "case-main" },
      h("div", { class: "case-line" }, title, stage),
      h("div", { class: "case-line" }, place, who),
      h("div", { class: "case-line small" }, aged, due)));
  const set = (target, text) => { if (target.textContent !== text) target.textContent = text; };
  const age = () => {
    if (!item) return;
    const opened = Date.parse(item.opened_at);
    set(aged, `${short(item.opened_at)} · ${t("cases.ago", { span: span(store.now() - opened) })}`);
    if (!item.deadline_at) { set(due, ""); return; }
    const left = Date.parse(item.deadline_at) - store.now();
    due.className = `case-due ${left < 0 ? "late" : left < 900000 ? "soon" : ""}`;
    set(due, left < 0 ? t("cases.overdue", { span: span(left) }) : t("cases.left", { span: span(left) }));
  };
  return {
    node, age,
    show(next) {
      const before = item;
      item = next;
      node.className = `case s${item.severity}${before ? "" : " fresh"}`;
      set(title, caseTitle(item, false)); // the place stands below
      title.title = item.title;
      set(stage, term("state", item.state));
      stage.className = `chip st-${item.state}`;
      set(place, store.placeOf(item) || t("cases.no_place"));
      set(who, store.departmentOf(item) || t("cases.no_department"));
      if (!before || before.kind !== item.kind) replace(mark, icon(iconFor(item.kind || item.class_code), 20));
      age();
    },
  };
}

function keys(event, list) {
  const at = document.activeElement.closest?.("li.case");
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
    if (event.key === "/" && !/INPUT|TEXTAREA|SELECT/.test(document.activeElement.tagName)) { event.preventDefault(); search.focus(); }
  });
  return h("div", { class: "filters" }, department, search, reset);
}
