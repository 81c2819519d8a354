// The wall's left side: the cases that need a decision most, six or as many as stand there readable across the room.
import { t, caseTitle, term } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { mark } from "../shared/severity.mjs";
import { byUrgency, countdown, needsDecision, unconfirmed } from "../cases/rank.mjs";
import { valueOf, want } from "../cases/values.mjs";
import { clearedShort, spark, trendText, valueNode } from "../cases/livevalue.mjs";
import * as alarm from "./alarm.mjs";
import { pictureOf } from "./media.mjs";

const MOST = 6;
const LEAST = 3;
const ROW_REM = 9; // title in two lines, picture with figures, who has it

/** The cases that the wall turns to, most urgent first. */
export const urgent = () => byUrgency(store.state.cases.values(), alarm.ringingIds(), store.now());

export function decisions(root, stops) {
  const rows = new Map();
  const head = h("div", { class: "left-head" });
  const list = h("ol", { class: "decisions" });
  const none = h("div", { class: "list-state" });
  const draw = () => {
    const items = urgent();
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const fit = list.clientHeight ? Math.floor(list.clientHeight / (ROW_REM * rem)) : MOST;
    const most = Math.max(LEAST, Math.min(MOST, fit));
    const shown = items.slice(0, most);
    list.style.setProperty("--rows", String(most));
    replace(head, h("h2", {}, t("decisions.title")), h("span", {}, t("decisions.count", { n: items.filter((c) => needsDecision(c, store.now())).length, all: items.length })));
    want("decisions", document.documentElement.dataset.layout === "wall" ? shown.map((c) => c.case_id) : []);
    for (const [id, row] of rows) if (!shown.some((c) => c.case_id === id)) { row.node.remove(); rows.delete(id); }
    shown.forEach((item, n) => {
      let row = rows.get(item.case_id);
      if (!row) { row = decision(item.case_id); rows.set(item.case_id, row); }
      row.show(item);
      if (list.children[n] !== row.node) list.insertBefore(row.node, list.children[n] || null);
    });
    replace(none, shown.length ? null : [icon("check", 30), h("p", {}, store.state.loaded ? t("cases.none") : t("cases.loading"))]);
  };
  replace(root, head, none, list);
  draw();
  const timer = setInterval(() => rows.forEach((row) => row.tick()), 1000);
  window.addEventListener("resize", draw);
  stops.push(() => clearInterval(timer), () => window.removeEventListener("resize", draw), () => want("decisions", []), ...["cases", "alarms", "values", "layout", "departments", "sites"].map((name) => store.on(name, draw)));
}

function decision(id) {
  let item = null;
  let version = -1;
  const picture = h("img", { alt: "", class: "decision-shot", hidden: true });
  picture.addEventListener("error", () => { picture.hidden = true; });
  const title = h("h3", {});
  const value = h("span", { class: "decision-value" });
  const trend = h("span", { class: "decision-trend" });
  const clock = h("span", { class: "decision-clock" });
  const left = h("span", { class: "decision-left" });
  const who = h("span", { class: "decision-who" });
  const button = h("button", { type: "button", class: "decision", onClick: () => store.select({ type: "case", id }, { fly: true }) },
    title, h("span", { class: "decision-body" }, h("span", { class: "decision-picture" }, picture, icon("camera", 22)), h("span", { class: "decision-facts" }, value, trend, clock, left)), who);
  const node = h("li", {}, button);
  const tick = () => {
    if (!item) return;
    if (!item.deadline_at) { clock.textContent = ""; left.textContent = ""; return; }
    const c = countdown(Date.parse(item.deadline_at) - store.now());
    replace(clock, icon("clock", "1em"), c.days ? t("clock.days", { n: c.days }) : c.text);
    clock.classList.toggle("late", c.late);
    left.textContent = c.late ? t("clock.late") : t("clock.left");
    left.classList.toggle("late", c.late);
  };
  return {
    node, tick,
    show(next) {
      item = next;
      const loud = alarm.ringingIds().has(id);
      button.className = `decision s${item.severity}${loud ? " ringing" : ""}`;
      button.setAttribute("aria-current", String(store.state.selection?.id === id));
      replace(title, mark(item.severity, "1.35em", t(`severity.${item.severity}`)), h("span", {}, caseTitle(item)));
      const live = valueOf(id);
      replace(value, valueNode(live) || h("b", { class: "plain" }, term("kind", item.kind)));
      replace(trend, clearedShort(live) || (live ? [spark(live, 60, 14), h("span", {}, trendText(live))] : null));
      replace(who, icon(unconfirmed(item) && !item.department_id ? "alarm" : "person", "1.05em"), holder(item));
      if (version !== item.version) {
        version = item.version;
        pictureOf(id).then((found) => { picture.hidden = !found; if (found && picture.getAttribute("src") !== found.src) picture.src = found.src; });
      }
      tick();
    },
  };
}

/** Who has it, and how far they are. */
export const holder = (item) => [store.departmentOf(item) || t("cases.no_department"), item.handler_name, term("state", item.state)].filter(Boolean).join(" · ");
