// The city map on maplibre-gl.  Live updates go through source.updateData and never touch the camera.
import { t, caseTitle, named, language, ready as wordsReady } from "../shared/i18n.mjs";
import { h, PATHS, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { build, overlays, iconFor, SEVERITY, viewOpacity } from "./style.mjs";

const EMPTY = { type: "FeatureCollection", features: [] };
const PULSES = 24; // rings that beat at once: more would be a flood, not a sign

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
  await wordsReady;
  root.querySelector(".map-wait-text").textContent = t("map.loading");
  const [gl, described] = await Promise.all([
    import("/static/vendor/maplibre/maplibre-gl.mjs"),
    api.get("/api/map/style.json"),
    store.start(),
  ]);
  const maplibre = gl.default && gl.default.Map ? gl.default : gl;
  const meta = described.metadata || {};
  const deep = !location.hash.includes("m="); // the map writes the hash itself as soon as it stands
  const view = props.view || [];
  const element = h("div", { class: "map-canvas" });
  root.prepend(element);
  const map = new maplibre.Map({
    container: element,
    style: build(described),
    center: view.length ? [view[0], view[1]] : meta.center || [125.42, 43.87],
    zoom: view[2] ?? meta.wall_zoom ?? 13.4,
    bearing: view[3] ?? -12,
    pitch: view[4] ?? 52,
    minZoom: 8,
    maxZoom: 19.5,
    maxPitch: 75,
    hash: "m",
    attributionControl: { compact: false }, // OpenStreetMap's licence asks for the credit on the map
    canvasContextAttributes: { antialias: false },
    localIdeographFontFamily: '"Noto Sans CJK SC","Noto Sans SC","Microsoft YaHei",sans-serif',
    fadeDuration: 120,
    locale: { "NavigationControl.ZoomIn": t("map.zoom_in"), "NavigationControl.ZoomOut": t("map.zoom_out"), "NavigationControl.ResetBearing": t("map.north") },
  });
  map.addControl(new maplibre.NavigationControl({ visualizePitch: true }), "bottom-right");
  map.addControl(new maplibre.ScaleControl({ maxWidth: 120 }), "bottom-left");
  handle.destroy = () => { stop(); map.remove(); };
  const stops = [];
  const stop = () => stops.splice(0).forEach((run) => run());
  map.on("error", (event) => console.warn("map", event.error && event.error.message));
  await new Promise((resolve) => map.once("style.load", resolve));
  addImages(map);
  const layers = new Layers(map, maplibre);
  layers.overview = deep && !store.state.selection && !view.length;
  await layers.load();
  stops.push(store.on("case", (change) => layers.change(change)), store.on("cases", ({ reason }) => { if (reason !== "live") layers.reset(); }),
    store.on("camera", (data) => layers.camera(data)), store.on("select", ({ selection, fly }) => layers.highlight(selection, fly)));
  picking(map, props);
  root.append(legend(map, meta, layers), tools(map, meta, layers));
  layers.highlight(store.state.selection, deep);
  const wait = root.querySelector(".map-wait");
  const done = () => {
    if (!map.areTilesLoaded() && performance.now() < 60000) return void setTimeout(done, 100);
    wait.remove();
    window.__yiwangReady = true;
    root.dataset.ready = "true";
  };
  done();
  window.__yiwangMap = map; // tests and the console look at it
}

class Layers {
  constructor(map, maplibre) {
    this.map = map;
    this.maplibre = maplibre;
    this.shown = new Map();
    this.pulses = new Map();
    this.picked = null;
    this.queue = new Map();
    this.places = new Map();
  }

  async load() {
    const { map } = this;
    const add = (id, extra = {}) => map.addSource(id, { type: "geojson", data: EMPTY, ...extra });
    add("division-points");
    add("views");
    add("cameras", { cluster: true, clusterRadius: 70, clusterMaxZoom: 15 });
    add("sites", { promoteId: "site_id" });
    add("cases", { promoteId: "case_id" });
    for (const layer of overlays(t)) map.addLayer(layer);
    this.reset();
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
        map.getSource("sites").setData(data);
        if (data.features.length) {
          const centre = this.home(data.features);
          if (this.overview) map.jumpTo({ center: centre });
        }
        store.emit("sites", null);
      }),
      load("cameras", (data) => {
        for (const f of data.features) store.state.cameras.set(f.properties.camera_id, { ...f.properties, lonlat: f.geometry.coordinates });
        this.cameras = data;
        map.getSource("cameras").setData(data);
        store.emit("cameras", null);
      }),
      load("views", (data) => map.getSource("views").setData(data)),
      load("divisions", (data) => this.divisions(data)),
    ]);
  }

  /** The middle of what is watched: better than the outline's, which holds farmland too. */
  home(features) {
    const median = (k) => features.map((f) => f.geometry.coordinates[k]).sort((a, b) => a - b)[Math.floor(features.length / 2)];
    this.centre = [median(0), median(1)];
    return this.centre;
  }

  divisions(data) {
    const points = [];
    const lines = [];
    for (const f of data.features) {
      const p = f.properties;
      if (p.level === "street") {
        const at = f.geometry && f.geometry.type === "Point" ? f.geometry.coordinates : p.lon ? [p.lon, p.lat] : middle(f.geometry);
        if (at) points.push({ type: "Feature", geometry: { type: "Point", coordinates: at }, properties: { label: named(p) } });
      }
      if (p.level === "district" && f.geometry && f.geometry.type !== "Point") lines.push(f);
    }
    this.map.getSource("division-points").setData({ type: "FeatureCollection", features: points });
    if (!this.map.getSource("divisions") && lines.length) {
      this.map.addSource("outline", { type: "geojson", data: { type: "FeatureCollection", features: lines } });
      this.map.addLayer({ id: "outline", type: "line", source: "outline", paint: { "line-color": "#38c6f4", "line-width": 2 } }, "division-label");
    }
  }

  // cases ---------------------------------------------------------------
  /** Cases of one place stand in a ring around it, so that each can be picked. */
  spot(item) {
    const key = `${item.lon.toFixed(5)},${item.lat.toFixed(5)}`;
    const here = this.places.get(key) || this.places.set(key, []).get(key);
    if (!here.includes(item.case_id)) here.push(item.case_id);
    const n = here.indexOf(item.case_id);
    if (!n) return [item.lon, item.lat];
    const angle = (n * Math.PI) / 3;
    const metres = 24 * Math.ceil(n / 6);
    return [item.lon + (metres * Math.sin(angle)) / (111320 * Math.cos((item.lat * Math.PI) / 180)), item.lat + (metres * Math.cos(angle)) / 111320];
  }

  feature(item) {
    return {
      type: "Feature", id: item.case_id, geometry: { type: "Point", coordinates: this.spot(item) },
      properties: { case_id: item.case_id, severity: item.severity, label: caseTitle(item), icon: iconFor(item.kind || item.class_code), late: store.isLate(item) || false },
    };
  }

  reset() {
    this.shown.clear();
    this.places.clear();
    const features = store.shown().filter((item) => item.lon != null && item.lat != null).map((item) => {
      this.shown.set(item.case_id, item);
      return this.feature(item);
    });
    this.map.getSource("cases").setData({ type: "FeatureCollection", features });
    this.beat();
  }

  change({ item, gone, fresh }) {
    // Changes of one frame go to the source together.
    this.queue.set(item.case_id, { item, gone: gone || !store.matches(item) || item.lon == null, fresh });
    if (this.timer) return;
    this.timer = setTimeout(() => { this.timer = null; this.flush(); }, 60);
  }

  flush() {
    const diff = { add: [], update: [], remove: [] };
    for (const [id, { item, gone }] of this.queue) {
      const had = this.shown.has(id);
      if (gone) {
        if (had) diff.remove.push(id);
        this.shown.delete(id);
        continue;
      }
      const feature = this.feature(item);
      if (had) {
        diff.update.push({
          id, newGeometry: feature.geometry,
          addOrUpdateProperties: Object.entries(feature.properties).map(([key, value]) => ({ key, value })),
        });
      } else diff.add.push(feature);
      this.shown.set(id, item);
    }
    this.queue.clear();
    if (diff.add.length || diff.update.length || diff.remove.length) this.map.getSource("cases").updateData(diff);
    this.beat();
  }

  /** Rings over the worst open cases that nobody has accepted: DOM, so that the map need not be drawn anew. */
  beat() {
    const wanted = [...this.shown.values()].filter((c) => c.severity >= 3 && !["handling", "handle_finished", "checking"].includes(c.state))
      .sort((a, b) => b.severity - a.severity).slice(0, PULSES);
    const ids = new Set(wanted.map((c) => c.case_id));
    for (const [id, marker] of this.pulses) {
      if (!ids.has(id)) { marker.remove(); this.pulses.delete(id); }
    }
    for (const item of wanted) {
      const known = this.pulses.get(item.case_id);
      if (known) { known.setLngLat(this.spot(item)); continue; }
      const ring = h("div", { class: "pulse", style: { "--colour": SEVERITY[item.severity] } }, h("i"));
      this.pulses.set(item.case_id, new this.maplibre.Marker({ element: ring, opacityWhenCovered: "1" }).setLngLat(this.spot(item)).addTo(this.map));
    }
  }

  camera(data) {
    const known = store.state.cameras.get(data.camera_id);
    if (!known || known.state === data.state) return;
    known.state = data.state;
    for (const f of this.cameras ? this.cameras.features : []) {
      if (f.properties.camera_id === data.camera_id) f.properties.state = data.state;
    }
    clearTimeout(this.cameraTimer); // clustered sources are indexed anew as a whole: not more than every 2 s
    this.cameraTimer = setTimeout(() => this.map.getSource("cameras").setData(this.cameras), 2000);
  }

  highlight(selection, fly) {
    const { map } = this;
    if (this.picked) map.setFeatureState(this.picked, { picked: false });
    this.picked = null;
    if (map.getLayer("view")) map.setPaintProperty("view", "fill-opacity", viewOpacity(selection?.type === "camera" ? selection.id : ""));
    if (!selection) return;
    let at = null;
    if (selection.type === "case") {
      const item = store.state.cases.get(selection.id) || selection.item;
      this.picked = { source: "cases", id: selection.id };
      if (item && item.lon != null) at = [item.lon, item.lat];
    } else if (selection.type === "site") at = store.state.sites.get(selection.id)?.lonlat;
    else if (selection.type === "camera") at = store.state.cameras.get(selection.id)?.lonlat;
    else if (selection.type === "building" && selection.feature && selection.feature.id !== undefined) {
      this.picked = { source: "buildings", sourceLayer: "buildings", id: selection.feature.id };
    }
    if (this.picked) map.setFeatureState(this.picked, { picked: true });
    if (fly && at) map.flyTo({ center: at, zoom: Math.max(map.getZoom(), 15.6), speed: 1.6, essential: false });
  }
}

function picking(map, props) {
  const order = ["case", "case-icon", "site", "camera", "camera-cluster", "buildings"];
  const layers = () => order.filter((id) => map.getLayer(id));
  map.on("click", async (event) => {
    const box = [[event.point.x - 5, event.point.y - 5], [event.point.x + 5, event.point.y + 5]];
    const found = map.queryRenderedFeatures(box, { layers: layers() });
    const hit = order.map((id) => found.find((f) => f.layer.id === id)).find(Boolean);
    if (!hit) return store.select(null);
    const p = hit.properties;
    let picked;
    if (hit.layer.id === "camera-cluster") {
      const zoom = await map.getSource("cameras").getClusterExpansionZoom(p.cluster_id);
      return map.easeTo({ center: hit.geometry.coordinates, zoom: Math.min(zoom + 0.3, 18) });
    }
    if (hit.layer.id.startsWith("case")) picked = { type: "case", id: p.case_id };
    else if (hit.layer.id === "site") picked = { type: "site", id: p.site_id };
    else if (hit.layer.id === "camera") picked = { type: "camera", id: p.camera_id };
    else {
      picked = { type: "building", id: String(hit.id ?? p.building_id ?? p.id ?? ""), feature: { id: hit.id, properties: p, lonlat: event.lngLat.toArray() } };
    }
    store.select(picked);
    if (props.setProps) props.setProps({ picked: { type: picked.type, id: picked.id } });
  });
  for (const id of ["case", "site", "camera", "camera-cluster"]) {
    map.on("mouseenter", id, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", id, () => { map.getCanvas().style.cursor = ""; });
  }
}

// furniture -------------------------------------------------------------
function legend(map, meta) {
  const row = (mark, text) => h("li", {}, mark, h("span", {}, text));
  const dot = (colour) => h("i", { class: "legend-dot", style: { background: colour } });
  return h("details", { class: "map-legend", open: window.innerHeight > 640 },
    h("summary", {}, t("map.legend")),
    h("ul", {},
      [4, 3, 2, 1].map((level) => row(dot(SEVERITY[level]), t(`severity.${level}`))),
      row(h("i", { class: "legend-dot late" }), t("map.late")),
      row(h("span", { class: "legend-site" }, icon("pin", 14)), t("layer.sites")),
      row(h("span", { class: "legend-camera" }, icon("camera", 14)), t("layer.cameras"))),
    meta.generated === false ? null : h("p", { class: "generated", title: t("map.generated_long") }, t("map.generated")));
}

function tools(map, meta, layers) {
  const toggles = { buildings: ["buildings"], cameras: ["camera", "camera-cluster", "camera-count"], views: ["view", "view-edge"], sites: ["site"], divisions: ["division-label", "division-street"] };
  const button = (name) => {
    const node = h("button", { type: "button", "aria-pressed": "true", onClick: () => {
      const on = node.getAttribute("aria-pressed") !== "true";
      node.setAttribute("aria-pressed", String(on));
      for (const id of toggles[name]) if (map.getLayer(id)) map.setLayoutProperty(id, "visibility", on ? "visible" : "none");
    } }, t(`layer.${name}`));
    return node;
  };
  const home = h("button", { type: "button", onClick: () => {
    map.flyTo({ center: layers.centre || meta.center || [125.42, 43.87], zoom: meta.wall_zoom || 13.4, pitch: 52, bearing: -12 });
  } }, t("map.home"));
  const flat = h("button", { type: "button", onClick: () => {
    const down = map.getPitch() > 5;
    map.easeTo({ pitch: down ? 0 : 52, bearing: down ? 0 : -12 });
    flat.textContent = down ? "3D" : "2D";
  } }, "2D");
  return h("div", { class: "map-tools", role: "toolbar", "aria-label": t("map.tools"), lang: language() }, Object.keys(toggles).map(button), flat, home);
}

function addImages(map) {
  const make = (id, { path, fill, disc, ring, size = 44, scale = 1 }) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = size;
    const g = canvas.getContext("2d");
    if (disc) {
      g.beginPath();
      g.arc(size / 2, size / 2, size / 2 - 2, 0, 7);
      g.fillStyle = disc;
      g.fill();
      g.lineWidth = 2.5;
      g.strokeStyle = ring;
      g.stroke();
    }
    const inner = (disc ? size * 0.58 : size * 0.9) * scale;
    g.translate((size - inner) / 2, (size - inner) / 2);
    g.scale(inner / 24, inner / 24);
    g.fillStyle = fill;
    g.fill(new Path2D(path), "evenodd");
    map.addImage(id, g.getImageData(0, 0, size, size), { pixelRatio: 1 });
  };
  const kinds = ["fire", "water", "fuel", "warehouse", "camera", "key", "alarm", "person", "device", "dot"];
  const tint = { fire: "#ff9d6b", water: "#5cc8ff", fuel: "#ffd166", warehouse: "#9be28c", key: "#c9b6ff" };
  for (const kind of kinds) {
    make(`site-${kind}`, { path: PATHS[kind], fill: tint[kind] || "#cfe6f7", disc: "#0d2138", ring: tint[kind] || "#5f88ad" });
    make(`case-${kind}`, { path: PATHS[kind], fill: "#07101d" });
  }
  make("camera", { path: PATHS.camera, fill: "#7fd6ee", disc: "#0b2434", ring: "#2aa7c9" });
  make("camera-off", { path: PATHS.camera, fill: "#ff8b97", disc: "#2a1118", ring: "#ff5468" });
}

function middle(geometry) {
  if (!geometry) return null;
  const flat = geometry.coordinates.flat(Infinity);
  let x = 0, y = 0, n = 0;
  for (let i = 0; i + 1 < flat.length; i += 2) { x += flat[i]; y += flat[i + 1]; n++; }
  return n ? [x / n, y / n] : null;
}
