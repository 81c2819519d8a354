// The left column: decisions on the wall, the list on the desk.  Both stand; the layout shows one.
import { t, ready as wordsReady } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { decisions } from "./decisions.mjs";
import * as caselist from "../cases/caselist.mjs";

export function mount(root) {
  const stops = [];
  const wall = h("div", { class: "on-wall" });
  const desk = h("div", { class: "on-desk own-caselist" });
  replace(root, wall, desk);
  wordsReady.then(() => { root.closest("aside")?.setAttribute("aria-label", t("cases.label")); decisions(wall, stops); });
  const list = caselist.mount(desk);
  store.start().catch(() => {});
  return { destroy: () => { list.destroy(); stops.forEach((run) => run()); } };
}
