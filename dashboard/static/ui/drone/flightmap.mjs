// The map of one flight: its dated mosaic, footprints, findings, what changed; a swipe between it and the flight before.
import { ready as wordsReady, t, language } from "../shared/i18n.mjs";
import { h } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import { build } from "../map/style.mjs";
import { palette } from "../map/palette.mjs";
import { boxOf, brought, mark } from "./flight.mjs";

const POLL_MS = 3000;
const EMPTY = { type: "FeatureCollection", features: [] };
const FONT = '"Noto Sans CJK SC","Noto Sans SC","Microsoft YaHei",sans-serif';
const FOUND = ["match", ["get", "name"], ["fire", "smoke"], "#ff5252", ["garbage", "overflow"], "#ffb300", ["water"], "#2f80ed", "#00e5ff"];

/** @typedef {{flight?: string, at?: any, focus?: any, file?: string}} Props */

export function mount(root, props) {
  /** @type {{map: any, gl: any, style: any, alive: boolean, props: Props, flight: string, seen: string, fitted: boolean, timer: any, told: any, swipe: any, focus: any, prints: any, changed: any}} */
  const state = { map: null, gl: null, style: null, alive: true, props, flight: "", seen: "", fitted: false, timer: 0, told: null, swipe: null, focus: null, prints: null, changed: null };
  const node = h("div", { class: "flight-map", role: "application" });
  const said = h("div", { class: "flight-said", role: "status" });
  const button = h("button", { class: "button", type: "button", hidden: true, onclick: () => swiped(state, node, button) });
  root.append(h("div", { class: "flight-bar" }, said, button), node);
  wordsReady.then(() => {
    node.setAttribute("aria-label", t("drone.map"));
    button.textContent = t("drone.swipe");
    return begin(node, state);
  }).then(() => watch(state, said, button)).catch((error) => { node.textContent = `${t("map.failed")} ${error.message || ""}`; });
  return {
    update: (next) => { state.props = next; if (state.map) { look(state); watch(state, said, button); } },
    destroy: () => { state.alive = false; clearTimeout(state.timer); state.swipe?.(); state.map?.remove(); },
  };
}

async function begin(node, state) {
  const [gl, described] = await Promise.all([/** @type {Promise<any>} */ (import("/static/vendor/maplibre/maplibre-gl.mjs")), api.get("/api/map/style.json")]);
  if (!state.alive) return;
  state.gl = gl.default && gl.default.Map ? gl.default : gl;
  state.style = build({ ...described, layers: (described.layers || []).filter((layer) => !brought(layer.name)) }, palette(document.documentElement.dataset.theme), language() === "en");
  state.style.layers = state.style.layers.filter((layer) => layer.type !== "fill-extrusion");
  state.map = new state.gl.Map({ container: node, style: state.style, center: described.metadata?.center || [125.42, 43.87], zoom: 12, maxZoom: 22, attributionControl: false, cooperativeGestures: matchMedia("(pointer: coarse)").matches, localIdeographFontFamily: FONT });
  state.map.addControl(new state.gl.NavigationControl({ showCompass: false }), "top-right");
  await new Promise((resolve) => state.map.once("style.load", resolve));
  if (state.alive) layers(state.map);
  state.map.on("click", "prints", (event) => window.dash_clientside?.set_props("drone-file", { data: event.features[0].properties.file_id }));
}

function layers(map) {
  for (const id of ["prints", "changes", "found", "picked"]) map.addSource(id, { type: "geojson", data: EMPTY });
  map.addLayer({ id: "prints", type: "fill", source: "prints", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#4fc3f7", "fill-opacity": 0.06 } });
  map.addLayer({ id: "prints-line", type: "line", source: "prints", paint: { "line-color": "#4fc3f7", "line-width": 1 } });
  map.addLayer({ id: "prints-spot", type: "circle", source: "prints", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-color": "#4fc3f7", "circle-radius": 5 } });
  map.addLayer({ id: "changes", type: "line", source: "changes", paint: { "line-color": "#e040fb", "line-width": 2.5 } });
  map.addLayer({ id: "found", type: "circle", source: "found", paint: { "circle-color": FOUND, "circle-radius": 5, "circle-stroke-color": "#10202f", "circle-stroke-width": 1 } });
  map.addLayer({ id: "picked", type: "line", source: "picked", paint: { "line-color": "#ffd54f", "line-width": 3 } });
}

/** Asks how far the flight is, draws again what is new, and goes on until nothing more comes. */
async function watch(state, said, button) {
  clearTimeout(state.timer);
  const flight = state.props.flight;
  if (!flight || !state.alive) return;
  const fresh = flight !== state.flight;
  if (fresh) Object.assign(state, { flight, seen: "", fitted: false });
  const told = await api.get(`/api/drone/flights/${flight}`).catch(() => null);
  if (!state.alive || state.props.flight !== flight) return;
  if (told) {
    state.told = told;
    said.textContent = told.looked < told.pictures ? t("drone.looking", { done: told.looked, all: told.pictures }) : t("drone.looked", { all: told.pictures });
    button.hidden = !(told.mosaic && told.before);
    const now = mark(told);
    if (now !== state.seen) {
      state.seen = now;
      await draw(state, flight);
      window.dash_clientside?.set_props("drone-looked", { data: `${flight} ${now}` });
    }
  }
  state.timer = setTimeout(() => watch(state, said, button), POLL_MS * (told && told.looked >= told.pictures && told.survey_state?.state !== "running" ? 4 : 1));
}

async function draw(state, flight) {
  const [prints, found, changes] = await Promise.all([
    api.get(`/api/drone/files?flight=${flight}`), api.get(`/api/drone/findings?flight=${flight}&things=true`),
    state.told.changes ? api.get(`/api/drone/flights/${flight}/changes`) : EMPTY,
  ]).catch(() => [EMPTY, EMPTY, EMPTY]);
  if (!state.alive) return;
  state.prints = prints;
  state.changed = changes;
  for (const [id, data] of [["prints", prints], ["found", found], ["changes", changes]]) state.map.getSource(id).setData({ ...data, features: data.features.filter((f) => f.geometry) });
  raster(state.map, state.told.survey || state.told.mosaic);
  const box = boxOf(prints);
  if (box && !state.fitted) { state.map.fitBounds(box, { padding: 30, duration: 0, maxZoom: 20 }); state.fitted = true; }
  look(state);
}

function raster(map, mosaic) {
  if (map.getLayer("mosaic")) { map.removeLayer("mosaic"); map.removeSource("mosaic"); }
  if (!mosaic) return;
  map.addSource("mosaic", { type: "raster", tiles: [location.origin + mosaic.tiles], tileSize: 256, minzoom: mosaic.zooms[0], maxzoom: mosaic.zooms[1], bounds: mosaic.bbox });
  map.addLayer({ id: "mosaic", type: "raster", source: "mosaic" }, map.getLayer("prints") ? "prints" : undefined);
}

/** The picked file is outlined; a place that was picked in a list is looked at. */
function look(state) {
  const { focus, file } = state.props;
  const one = (state.prints?.features || []).filter((f) => f.geometry && f.properties.file_id === file);
  state.map.getSource("picked")?.setData({ ...EMPTY, features: one });
  if (focus && focus !== state.focus) state.map.jumpTo({ center: [focus.lon, focus.lat], zoom: Math.max(state.map.getZoom(), 19) });
  state.focus = focus;
}

/** The flight before at the left of a divider, this one at the right; again: away. */
function swiped(state, node, button) {
  if (state.swipe) { state.swipe(); state.swipe = null; button.setAttribute("aria-pressed", "false"); return; }
  const { map, gl, told } = state;
  const canvas = h("div", { class: "then-map", "aria-hidden": "true" });
  const line = h("div", { class: "then-line", "aria-hidden": "true" });
  const divider = h("input", { type: "range", class: "then-divider", min: "2", max: "98", value: "50", "aria-label": t("map.then_divider") });
  const dates = h("div", { class: "then-bar" }, h("b", {}, told.before.date || told.before.title.zh), " ◂ ▸ ", h("b", {}, told.mosaic.date || told.mosaic.title.zh));
  node.append(canvas, line, divider, dates);
  const past = new gl.Map({ container: canvas, style: state.style, center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), interactive: false, attributionControl: false, fadeDuration: 0, localIdeographFontFamily: FONT });
  past.once("style.load", () => {
    past.addSource("changes", { type: "geojson", data: state.changed || EMPTY });
    past.addLayer({ id: "changes", type: "line", source: "changes", paint: { "line-color": "#e040fb", "line-width": 2.5 } });
    raster(past, told.before);
    past.moveLayer("changes");
  });
  const cut = () => { canvas.style.clipPath = `inset(0 ${100 - Number(divider.value)}% 0 0)`; line.style.left = `${divider.value}%`; };
  const follow = () => past.jumpTo({ center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() });
  divider.addEventListener("input", cut);
  map.on("move", follow);
  cut();
  button.setAttribute("aria-pressed", "true");
  state.swipe = () => { map.off("move", follow); past.remove(); for (const each of [canvas, line, divider, dates]) each.remove(); };
}
