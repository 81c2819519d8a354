// My turn: what waits for me, the most pressing first or the nearest first.
import { h, icon, replace, short, t } from "../base.mjs";
import { refresh, setting, submit } from "../actions.mjs";
import * as queue from "../queue/index.mjs";
import { app, on } from "../state.mjs";
import { grouped, lists, orders, unread } from "./cards.mjs";
import { dutyChip } from "./duty.mjs";
import { screen } from "./frame.mjs";
import { queueBox } from "./waiting.mjs";

const waits = new Map(); // the step that waits to be sent, by case: as it was known last, so that the list is drawn at once

export function tasksScreen(root) {
  const list = h("div", { class: "tasks" });
  const box = queueBox();
  const own = h("nav", { class: "tiles", "aria-label": t("phone.home") });
  const tiles = import("./home.mjs"); // not part of the shell
  tiles.then((m) => m.drawHome(own)).catch(() => {});
  const order = orders((id) => setting("order", id));
  const asOf = h("p", { class: "soft as-of" });
  const draw = async () => {
    const items = await queue.waiting();
    waits.clear();
    for (const item of items) if (queue.isMine(item, app.me) && item.name && item.state === "waiting") waits.set(item.case_id, item.name);
    if (app.me) drawNow();
  };
  const drawNow = () => {
    const some = app.tasks.length + app.planTasks.length;
    for (const pill of order.children) pill.setAttribute("aria-pressed", String(app.settings.order === pill.dataset.order));
    replace(list, app.failed ? h("p", { class: "error" }, app.failed.text || String(app.failed)) : null,
      app.planTasks.length ? [h("h2", {}, t("phone.plan_tasks"), h("span", {}, app.planTasks.length)), app.planTasks.map(planCard)] : null,
      grouped(waits), unread(),
      some ? null : app.loadedAt ? h("div", { class: "empty" }, icon("check", 54), h("p", {}, t("phone.nothing"))) : h("div", { class: "empty" }, h("p", {}, t("phone.loading"))));
    replace(asOf, `${app.me.name || app.me.login}`, app.loadedAt ? ` · ${t("phone.as_of", { time: short(app.loadedAt) })}` : "");
  };
  const undo = screen(root, t("phone.my_turn"), { tab: "", label: t("phone.tasks") }, h("div", { class: "under" }, order, dutyChip(), h("button", { type: "button", class: "pill", onClick: refresh }, t("act.refresh"))), box.node, own,
    lists(), list, asOf);
  drawNow();
  draw();
  const undone = [undo, box.stop, on("tasks", draw), on("settings", draw), queue.onChange(draw)];
  const timer = setInterval(draw, 30000);
  return () => { undone.forEach((fn) => fn()); clearInterval(timer); };
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
