// My turn: what waits for me, the most pressing first or the nearest first.
import { caseTitle, h, icon, replace, short, span, t, kindTerm } from "../base.mjs";
import { refresh, setting, submit } from "../actions.mjs";
import { metres } from "../geo.mjs";
import * as queue from "../queue/index.mjs";
import { app, home, on } from "../state.mjs";
import { dutyChip } from "./duty.mjs";
import { screen } from "./frame.mjs";
import { queueBox } from "./waiting.mjs";

export const severity = (c) => ["", "s1", "s2", "s3", "s4"][c.severity] || "";
const TODO = ["dispatched", "rework"];
const CHECK = ["handle_finished", "checking"];
const ROUTE = { "phone.to_register": ["reported", "pending_register"], "phone.to_dispatch": ["pending_dispatch", "returned"], "phone.to_close": ["pending_close"] };
const ELSEWHERE = [...TODO, ...CHECK, "handling", ...Object.values(ROUTE).flat()];
const FIRST = { grid: "phone.to_check", inspector: "phone.to_check", coordinator: "phone.to_dispatch" };

export function away(c) {
  return app.place && c.lon != null ? metres([app.place.lon, app.place.lat], [c.lon, c.lat]) : null;
}
export const distance = (m) => (m === null ? "" : m < 1000 ? `${Math.round(m)} m` : `${(m / 1000).toFixed(1)} km`);

export function remaining(c) {
  const left = c.deadline_at ? Date.parse(c.deadline_at) - Date.now() : null;
  return left === null ? null : h("span", { class: left < 0 ? "late" : left < 900000 ? "soon" : "ok" }, left < 0 ? t("cases.overdue", { span: span(left) }) : t("cases.left", { span: span(left) }));
}

/** The gravest first, of equal ones what is due first; or the nearest first. */
function pressing(a, b) {
  if (app.settings.order === "near") return (away(a) ?? Infinity) - (away(b) ?? Infinity);
  return b.severity - a.severity || (Date.parse(a.deadline_at) || Infinity) - (Date.parse(b.deadline_at) || Infinity);
}

function groups(waiting) {
  const at = (c, name) => waiting.get(c.case_id) === name;
  const accepted = (c) => at(c, "accept") && TODO.includes(c.state);
  /** @type {[string, any[]][]} */
  const all = [
    ["phone.to_accept", app.tasks.filter((c) => TODO.includes(c.state) && !at(c, "accept") && !at(c, "finish"))],
    ["phone.in_hand", app.tasks.filter((c) => (c.state === "handling" || accepted(c)) && !at(c, "finish"))],
    ["phone.to_check", app.tasks.filter((c) => CHECK.includes(c.state) && !at(c, "finish"))],
    ["phone.sending", app.tasks.filter((c) => at(c, "finish"))],
    .../** @type {[string, any[]][]} */ (Object.entries(ROUTE).map(([key, states]) => [key, app.tasks.filter((c) => states.includes(c.state))])),
    ["phone.others", app.tasks.filter((c) => !ELSEWHERE.includes(c.state) && !at(c, "finish"))],
  ];
  const first = FIRST[home(app.me)];
  return first ? [...all.filter(([k]) => k === first), ...all.filter(([k]) => k !== first)] : all;
}

export function tasksScreen(root) {
  const list = h("div", { class: "tasks" });
  const box = queueBox();
  const own = h("nav", { class: "tiles", "aria-label": t("phone.home") });
  const tiles = import("./home.mjs"); // not part of the shell
  tiles.then((m) => m.drawHome(own)).catch(() => {});
  const order = h("div", { class: "orders", role: "group", "aria-label": t("phone.order") }, [["urgent", "phone.urgent_first"], ["near", "phone.near_first"]].map(([id, words]) =>
    h("button", { type: "button", class: "pill", "aria-pressed": String(app.settings.order === id), dataset: { order: id }, onClick: () => setting("order", id) }, t(words))));
  const draw = async () => {
    const waiting = new Map();
    for (const item of await queue.waiting()) if (queue.isMine(item, app.me) && item.name && item.state === "waiting") waiting.set(item.case_id, item.name);
    const some = app.tasks.length + app.planTasks.length;
    for (const pill of order.children) pill.setAttribute("aria-pressed", String(app.settings.order === pill.dataset.order));
    replace(list, app.failed ? h("p", { class: "error" }, app.failed.text || String(app.failed)) : null,
      app.planTasks.length ? [h("h2", {}, t("phone.plan_tasks"), h("span", {}, app.planTasks.length)), app.planTasks.map(planCard)] : null,
      groups(waiting).filter(([, items]) => items.length).map(([key, items]) => [h("h2", {}, t(key), h("span", {}, items.length)), items.sort(pressing).map(card)]),
      some ? null : app.loadedAt ? h("div", { class: "empty" }, icon("check", 54), h("p", {}, t("phone.nothing"))) : h("div", { class: "empty" }, h("p", {}, t("phone.loading"))));
  };
  const undo = screen(root, t("phone.my_turn"), { tab: "", label: t("phone.tasks") }, h("div", { class: "under" }, order, dutyChip(), h("button", { type: "button", class: "pill", onClick: refresh }, t("act.refresh"))), box.node, own,
    h("nav", { class: "under", "aria-label": t("phone.lists") }, ["started", "copied", "all"].map((view) => h("a", { class: "flat", href: `#/work/${view}` }, t(`phone.view_${view}`))), h("a", { class: "flat", href: "#/new" }, t("phone.new"))), list,
    h("p", { class: "soft as-of" }, `${app.me.name || app.me.login}`, app.loadedAt ? ` · ${t("phone.as_of", { time: short(app.loadedAt) })}` : ""));
  draw();
  const undone = [undo, box.stop, on("tasks", draw), on("settings", draw), queue.onChange(draw)];
  const timer = setInterval(draw, 30000);
  return () => { undone.forEach((fn) => fn()); clearInterval(timer); };
}

export function card(c) {
  return h("a", { class: `card ${severity(c)}`, href: `#/task/${encodeURIComponent(c.case_id)}`, dataset: { case: c.case_id } },
    h("b", {}, caseTitle(c)),
    h("span", { class: "soft" }, [c.site_name || c.division_name, distance(away(c))].filter(Boolean).join(" · ")),
    h("span", { class: "line" }, h("span", { class: "chip" }, kindTerm(c, "state", c.state)), remaining(c)));
}

/** A task of an emergency plan: taken on and ticked off where it stands, without a network too. */
function planCard(task) {
  const late = task.due_at && Date.parse(task.due_at) < Date.now();
  const form = queue.newForm();
  const move = (state) => h("button", { type: "button", class: `big ${state === "done" ? "primary" : ""}`, dataset: { do: state }, onClick: (event) => {
    event.currentTarget.disabled = true;
    submit(`${form}-${state}`, [{ kind: "plan_task", task_id: task.task_id, state_to: state, name: null }]);
  } }, t(`plans.do_${state}`));
  return h("div", { class: "card s3 plan", dataset: { task: task.task_id } }, h("b", {}, task.title),
    h("span", { class: "soft" }, [task.case_title, task.site_name, task.user_name].filter(Boolean).join(" · ")),
    task.due_at ? h("span", { class: late ? "late" : "ok" }, t("case.until", { time: short(task.due_at) })) : null,
    h("span", { class: "line" }, task.state === "open" ? move("accepted") : null, move("done")));
}
