// Cards over the gravest cases in view: mark, title and live value stand above the column, so that they lead the eye.
// @ts-check
import { t, caseTitle } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { mark } from "../shared/severity.mjs";
import { valueOf, want } from "../cases/values.mjs";
import { valueNode } from "../cases/livevalue.mjs";
import { growth, height } from "./columns.mjs";
import { metresPerPixel, stacked } from "./framing.mjs";

const MOST = 4;
const HEAD = 92; // px that an alarm takes at the top of the map
const GAP = 14; // px between a column's top and its card

/**
 * Draws into `root`; `cases` knows what is shown, and where.  Returns how to draw anew.
 * @param {any} map @param {HTMLElement} root @param {{shown: Map<string, any>, past: any, spot: (item: any) => [number, number]}} cases
 */
export function cards(map, root, cases) {
  const nodes = /** @type {Map<string, HTMLElement>} */ (new Map());
  let waiting = false;
  const place = () => {
    waiting = false;
    const canvas = map.getCanvas();
    const area = { width: canvas.clientWidth, height: canvas.clientHeight };
    const graves = gravest(cases.past ? [] : [...cases.shown.values()]);
    const up = Math.sin((map.getPitch() * Math.PI) / 180) / metresPerPixel(map.getZoom(), map.getCenter().lat);
    const wanted = graves.map((item) => {
      const at = map.project(cases.spot(item));
      return { item, x: at.x, foot: at.y, y: at.y - Math.min(area.height * 0.4, height(item.severity) * growth(map.getZoom()) * up) - GAP };
    }).filter((c) => c.x > 0 && c.x < area.width && c.foot > 0 && c.foot < area.height).slice(0, area.width < 700 ? 1 : MOST);
    for (const [id, node] of nodes) if (!wanted.some((c) => c.item.case_id === id)) { node.remove(); nodes.delete(id); }
    const boxes = wanted.map((c, k) => {
      const node = nodes.get(c.item.case_id) || made(c.item);
      node.classList.toggle("first", k === 0);
      if (!node.isConnected) root.append(node);
      nodes.set(c.item.case_id, node);
      return { ...c, node, width: node.offsetWidth, height: node.offsetHeight };
    });
    for (const box of stacked(boxes, area, 8, document.querySelector(".alarm-bar:not([hidden])") ? HEAD : 8)) {
      box.node.style.transform = `translate(${Math.round(box.left)}px, ${Math.round(box.top)}px)`;
      box.node.style.setProperty("--leg", `${Math.max(0, Math.round(box.foot - box.top - box.height))}px`);
      box.node.style.setProperty("--leg-at", `${Math.round(box.x - box.left)}px`);
    }
    want("cards", wanted.map((c) => c.item.case_id));
  };
  const fill = () => { for (const [id, node] of nodes) { const item = cases.shown.get(id); if (item) words(node, item); } soon(); };
  const soon = () => { if (!waiting) { waiting = true; requestAnimationFrame(place); } };
  map.on("move", soon);
  map.on("resize", soon);
  const stops = [store.on("values", fill), store.on("cases", fill), store.on("case", fill)];
  soon();
  return { soon, stop: () => { stops.forEach((run) => run()); want("cards", []); } };
}

/** Ⅰ and Ⅱ that are open, the gravest first, the newest first among equals. @param {any[]} items */
const gravest = (items) => items.filter((c) => c.severity >= 3).sort((a, b) => b.severity - a.severity || (a.opened_at < b.opened_at ? 1 : -1));

/** @param {any} item @returns {HTMLElement} */
function made(item) {
  const node = h("button", { type: "button", title: t("map.go_there"), onClick: () => store.select({ type: "case", id: item.case_id }, { fly: true }) });
  words(node, item);
  return node;
}

/** @param {HTMLElement} node @param {any} item */
function words(node, item) {
  node.className = `map-tag s${item.severity}${node.classList.contains("first") ? " first" : ""}`;
  const live = valueOf(item.case_id);
  replace(node, mark(item.severity, "1.4em", t(`severity.${item.severity}`)), h("span", {}, caseTitle(item)), live && live.quantity !== "confidence" ? valueNode(live) : null);
}
