// Requests that wait for this person's approval: who asks for what and why; granted or refused here, without a network too.
import { api, caseTitle, full, h, kindTerm, replace, short, t, term } from "../base.mjs";
import * as queue from "../queue/index.mjs";
import { app } from "../state.mjs";
import { screen } from "./frame.mjs";
import { put } from "./steps.mjs";
import { nameOf, remaining, severity } from "./cards.mjs";
import { queueBox } from "./waiting.mjs";

const CACHE = () => `${app.me.user_id}:approvals`;

async function read() {
  try {
    const { items } = await api.get("/api/work/approvals");
    await queue.keep(CACHE(), items).catch(() => {});
    return items;
  } catch (error) {
    const kept = await queue.kept(CACHE()).catch(() => null);
    if (kept && (error.status === 0 || error.status >= 500)) return kept;
    throw error;
  }
}

/** @param {any} one a PendingApproval */
function request(one) {
  const c = one.case;
  const node = h("section", { class: `card ${severity(c)}`, dataset: { approval: c.case_id } });
  const answer = (name, data) => put(form[name], [{ kind: "command", case_id: c.case_id, seen_version: c.version, name, data }]);
  const form = Object.fromEntries(one.commands.map((name) => [name, queue.newForm()]));
  const said = (name) => replace(node, h("b", {}, caseTitle(c)), h("span", { class: "chip" }, `${kindTerm(c, "command", name)} · ${t("phone.sending")}`));
  const wants = [one.asked.value != null ? `${one.asked.value} ${term("unit", one.asked.unit)}` : "", one.asked.until ? full(one.asked.until) : ""].filter(Boolean).join(" · ");
  const buttons = one.commands.filter((name) => name.startsWith("approve")).map((name) => h("button", { type: "button", class: "big primary", dataset: { do: name }, onClick: async (event) => {
    event.currentTarget.disabled = true;
    await answer(name, {}).then(() => said(name), () => { event.target.disabled = false; });
  } }, kindTerm(c, "command", name)));
  const refusals = one.commands.filter((name) => !name.startsWith("approve")).map((name) => refusal(c, name, (data) => answer(name, data).then(() => said(name))));
  replace(node, h("a", { href: `#/task/${encodeURIComponent(c.case_id)}` }, h("b", {}, caseTitle(c))),
    h("span", { class: "soft" }, [one.requested_by_name, short(one.requested_at), nameOf(c, "department_name")].filter(Boolean).join(" · ")),
    h("p", {}, h("b", {}, wants), one.asked.reason ? ` ${one.asked.reason}` : ""), h("span", { class: "line" }, h("span", { class: "chip" }, kindTerm(c, "state", c.state)), remaining(c)), buttons, refusals);
  return node;
}

function refusal(c, name, run) {
  const reason = h("textarea", { rows: "2", required: true, minlength: "2", maxlength: "500", placeholder: t("field.reason"), "aria-label": t("field.reason") });
  const button = h("button", { type: "submit", class: "big danger", dataset: { send: name } }, kindTerm(c, "command", name));
  const form = h("form", {}, reason, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    await run({ reason: reason.value.trim() }).catch(() => { button.disabled = false; });
  });
  return h("details", { class: "reason" }, h("summary", { class: "big", dataset: { do: name } }, kindTerm(c, "command", name)), form);
}

export function approvalsScreen(root) {
  const list = h("div", { class: "tasks" }, h("p", { class: "empty" }, t("phone.loading")));
  const box = queueBox();
  let alive = true;
  Promise.all([read(), queue.waiting()]).then(([items, waiting]) => {
    if (!alive) return;
    const sent = new Set(waiting.filter((i) => queue.isMine(i, app.me) && i.state === "waiting").map((i) => `${i.case_id}:${i.name}`));
    const left = items.filter((one) => !one.commands.some((name) => sent.has(`${one.case.case_id}:${name}`)));
    replace(list, left.length ? left.map(request) : h("p", { class: "empty" }, t("phone.nothing_to_approve")));
  }).catch((error) => { if (alive) replace(list, h("p", { class: "error", role: "alert" }, error.text || String(error))); });
  const undo = screen(root, t("phone.approvals"), { back: true, tab: "" }, box.node, list);
  return () => { alive = false; undo(); box.stop(); };
}
