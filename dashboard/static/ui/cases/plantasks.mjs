// The tasks of a plan in force: who does what until when, with which stores and cameras; taken on and ticked off.
import { t, term, full } from "../shared/i18n.mjs";
import { h } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";

const RUNS = ["operator", "dispatcher", "admin"];

/** `tasks` as a list; `changed` is called after one was moved. */
export function taskList(tasks, changed) {
  const me = store.state.me || {};
  const runs = RUNS.some((role) => (me.roles || []).includes(role));
  return h("ul", { class: "plan-tasks" }, tasks.map((task) => {
    const said = h("p", { class: "form-error", role: "alert", hidden: true });
    const late = task.due_at && !task.done_at && Date.parse(task.due_at) < store.now();
    const move = (state) => h("button", { type: "button", class: `tool ${state}`, dataset: { do: state }, onClick: async (event) => {
      event.target.disabled = true;
      try {
        await api.post(`/api/plan-tasks/${encodeURIComponent(task.task_id)}`, { state });
        await changed();
      } catch (error) {
        event.target.disabled = false;
        said.hidden = false;
        said.textContent = error.text || String(error);
      }
    } }, t(`plans.do_${state}`));
    const own = me.department_id && me.department_id === task.department_id;
    const open = ["open", "accepted"].includes(task.state);
    return h("li", { class: task.state, dataset: { task: task.task_id } },
      h("div", { class: "line" }, h("b", {}, task.title), h("span", { class: `chip task-${task.state}` }, term("taskstate", task.state))),
      h("small", {}, [store.departmentOf(task), task.user_name || t("plans.no_one")].filter(Boolean).join(" · "), " ",
        task.due_at ? h("span", { class: late ? "warn-text" : "" }, t("case.until", { time: full(task.due_at) })) : null),
      task.site_name ? h("small", {}, `${t("plans.warehouses")}：${task.site_name}`) : null,
      task.cameras?.length ? h("small", {}, `${t("plans.cameras")}：`, task.cameras.map((c, i) => [i ? "、" : "", h("a", { href: `/?camera=${encodeURIComponent(c.camera_id)}` }, c.name)])) : null,
      task.note ? h("small", {}, task.note) : null, said,
      open && (runs || own) ? h("div", { class: "row-tools" }, task.state === "open" ? move("accepted") : null, move("done"), runs ? move("cancelled") : null) : null);
  }));
}
