// What lies on the map besides cases: sites, cameras, views, divisions, vehicles; what is picked; how much is drawn.
import { t, named } from "../shared/i18n.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { DRAWN, DRAWN_TO, iconFor, viewOpacity } from "./style.mjs";

const DOWN = ["offline", "frozen", "black", "lost"];
export const SOURCES = {
  outline: {}, "division-points": {}, views: {}, wedge: {}, tool: {}, columns: {}, hexagons: {}, "hexagon-points": {}, vehicles: {}, aircraft: {}, "aircraft-trail": {}, "aircraft-ground": {},
  cameras: { cluster: true, clusterRadius: 60, clusterMaxZoom: 15, clusterProperties: { down: ["+", ["case", ["in", ["get", "state"], ["literal", DOWN]], 1, 0]] } },
  sites: { promoteId: "site_id" },
  cases: { promoteId: "case_id" },
};
const LIGHT_RATIO = 0.7;
const collection = (features) => ({ type: "FeatureCollection", features });

export class Layers {
  constructor(map, cases, meta) {
    this.map = map;
    this.cases = cases;
    this.meta = meta;
    this.stops = [];
    this.picked = [];
    this.hidden = new Set();
    this.vehicles = new Map();
    this.level = "full";
    this.centre = /** @type {[number, number] | null} */ (null); // of the first view
    this.froms = /** @type {Record<string, number>} */ ({});
    this.once = null; // the next click belongs to a tool
  }

  async load() {
    const load = async (name, run) => {
      try {
        run(await api.get(`/api/map/${name}.geojson`, { timeout: 60000 }));
      } catch (error) {
        console.warn("layer", name, error);
        store.emit("notice", { kind: "client", title: t("map.layer_failed", { layer: t(`layer.${name}`) }), severity: 1 });
      }
    };
    await Promise.all([
      load("sites", (data) => {
        for (const f of data.features) {
          f.properties.icon = iconFor(f.properties.kind);
          f.properties.label = named(f.properties);
          store.state.sites.set(f.properties.site_id, { ...f.properties, lonlat: f.geometry.coordinates });
        }
        this.map.getSource("sites").setData(data);
        store.emit("sites", null);
      }),
      load("divisions", (data) => this.divisions(data)),
      load("cameras", (data) => {
        for (const f of data.features) store.state.cameras.set(f.properties.camera_id, { ...f.properties, lonlat: f.geometry.coordinates });
        this.cameras = data;
        this.map.getSource("cameras").setData(data);
        store.emit("cameras", null);
      }),
      load("views", (data) => { this.views = data; this.map.getSource("views").setData(data); }),
    ]);
  }

  goHome() {
    const middle = [...store.state.sites.values()].map((s) => s.lonlat);
    const median = (k) => middle.map((p) => p[k]).sort((a, b) => a - b)[Math.floor(middle.length / 2)];
    this.map.flyTo({ center: this.centre || (middle.length ? [median(0), median(1)] : this.meta.center) || [125.42, 43.87], zoom: this.meta.wall_zoom || 13.4, pitch: 52, bearing: -12 });
  }

  divisions(data) {
    const points = [];
    const lines = [];
    for (const f of data.features) {
      const p = f.properties;
      store.state.divisions.set(p.code, p);
      if (p.level === "street") {
        const at = f.geometry && f.geometry.type === "Point" ? f.geometry.coordinates : p.lon ? [p.lon, p.lat] : middleOf(f.geometry);
        if (at) points.push({ type: "Feature", geometry: { type: "Point", coordinates: at }, properties: { label: named(p) } });
      }
      if (p.level === "district" && f.geometry && f.geometry.type !== "Point") lines.push(f);
    }
    this.map.getSource("division-points").setData(collection(points));
    if (!this.map.getSource("divisions")) this.map.getSource("outline").setData(collection(lines));
  }

  camera(data) {
    const known = store.state.cameras.get(data.camera_id);
    if (known && data.at) known.seen_at = data.at;
    if (!known || known.state === data.state) return;
    known.state = data.state;
    for (const f of this.cameras ? this.cameras.features : []) if (f.properties.camera_id === data.camera_id) f.properties.state = data.state;
    clearTimeout(this.cameraTimer); // clustered sources are indexed anew as a whole: not more than every 2 s
    this.cameraTimer = setTimeout(() => this.map.getSource("cameras").setData(this.cameras), 2000);
  }

  /** A device that says where it is moves on the map. */
  device(data) {
    if (!data.location || data.location.lon == null) return;
    this.vehicles.set(data.device_id, { type: "Feature", geometry: { type: "Point", coordinates: [data.location.lon, data.location.lat] }, properties: { device_id: data.device_id, label: data.name || data.device_id.split(":").pop() } });
    clearTimeout(this.vehicleTimer);
    this.vehicleTimer = setTimeout(() => this.map.getSource("vehicles").setData(collection([...this.vehicles.values()])), 200);
  }

  /** Camera states of the past on the map; null: as they are now. */
  past(past) {
    if (!this.cameras) return;
    if (!past) return void this.map.getSource("cameras").setData(this.cameras);
    const key = [...past.down].sort().join();
    if (key === this.pastKey) return;
    this.pastKey = key;
    this.map.getSource("cameras").setData(collection(this.cameras.features.map((f) => ({ ...f, properties: { ...f.properties, state: past.down.has(f.properties.camera_id) ? "offline" : "online" } }))));
  }

  /** Full: vectors and 3D.  Reduced: the ground as pictures that the server drew, columns.  Light: fewer pixels, no columns. */
  setLevel(level) {
    this.level = level;
    const { map } = this;
    const show = (id, on) => { if (map.getLayer(id)) map.setLayoutProperty(id, "visibility", on ? "visible" : "none"); };
    const buildings = !this.hidden.has("buildings");
    const drawn = this.drawn();
    show("ground", drawn);
    for (const id of DRAWN) {
      if (map.getLayer(id)) map.setLayerZoomRange(id, drawn ? Math.max(this.from(id), DRAWN_TO) : this.from(id), 24);
    }
    show("buildings", buildings && level === "full");
    show("buildings-flat", buildings && level !== "full" && (drawn || level === "reduced"));
    const columns = !this.hidden.has("cases") && level !== "light";
    for (const id of ["column-core", "column-glow", "column-water", "column-level"]) show(id, columns);
    map.setPixelRatio?.(level === "light" ? LIGHT_RATIO * Math.min(1, devicePixelRatio) : devicePixelRatio);
    map.getCanvas().dataset.level = level;
  }

  /** From which zoom a layer is drawn at the full level. @param {string} id @returns {number} */
  from(id) {
    const layer = this.map.getLayer(id);
    return (this.froms[id] ??= layer?.metadata?.from ?? layer?.minzoom ?? 0);
  }

  /** What waited for the first map: names of streets. */
  later() {
    for (const layer of this.map.getStyle().layers) if (layer.metadata?.later) this.map.setLayerZoomRange(layer.id, layer.metadata.from, layer.maxzoom ?? 24);
  }

  /** Whether the ground is drawn by the server: below the full level, as long as no layer of it is switched off. */
  drawn() {
    return this.level !== "full" && Boolean(this.map.getLayer("ground")) && !["buildings", "roads", "divisions"].some((name) => this.hidden.has(name));
  }

  /** The building at `point` of the drawn ground: its vectors are fetched for that. @returns {Promise<any>} a feature or null */
  async buildingAt(point) {
    const { map } = this;
    if (!this.drawn() || map.getZoom() < 13) return null;
    this.invisible(true);
    await Promise.race([new Promise((done) => { map.once("idle", done); }), new Promise((done) => { setTimeout(done, 3000); })]);
    return map.queryRenderedFeatures(point, { layers: ["buildings-flat"] })[0] || null;
  }

  /** Buildings as vectors over their picture, seen only where one is picked; away again when none is. */
  invisible(on) {
    const { map } = this;
    if (!map.getLayer("buildings-flat") || !this.drawn()) return;
    map.setLayerZoomRange("buildings-flat", on ? 13 : DRAWN_TO, 24);
    map.setPaintProperty("buildings-flat", "fill-opacity", on ? ["case", ["boolean", ["feature-state", "picked"], false], 1, 0] : 1);
  }

  refreshLevel() { this.setLevel(this.level); }

  highlight(selection, fly) {
    const { map } = this;
    for (const one of this.picked) map.setFeatureState(one, { picked: false });
    this.picked = [];
    this.invisible(selection?.type === "building");
    if (map.getLayer("view")) map.setPaintProperty("view", "fill-opacity", viewOpacity(selection?.type === "camera" ? selection.id : ""));
    if (!selection) return;
    let at = null;
    if (selection.type === "case") {
      const item = store.state.cases.get(selection.id) || selection.item;
      this.picked.push({ source: "cases", id: selection.id });
      if (item && item.lon != null) at = [item.lon, item.lat];
    } else if (selection.type === "site") at = store.state.sites.get(selection.id)?.lonlat;
    else if (selection.type === "camera") at = store.state.cameras.get(selection.id)?.lonlat;
    else if (selection.type === "building" && map.getSource("buildings")) {
      this.picked.push({ source: "buildings", sourceLayer: "buildings", id: selection.id });
      at = selection.feature?.lonlat || null;
    }
    for (const one of this.picked) map.setFeatureState(one, { picked: true });
    if (fly && at) {
      const to = { center: at, zoom: Math.max(map.getZoom(), 15.6) };
      if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) map.jumpTo(to);
      else map.flyTo({ ...to, duration: 1200, essential: false });
    }
  }
}

function middleOf(geometry) {
  if (!geometry) return null;
  const flat = geometry.coordinates.flat(Infinity);
  let x = 0, y = 0, n = 0;
  for (let i = 0; i + 1 < flat.length; i += 2) { x += flat[i]; y += flat[i + 1]; n++; }
  return n ? [x / n, y / n] : null;
}
