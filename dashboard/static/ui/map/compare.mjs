// Then and now: the same ground twice with a divider between; on the left what stood at a chosen moment, on the right now.
import { t, full, language } from "../shared/i18n.mjs";
import { h, PATHS, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { casesAt, changed } from "../wall/past.mjs";
import { build } from "./style.mjs";
import { images, palette } from "./palette.mjs";

const DAY_S = 86400;
const theme = () => document.documentElement.dataset.theme || "night";

/** Value of an `<input type=datetime-local>` for unix seconds in China's time, and back. */
export const local = (s) => new Date(s * 1000 + 8 * 3600000).toISOString().slice(0, 16);
export const moment = (text) => Date.parse(`${text}:00+08:00`) / 1000;

/** The tool: shows the past of this map, or takes it away.  `described`: the style's description. */
export function compare(map, maplibre, described, root) {
  let shown = null;
  return () => {
    if (shown) { shown(); shown = null; return false; }
    shown = open(map, maplibre, described, root);
    return true;
  };
}

function open(map, maplibre, described, root) {
  let at = store.state.at ? Date.parse(store.state.at) / 1000 : Math.floor(store.now() / 1000) - DAY_S;
  let share = 50;
  const p = palette(theme());
  const canvas = h("div", { class: "then-map", "aria-hidden": "true" });
  const said = h("p", { class: "then-said", role: "status" });
  const pick = h("input", { type: "datetime-local", "aria-label": t("map.then_at"), value: local(at), max: local(store.now() / 1000) });
  const divider = h("input", { type: "range", class: "then-divider", min: "5", max: "95", value: "50", "aria-label": t("map.then_divider") });
  const bar = h("div", { class: "then-bar" }, h("b", {}, t("map.then")), pick, said);
  const line = h("div", { class: "then-line", "aria-hidden": "true" });
  root.append(canvas, line, divider, bar);
  const past = new maplibre.Map({
    container: canvas, style: build(described, p, language() === "en", map.getCanvas().dataset.level), center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch(),
    interactive: false, attributionControl: false, canvasContextAttributes: { antialias: false }, fadeDuration: 0, localIdeographFontFamily: '"Noto Sans CJK SC","Noto Sans SC","Microsoft YaHei",sans-serif',
  });
  const follow = () => past.jumpTo({ center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() });
  const cut = () => { canvas.style.clipPath = `inset(0 ${100 - share}% 0 0)`; line.style.left = `${share}%`; };
  const collection = (cases) => ({ type: "FeatureCollection", features: cases.filter((c) => c.lon !== null).map((c) => ({ type: "Feature", geometry: { type: "Point", coordinates: [c.lon, c.lat] }, properties: { severity: c.severity, label: c.title || "" } })) });
  const load = async () => {
    const iso = (s) => new Date(s * 1000).toISOString();
    const data = await api.get(`/api/wall/replay${api.query({ from: iso(at - 60), to: iso(at + 60) })}`, { timeout: 60000 });
    const then = casesAt(data.cases, at);
    /** @type {any} */ (past.getSource("then"))?.setData(collection(then));
    const told = changed(then, [...store.state.cases.values()].filter((c) => c.open));
    replace(said, `${full(iso(at))} · `, t("map.then_told", told));
  };
  const again = () => { load().catch((error) => { said.textContent = error.text || String(error); }); };
  past.once("style.load", () => {
    images(past, p, PATHS);
    for (const layer of past.getStyle().layers) if (layer.type === "fill-extrusion") past.setLayoutProperty(layer.id, "visibility", "none"); // the ground is enough
    past.addSource("then", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    past.addLayer({ id: "then", type: "symbol", source: "then", layout: { "icon-image": ["concat", "sev-", ["to-string", ["get", "severity"]]], "icon-allow-overlap": true, "symbol-sort-key": ["-", 0, ["get", "severity"]] } });
    again();
  });
  divider.addEventListener("input", () => { share = Number(divider.value); cut(); });
  pick.addEventListener("change", () => { const next = moment(pick.value); if (Number.isFinite(next)) { at = next; again(); } });
  map.on("move", follow);
  cut();
  const stops = [store.on("cases", again), store.on("case", again)];
  return () => {
    map.off("move", follow);
    stops.forEach((run) => run());
    past.remove();
    for (const node of [canvas, line, divider, bar]) node.remove();
  };
}
