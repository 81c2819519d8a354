// The right column: the focus card on the wall, the panel of what is selected on the desk.
import { t, ready as wordsReady } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import { focusCard } from "./focus.mjs";
import * as panel from "./panel.mjs";

export function mount(root) {
  const stops = [];
  const wall = h("div", { class: "on-wall focus-card", tabindex: "0" });
  const desk = h("div", { class: "on-desk own-panel" });
  replace(root, wall, desk);
  wordsReady.then(() => { root.closest("aside")?.setAttribute("aria-label", t("case.tabs")); focusCard(wall, stops); });
  const shown = panel.mount(desk);
  return { destroy: () => { shown.destroy(); stops.forEach((run) => run()); } };
}
