// Arrows at the edge of the map to grave cases that lie outside it, with their distance.
import { t, caseTitle } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { mark } from "../shared/severity.mjs";
import { metres } from "../wall/focus.mjs";
import { distance, edge, spread } from "./framing.mjs";

const MOST = 5;

/** Draws into `root`; `cases()` gives the cases that count.  Returns how to draw anew. */
export function edges(map, root, cases) {
  let waiting = false;
  const draw = () => {
    waiting = false;
    const canvas = map.getCanvas();
    const [w, hgt] = [canvas.clientWidth, canvas.clientHeight];
    const box = { left: 20, top: 20, right: w - 20, bottom: hgt - 20 };
    const middle = map.getCenter().toArray();
    const found = [];
    for (const item of cases()) {
      if (item.severity < 3 || item.lon == null) continue;
      /** @type {[number, number]} */
      const at = [item.lon, item.lat];
      const behind = beyond(map, middle, at);
      const point = map.project(at);
      const where = edge(behind ? { x: w - point.x, y: hgt + 500 } : point, box);
      if (where) found.push({ item, ...where, far: distance(middle, at) });
    }
    found.sort((a, b) => b.item.severity - a.item.severity || a.far - b.far);
    const chips = spread(found.slice(0, MOST).map((f) => ({ ...f, x: Math.min(Math.max(f.x, 130), w - 130), y: Math.min(Math.max(f.y, 70), hgt - 60) })), 230, 44);
    replace(root, chips.map((f) => h("button", { type: "button", class: `edge s${f.item.severity}`, style: { left: `${f.x}px`, top: `${f.y}px` }, title: t("map.go_there"),
      onClick: () => store.select({ type: "case", id: f.item.case_id }, { fly: true }) },
    arrow(f.angle), mark(f.item.severity, "1.3em", t(`severity.${f.item.severity}`)), h("span", {}, caseTitle(f.item)), h("b", {}, metres(f.far)))));
  };
  const soon = () => { if (!waiting) { waiting = true; requestAnimationFrame(draw); } };
  map.on("move", soon);
  map.on("resize", soon);
  soon();
  return soon;
}

function arrow(angle) {
  const node = icon("arrow", "1em");
  node.style.transform = `rotate(${Math.round(angle)}deg)`;
  return node;
}

/** A place behind the viewer projects to the wrong side when the map is pitched: told by its bearing and distance. */
function beyond(map, middle, at) {
  const k = Math.PI / 180;
  const east = (at[0] - middle[0]) * Math.cos(middle[1] * k), north = at[1] - middle[1];
  const turned = Math.atan2(east, north) / k - map.getBearing();
  const ahead = Math.cos(turned * k) * distance(middle, at);
  const height = (map.getCanvas().clientHeight * 156543 * Math.cos(middle[1] * k)) / 2 ** map.getZoom() / 2;
  return ahead < -height * 1.2 / Math.max(0.2, Math.cos(map.getPitch() * k));
}
