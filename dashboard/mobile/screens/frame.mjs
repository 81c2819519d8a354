// What stands around every screen: the bar with the network's state, the word about an ended session, the foot.
import { h, icon, replace, t } from "../drawn.mjs";
import { app, hasGrid, hasTeam, on } from "../state.mjs";

/** Whether there is a network, wherever a screen shows it. */
export function showNet(node = document.querySelector(".net")) {
  if (node) {
    node.className = `net ${app.online ? "on" : "off"}`;
    node.textContent = app.online ? t("phone.online") : t("phone.offline");
  }
  const gone = /** @type {HTMLElement | null} */ (document.querySelector(".expired"));
  if (gone) gone.hidden = !app.expired;
}

export function bar(title, back) {
  const state = h("span", { class: "net", role: "status" });
  showNet(state);
  const head = h("header", { class: "bar" },
    back ? h("button", { type: "button", class: "back", "aria-label": t("phone.back"), onClick: () => { if (history.length > 1) history.back(); else location.hash = "#/"; } }, "‹") : null,
    h("h1", {}, title), state);
  return h("div", { class: "top" }, head, h("p", { class: "expired", role: "alert", hidden: !app.expired }, h("span", {}, t("phone.session_ended")),
    h("button", { type: "button", onClick: () => window.dispatchEvent(new Event("sign-in-again")) }, t("login.submit"))));
}

const PLACES = [["", "check", "phone.my_turn"], ["map", "pin", "phone.map"], ["report", "camera", "phone.report"], ["grid", "building", "phone.grid"], ["team", "layers", "phone.team"], ["me", "person", "phone.me"]];
export function foot(here) {
  return h("nav", { class: "foot", "aria-label": t("phone.title") }, PLACES.filter(([id]) => (id !== "team" || hasTeam(app.me)) && (id !== "grid" || hasGrid(app.me))).map(([id, sign, words]) =>
    h("a", { href: `#/${id}`, class: id === here ? "here" : "", "aria-current": id === here ? "page" : null, dataset: { tab: id || "tasks" } }, icon(sign, 24), h("span", {}, t(words)))));
}

/** Put a screen together; answers what is to be undone when it is left. */
/** @param {any} root @param {string} title @param {{back?: boolean, tab?: string|null, label?: string|null}} [how] @param {...any} content */
export function screen(root, title, { back = false, tab = null, label = null } = {}, ...content) {
  replace(root, bar(title, back), h("main", { "aria-label": label || title }, content), tab === null ? null : foot(tab));
  return on("tasks", () => showNet());
}
