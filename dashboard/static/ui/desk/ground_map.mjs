// A small map to click on: a click goes to the store `target` of the page's callbacks; pins and a view come from them.
import { ready as wordsReady, t } from "../shared/i18n.mjs";
import { h, icon } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import { build } from "../map/style.mjs";
import { palette } from "../map/palette.mjs";

/** @typedef {typeof import("/static/vendor/maplibre/maplibre-gl.mjs")} Maplibre */

export function mount(root, props) {
  /** @type {{map: any, Marker: any, pins: any[], alive: boolean, props: any, looked: any}} */
  const state = { map: null, Marker: null, pins: [], alive: true, props, looked: {} };
  const node = h("div", { class: "calib-map", role: "application" });
  root.append(node);
  wordsReady.then(() => {
    node.setAttribute("aria-label", t("vision.click_map"));
    return begin(node, state);
  }).catch((error) => { node.textContent = `${t("map.failed")} ${error.message || ""}`; });
  return {
    update: (next) => { state.props = next; show(state); },
    destroy: () => { state.alive = false; if (state.map) state.map.remove(); },
  };
}

async function begin(node, state) {
  /** @type {[Maplibre & {default?: Maplibre}, any]} */
  const [gl, described] = await Promise.all([import("/static/vendor/maplibre/maplibre-gl.mjs"), api.get("/api/map/style.json")]);
  if (!state.alive) return;
  const maplibre = gl.default && gl.default.Map ? gl.default : gl;
  const { lon, lat, target } = state.props;
  const centre = lon != null ? [lon, lat] : described.metadata?.center || [125.42, 43.87];
  const style = build(described, palette(document.documentElement.dataset.theme));
  // Looked at from above: buildings are their ground plans.
  style.layers = style.layers.filter((layer) => layer.id !== "buildings-flat").map((layer) => (layer.type === "fill-extrusion"
    ? { id: layer.id, type: "fill", source: layer.source, "source-layer": layer["source-layer"], paint: { "fill-color": "#7f9fc4", "fill-opacity": 0.6, "fill-outline-color": "#4f8fc4" } } : layer));
  const map = new maplibre.Map({ container: node, style, center: centre, zoom: state.props.zoom ?? 18, maxZoom: 21, attributionControl: false, localIdeographFontFamily: '"Noto Sans CJK SC",sans-serif' });
  await new Promise((resolve) => map.once("style.load", resolve));
  if (!state.alive) { map.remove(); return; }
  map.addSource("view", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  map.addLayer({ id: "view", type: "fill", source: "view", paint: { "fill-color": "#3ddc97", "fill-opacity": 0.3 } });
  if (lon != null) new maplibre.Marker({ element: h("span", { class: "cam-pin" }, icon("camera", 20)) }).setLngLat(centre).addTo(map);
  map.on("click", ({ lngLat }) => window.dash_clientside.set_props(target, { data: { lon: Number(lngLat.lng.toFixed(7)), lat: Number(lngLat.lat.toFixed(7)), at: Date.now() } }));
  Object.assign(state, { map, Marker: maplibre.Marker });
  show(state);
}

function show({ map, Marker, pins, props, looked }) {
  if (!map) return;
  pins.splice(0).forEach((pin) => pin.remove());
  for (const { n, lon, lat } of props.pins || []) pins.push(new Marker({ element: h("b", { class: "mark on-map" }, n) }).setLngLat([lon, lat]).addTo(map));
  if (props.focus && props.focus !== looked.focus) map.jumpTo({ center: [props.focus.lon, props.focus.lat], zoom: Math.max(map.getZoom(), 16) });
  looked.focus = props.focus;
  map.getSource("view").setData({ type: "Feature", properties: {}, geometry: props.view || { type: "Polygon", coordinates: [[]] } });
}
