// One case: a head that stays (value, countdown, decisions) and five tabs: Now, Why, People, History, Records.
import { t, caseTitle, kindTerm, full } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { mark } from "../shared/severity.mjs";
import * as alarm from "../wall/alarm.mjs";
import { whySteps } from "./why.mjs";
import { records } from "./records.mjs";
import { decide } from "./decide.mjs";
import { showNow } from "./casenow.mjs";
import { assignments, clocks, facts, history, related, section, stages } from "./facts.mjs";
import { countdown } from "./rank.mjs";
import { valueOf, want } from "./values.mjs";
import { marks, quantityText, trendText, valueNode } from "./livevalue.mjs";

export { section };
const TABS = ["now", "why", "people", "history", "records"];
let tab = "now"; // what somebody looks at stays when the next case comes

export function showCase(root, selection) {
  let alive = true;
  let leave = null;
  let version = -1;
  /** @type {(key: number) => void} */
  let press = () => {};
  const load = async () => {
    try {
      const detail = await api.get(`/api/cases/${encodeURIComponent(selection.id)}`);
      if (!alive) return;
      if (detail.case.version === version) return;
      version = detail.case.version;
      if (detail.case.open) store.put(detail.case);
      const scroll = root.scrollTop;
      if (leave) leave();
      const parts = new Map([...root.querySelectorAll("details.section")].map((node) => [node.firstChild.textContent, node.open])); // what somebody opened stays open
      ({ leave, press } = draw(root, detail, load));
      for (const node of root.querySelectorAll("details.section")) node.open = parts.get(node.firstChild.textContent) ?? node.open;
      root.scrollTop = scroll;
      root.dataset.case = selection.id;
      root.classList.remove("outdated");
    } catch (error) {
      if (!alive) return;
      if (error.status === 0 || error.status >= 500) setTimeout(() => { if (alive) load(); }, 5000); // nobody should have to press
      replace(root, head(t("case.unknown")), h("div", { class: "list-state error" }, icon("alarm", 26), h("p", {}, error.text || String(error)),
        h("button", { type: "button", class: "button", onClick: () => { version = -1; load(); } }, t("act.retry"))));
    }
  };
  replace(root, head(t("case.loading")), h("div", { class: "skeleton tall" }), h("div", { class: "skeleton" }), h("div", { class: "skeleton" }));
  want("panel", [selection.id]);
  load();
  const stops = [store.on("case", ({ item }) => {
    if (item.case_id !== selection.id || item.version === version) return;
    if (root.querySelector("dialog[open], .command-form")) root.classList.add("outdated"); // never pull a form from under a hand
    else load();
  }), store.on("decide", (key) => press(key))];
  return () => { alive = false; want("panel", []); stops.forEach((run) => run()); if (leave) leave(); };
}

export function head(title, extra) {
  return h("div", { class: "panel-head" }, extra, h("h2", { title }, title),
    h("button", { type: "button", class: "tool", "aria-label": t("act.close"), title: t("act.close"), onClick: () => store.select(null) }, icon("close", 18)));
}

function draw(root, detail, reload) {
  const c = detail.case;
  const live = h("div", { class: `head-live s${c.severity}` });
  const body = h("div", { class: "tab-body", role: "tabpanel" });
  const bar = h("div", { class: "panel-tabs", role: "tablist", "aria-label": t("case.tabs") });
  const { node, press } = decide(detail, reload);
  let leaveTab = null;
  const show = () => {
    if (leaveTab) leaveTab();
    leaveTab = null;
    for (const button of bar.children) {
      button.setAttribute("aria-selected", String(button.dataset.tab === tab));
      button.tabIndex = button.dataset.tab === tab ? 0 : -1;
    }
    const said = TABBED[tab](body, detail, reload);
    if (typeof said === "function") leaveTab = said;
  };
  replace(bar, TABS.map((name) => h("button", { type: "button", role: "tab", dataset: { tab: name }, onClick: () => { tab = name; show(); } }, t(`tab.${name}`),
    name === "history" ? h("small", {}, detail.transitions.length) : name === "why" && detail.observations?.length > 1 ? h("small", {}, detail.observations.length) : null)));
  bar.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    event.stopPropagation();
    tab = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length];
    show();
    bar.querySelector(`[data-tab="${tab}"]`).focus();
  });
  const drawLive = () => {
    const value = valueOf(c.case_id);
    replace(live, value && value.value !== null ? h("span", {}, h("span", { class: "quiet" }, quantityText(value)), " ", valueNode(value, true), " ", h("span", { class: "quiet" }, trendText(value))) : null, marks(value), due(c));
    live.hidden = !live.childNodes.length;
  };
  replace(root, h("div", { class: "panel-sticky" },
    head(caseTitle(c), mark(c.severity, "1.9rem", t(`severity.${c.severity}`))),
    caseTitle(c) === c.title ? null : h("p", { class: "quiet original-title", lang: "zh-CN" }, c.title),
    h("div", { class: "case-number" }, c.number, h("span", {}, store.placeOf(c)), h("span", { class: `chip st-${c.state}` }, kindTerm(c, "state", c.state))),
    live, h("div", { class: "command-slot" }, node), bar), body);
  drawLive();
  show();
  const timer = setInterval(drawLive, 1000);
  return { press, leave: () => { clearInterval(timer); if (leaveTab) leaveTab(); } };
}

function due(c) {
  if (!c.open || !c.deadline_at) return null;
  const left = countdown(Date.parse(c.deadline_at) - store.now());
  return h("span", { class: `case-due ${left.late ? "late" : ""}`, title: full(c.deadline_at) }, left.late ? t("clock.late") : t("clock.left"), " ", h("b", {}, left.days ? t("clock.days", { n: left.days }) : left.text));
}

const TABBED = {
  now: showNow,
  why: (root, detail) => { replace(root, whySteps(detail)); },
  people: (root, detail) => { replace(root, stages(detail.case), h("h3", {}, t("case.assignments")), assignments(detail.assignments), facts(detail.case)); },
  history: (root, detail) => {
    replace(root, history(detail, valueOf(detail.case.case_id), alarm.alarmOf(detail.case.case_id)), detail.clocks?.length ? section(t("case.clocks"), clocks(detail.clocks), false) : null);
  },
  records: (root, detail, reload) => { replace(root, related(t("case.children"), detail.children), related(t("case.merged"), detail.merged), records(detail, reload)); },
};
