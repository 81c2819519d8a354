// The right side: what is selected, else the day's overview.
import { t, ready as wordsReady } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { showCase } from "../cases/casepanel.mjs";
import { showSite, showCamera, showBuilding } from "../cases/placepanel.mjs";
import { showOverview } from "./overview.mjs";

const VIEWS = { case: showCase, site: showSite, camera: showCamera, building: showBuilding };

export function mount(root) {
  const stops = [];
  let leave = null;
  const show = () => {
    if (leave) leave();
    const { selection } = store.state;
    const body = h("div", { class: "panel-body" });
    replace(root, body);
    root.dataset.type = selection ? selection.type : "overview";
    leave = (selection ? VIEWS[selection.type] : showOverview)(body, selection) || null;
  };
  wordsReady.then(store.start).then(() => {
    show();
    stops.push(store.on("select", show));
  }).catch((error) => {
    if (error.status !== 401) replace(root, h("div", { class: "list-state error" }, t("panel.failed")));
  });
  const escape = (event) => { if (event.key === "Escape" && !document.querySelector("dialog[open]")) store.select(null); };
  window.addEventListener("keydown", escape);
  return { destroy() { if (leave) leave(); stops.forEach((run) => run()); window.removeEventListener("keydown", escape); } };
}
