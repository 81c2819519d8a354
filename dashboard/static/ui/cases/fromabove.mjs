// "Ask for a look from above": the drone team gets a task of this case; what it saw stands here.
import { t, term, full } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";

const MAY = ["admin", "operator", "dispatcher", "manager", "viewer", "drone", "inspector", "staff"];

/**
 * Draws into `root` what was asked of the drone team for this case, and the way to ask.
 * @param {HTMLElement} root
 * @param {{ case_id: string, open: boolean, lon: number | null }} c
 */
export async function lookFromAbove(root, c) {
  const roles = /** @type {string[]} */ (store.state.me?.roles || []);
  if (!roles.some((role) => MAY.includes(role)) || c.lon === null || c.lon === undefined) return;
  /** @type {any[]} */
  let items = [];
  try {
    ({ items } = await api.get(`/api/drone/missions?case=${encodeURIComponent(c.case_id)}`));
  } catch {
    return; // the panel does without
  }
  if (!root.isConnected) return;
  const waiting = items.some((item) => ["requested", "planned", "flying"].includes(item.state));
  replace(root, items.length ? h("h3", {}, t("mission.look_state")) : null,
    items.length ? h("ul", { class: "related missions" }, items.map((item) => h("li", {}, h("span", { class: "chip" }, term("mission.state", item.state)), " ",
      item.verdict ? h("b", {}, term("mission.verdict", item.verdict)) : null, " ", item.answer || item.note,
      h("small", { class: "quiet" }, ` ${full(item.answered_at || item.requested_at)}`)))) : null,
    c.open && !waiting ? ask(root, c) : null);
}

/**
 * @param {HTMLElement} root
 * @param {{ case_id: string, open: boolean, lon: number | null }} c
 */
function ask(root, c) {
  const said = h("p", { class: "form-error", hidden: true, role: "alert" });
  const note = /** @type {HTMLInputElement} */ (h("input", { type: "text", maxlength: 400, "aria-label": t("mission.look_why"), placeholder: t("mission.look_why") }));
  const send = h("button", { type: "button", class: "button primary", onClick: async () => {
    send.setAttribute("disabled", "");
    try {
      await api.post("/api/drone/missions", { purpose: "look_again", case_id: c.case_id, note: note.value });
      await lookFromAbove(root, c);
    } catch (error) {
      send.removeAttribute("disabled");
      said.hidden = false;
      said.textContent = /** @type {any} */ (error).text || String(error);
    }
  } }, t("mission.look_from_above"));
  const form = h("div", { class: "look-form", hidden: true }, note, send, said);
  const open = h("button", { type: "button", class: "button look-ask", "aria-expanded": "false", onClick: () => {
    form.hidden = !form.hidden;
    open.setAttribute("aria-expanded", String(!form.hidden));
    if (!form.hidden) note.focus();
  } }, icon("camera", 16), t("mission.look_from_above"));
  return h("div", {}, open, form);
}
