// The city map on maplibre-gl.  Live updates go through source.updateData and never touch the camera.
import { aircraft } from "./aircraft.mjs";
import { t, language, named, ready as wordsReady } from "../shared/i18n.mjs";
import { h, PATHS, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import * as alarm from "../wall/alarm.mjs";
import { build, overlays, repaint } from "./style.mjs";
import { images, palette } from "./palette.mjs";
import { cards } from "./cards.mjs";
import { Cases } from "./cases.mjs";
import { compare } from "./compare.mjs";
import { edges } from "./edges.mjs";
import { firstView } from "./framing.mjs";
import { Layers, SOURCES } from "./layers.mjs";
import { Lit } from "./lit.mjs";
import { picking } from "./picking.mjs";
import { levelAtFirst, watchQuality } from "./quality.mjs";
import { tools } from "./tools.mjs";

/** Fetched beside our modules, not after them. */
const loaded = import("/static/vendor/maplibre/maplibre-gl.mjs");

/** @typedef {typeof import("/static/vendor/maplibre/maplibre-gl.mjs")} Maplibre */

const HOLD_MS = 20000; // how long the wall stays with an alarm that nobody acknowledges
const FLY_MS = 1200;
const READY_MS = 60000; // a map that does not come to rest is shown as it is
const still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const theme = () => document.documentElement.dataset.theme || "night";

export function mount(root, props) {
  const handle = { destroy() {} };
  root.append(h("div", { class: "map-wait" }, h("div", { class: "spinner" }), h("span", { class: "map-wait-text" })));
  begin(root, props, handle).catch((error) => {
    console.error(error);
    wordsReady.then(() => replace(root, h("div", { class: "map-wait error" }, t("map.failed"), h("small", {}, String(error.message || error)))));
  });
  return handle;
}

async function begin(root, props, handle) {
  /** @type {[Maplibre & {default?: Maplibre}, any, void, void]} */
  const [gl, described] = await Promise.all([loaded, api.get("/api/map/style.json"), wordsReady.then(() => { root.querySelector(".map-wait-text").textContent = t("map.loading"); }), store.start()]);
  const maplibre = gl.default && gl.default.Map ? gl.default : gl;
  const meta = described.metadata || {};
  const view = props.view || [];
  const deep = !location.hash.includes("m="); // the map writes the hash itself as soon as it stands
  const element = h("div", { class: "map-canvas" });
  root.prepend(element);
  const map = new maplibre.Map({
    container: element, center: view.length ? [view[0], view[1]] : meta.center || [125.42, 43.87], zoom: view[2] ?? meta.wall_zoom ?? 13.6, bearing: view[3] ?? -12, pitch: view[4] ?? 52,
    minZoom: 8, maxZoom: 19.5, maxPitch: 75, hash: "m", attributionControl: false, canvasContextAttributes: { antialias: false }, fadeDuration: 120,
    localIdeographFontFamily: '"Noto Sans CJK SC","Noto Sans SC","Microsoft YaHei",sans-serif',
    locale: { "NavigationControl.ZoomIn": t("map.zoom_in"), "NavigationControl.ZoomOut": t("map.zoom_out"), "NavigationControl.ResetBearing": t("map.north"), "Map.Title": t("map.title") },
  });
  const centre = deep && !view.length && !store.state.selection ? fit(map) : null; // before there is a style: nothing is fetched for another view
  map.setStyle(build(described, palette(theme()), language() === "en", levelAtFirst(map)));
  window.__yiwangMap = map; // tests and the console look at it
  map.addControl(new maplibre.NavigationControl({ visualizePitch: true }), "bottom-right");
  map.addControl(new maplibre.ScaleControl({ maxWidth: 120 }), "bottom-left");
  map.on("error", (event) => console.warn("map", event.error && event.error.message));
  await new Promise((resolve) => map.once("style.load", resolve));
  const p = palette(theme());
  images(map, p, PATHS);
  for (const [id, extra] of Object.entries(SOURCES)) map.addSource(id, { type: "geojson", data: { type: "FeatureCollection", features: [] }, ...extra });
  for (const layer of overlays(p)) map.addLayer(layer);
  const cases = new Cases(map, maplibre);
  const layers = new Layers(map, cases, meta);
  handle.destroy = () => { layers.stops.splice(0).forEach((run) => run()); map.remove(); };
  cases.reset();
  layers.centre = centre;
  const quality = watchQuality(map, (level) => layers.setLevel(level));
  const arrows = h("div", { class: "edges", role: "group", "aria-label": t("map.outside") });
  root.append(...tools(map, meta, layers, quality, described.layers || [], compare(map, maplibre, described, root)), arrows, attribution(meta, described.layers || []));
  const tags = cards(map, arrows, cases);
  layers.stops.push(tags.stop);
  const drawArrows = edges(map, arrows.appendChild(h("div")), () => cases.shown.values());
  const drawEdges = () => { drawArrows(); tags.soon(); };
  listen(map, described, layers, cases, drawEdges);
  picking(map, layers, props);
  layers.highlight(store.state.selection, deep);
  ready(root, map);
  await store.firstMap();
  layers.later();
  new Lit(map, () => cases.shown.values(), () => layers.level === "full" && !layers.hidden.has("buildings"));
  await layers.load();
  layers.highlight(store.state.selection, false);
}

/** Ready: what is in view is drawn, streets, buildings and cases; what comes later (cameras, outlines) may still load. */
function ready(root, map) {
  const done = () => {
    map.off("render", look);
    clearTimeout(patience);
    root.querySelector(".map-wait")?.remove();
    window.__yiwangReady = true;
    root.dataset.ready = "true";
    performance.mark("yiwang-map-ready");
    store.drawn();
  };
  const look = () => { if (map.isStyleLoaded() && map.areTilesLoaded()) done(); }; // asked after a frame: before it nobody has asked for tiles
  const patience = setTimeout(done, READY_MS);
  map.on("render", look);
}

/** The first view: the gravest open cases between the panels; its middle, or null. @returns {[number, number] | null} */
function fit(map) {
  const box = firstView([...store.state.cases.values()].filter((c) => c.open));
  if (!box) return null;
  map.fitBounds(box, { padding: { top: 130, bottom: 90, left: 110, right: 110 }, maxZoom: 15.2, pitch: map.getPitch(), bearing: map.getBearing(), duration: 0 });
  return map.getCenter().toArray();
}

function listen(map, described, layers, cases, drawEdges) {
  layers.stops.push(
    store.on("case", (change) => cases.change(change)),
    store.on("cases", ({ reason }) => { if (reason !== "live") cases.reset(); drawEdges(); }),
    store.on("values", () => cases.shapes()),
    store.on("alarms", () => { cases.beat(); drawEdges(); }),
    store.on("camera", (data) => layers.camera(data)),
    store.on("device", (data) => layers.device(data)),
    store.on("select", ({ selection, fly }) => layers.highlight(selection, fly)),
    store.on("layout", () => setTimeout(() => map.resize(), 300)),
    store.on("past", (past) => { cases.show(past); layers.past(past); drawEdges(); }),
    store.on("theme", () => { const p = palette(theme()); images(map, p, PATHS); repaint(map, described, p, language() === "en"); layers.highlight(store.state.selection, false); }),
    store.on("place", (at) => fly(map, { center: at, zoom: Math.max(map.getZoom(), 16) })),
    flights(map),
    aircraft(map),
  );
}

const fly = (map, to) => (still() ? map.jumpTo(to) : map.flyTo({ ...to, duration: FLY_MS, essential: true }));

/** On the wall, an alarm is flown to and the view before it comes back. */
function flights(map) {
  let home = null;
  let timer = null;
  const back = () => {
    clearTimeout(timer);
    if (home) fly(map, home);
    home = null;
  };
  const stops = [
    store.on("alarm-new", (a) => {
      if (document.documentElement.dataset.layout !== "wall") return;
      const item = store.state.cases.get(a.case_id);
      if (!item || item.lon == null) return;
      home = home || { center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() };
      fly(map, { center: [item.lon, item.lat], zoom: 15.6, pitch: 55 });
      clearTimeout(timer);
      timer = setTimeout(back, HOLD_MS);
    }),
    store.on("alarms", (loud) => { if (!loud.length) back(); }),
  ];
  map.on("dragstart", () => { home = null; clearTimeout(timer); }); // a hand took over
  return () => { stops.forEach((run) => run()); clearTimeout(timer); alarm.ringing(); };
}

function attribution(meta, own) {
  const texts = new Set([...own.map((l) => l.attribution), meta.attribution, meta.generated === false ? null : t("map.generated")].filter(Boolean));
  return h("p", { class: "map-attribution" }, [...texts].map((text) => (typeof text === "string" ? text : named(text))).join(" · "));
}
