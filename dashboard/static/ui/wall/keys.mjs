// The keyboard of the command centre, and the help that lists it.  Keys act only where nobody is typing.
import { t } from "../shared/i18n.mjs";
import { h } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import * as look from "../shared/look.mjs";

const HELP = [["W", "wall"], ["D", "desk"], ["N", "night"], ["H", "contrast"], ["A", "acknowledge"], ["1", "real"], ["2", "false"], ["3", "transfer"], ["4", "urge"],
  ["↑ ↓", "list"], ["Enter", "open"], ["/", "filter"], ["Ctrl K", "search"], ["Space", "replay"], ["T", "tour"], ["B", "boards"], ["Esc", "close"], ["?", "help"]];

const typing = () => /INPUT|TEXTAREA|SELECT/.test(document.activeElement?.tagName || "") || /** @type {HTMLElement | null} */ (document.activeElement)?.isContentEditable;

/** Shows the list of keys. */
export function help() {
  if (document.querySelector("dialog.keys-help")) return;
  const dialog = h("dialog", { class: "keys-help", "aria-label": t("keys.title"), onClick: (event) => { if (event.target === dialog) dialog.close(); } },
    h("h2", {}, t("keys.title")), h("dl", {}, HELP.map(([key, what]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(`keys.${what}`))))),
    h("button", { type: "button", class: "button", onClick: () => dialog.close() }, t("act.close")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

const ACTIONS = {
  w: () => look.setLayout("wall"),
  d: () => look.setLayout("desk"),
  n: () => look.setTheme(document.documentElement.dataset.theme === "night" ? "day" : "night"),
  h: () => look.setTheme(document.documentElement.dataset.theme === "contrast" ? (document.documentElement.dataset.layout === "wall" ? "night" : "day") : "contrast"),
  t: () => location.assign("/video"),
  b: () => location.assign("/boards"),
  a: () => store.emit("acknowledge", null),
  " ": () => store.emit("replay-toggle", null),
  "?": help,
};
for (const n of ["1", "2", "3", "4"]) ACTIONS[n] = () => store.emit("decide", Number(n));

/** Listens for the keys; returns how to stop. */
export function watch() {
  const press = (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return store.emit("search", null);
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing() || document.querySelector("dialog[open]")) return;
    if (event.key === " " && document.activeElement?.tagName === "BUTTON") return; // the button is pressed
    const act = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  window.addEventListener("keydown", press);
  return () => window.removeEventListener("keydown", press);
}
