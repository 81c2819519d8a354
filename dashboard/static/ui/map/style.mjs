// The map's look.  The server says which tilesets there are; the colours are ours (palette.mjs, one set a theme).
import { ownLayers } from "./own_layers.mjs";

const FONT = ["Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", "sans-serif"];
const MAJOR = ["motorway", "trunk", "primary", "secondary", "motorway_link", "trunk_link", "primary_link", "major", "arterial", "highway", "expressway"];
const TRUNK = ["motorway", "trunk", "motorway_link", "trunk_link", "highway", "expressway"];
const bySeverity = (p, key = "severity") => ["match", ["get", key], 4, p.s[4], 3, p.s[3], 2, p.s[2], p.s[1]];
/** Up to this zoom slow graphics show the ground as pictures that the server drew; nearer, few enough buildings are in view. */
export const DRAWN_TO = 16.6;
const LATER = 23.9; // nearer than the map goes: not drawn yet
/** What the drawn ground shows in place of vectors. */
export const DRAWN = ["division-fill", "water", "green", "road-minor", "road-major", "division-street", "division-district", "buildings-flat"];
const width = (...stops) => ["interpolate", ["exponential", 1.5], ["zoom"], ...stops];
const among = (list) => ["in", ["get", "class"], ["literal", list]];
export const HEIGHT = ["to-number", ["coalesce", ["get", "height_m"], ["get", "height"], 9]];
/** A name in the viewer's language, where the tiles have one. */
const name = (english) => (english ? ["coalesce", ["get", "name_en"], ["get", "name:en"], ["get", "name"]] : ["get", "name"]);
const use = (p) => ["match", ["coalesce", ["get", "use"], ["get", "kind"], ""], ["commercial", "commerce", "retail", "office", "mixed"], p.building.commercial, ["public", "school", "hospital", "civic", "government"], p.building.public,
  ["industrial", "industry", "factory", "warehouse"], p.building.industrial, p.building.residential];
export const buildingColour = (p) => ["case", ["boolean", ["feature-state", "picked"], false], p.picked, ["boolean", ["feature-state", "lit"], false], p.lit, use(p)];

/** `value` (a number, or an expression by zoom or by case) times `k`: names and signs grow with the wall's type scale. */
export function times(value, k) {
  if (typeof value === "number") return value * k;
  if (!Array.isArray(value)) return value;
  const [what, ...rest] = value;
  if (what === "interpolate") return [what, rest[0], rest[1], ...rest.slice(2).map((v, i) => (i % 2 ? times(v, k) : v))];
  if (what === "step") return [what, rest[0], ...rest.slice(1).map((v, i) => (i % 2 ? v : times(v, k)))];
  if (what === "case" || what === "match") {
    const head = what === "match" ? 1 : 0;
    return [what, ...rest.map((v, i) => (i >= head && ((i - head) % 2 === 1 || i === rest.length - 1) ? times(v, k) : v))];
  }
  return value;
}

/** A layer of one outline bears its name once, on the map of divisions: not in every tile again. */
const single = (layer) => (layer.kind === "areas" && layer.features <= 1 ? { ...layer, style: layer.style.filter((style) => style.type !== "symbol") } : layer);

const SIZED = [["layout", "text-size"], ["layout", "icon-size"], ["paint", "circle-radius"]];
/** The layers with their signs `k` times as large. */
export const sized = (layers, k) => (k === 1 ? layers : layers.map((layer) => {
  const made = { ...layer, layout: { ...layer.layout }, paint: { ...layer.paint } };
  for (const [part, key] of SIZED) if (made[part][key] !== undefined) made[part][key] = times(made[part][key], k);
  return made;
}));
/** How much larger than on a desk everything is: the root's font size over 16 px. */
export const scale = () => Math.max(1, parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1);

/**
 * The style of `described` (the answer of /api/map/style.json) in palette `p`.
 * @param {any} described @param {any} p @param {boolean} [english] @param {string} [level] how much is drawn (quality.mjs) @returns {any} a MapLibre style, version 8
 */
export function build(described, p, english = false, level = "full") {
  const sources = {};
  for (const [id, source] of Object.entries(described.sources || {})) {
    sources[id] = { ...source, tiles: (source.tiles || []).map((url) => new URL(url, location.origin).href.replaceAll("%7B", "{").replaceAll("%7D", "}")) };
    delete sources[id].url;
    if (id === "buildings") sources[id].promoteId = "id";
  }
  if (described.drawn) sources.ground = { ...described.drawn, type: "raster", tileSize: 512, tiles: drawnTiles(described, p) };
  const own = ownLayers((described.layers || []).map(single), p.theme, FONT);
  Object.assign(sources, own.sources);
  /** @type {any[]} */
  const layers = [{ id: "background", type: "background", paint: { "background-color": p.ground } }];
  const from = (id, layer) => { if (sources[id]) layers.push({ source: id, "source-layer": described.sources[id].layer || id, ...layer }); };
  ground(from, p);
  if (sources.ground) layers.push({ id: "ground", type: "raster", source: "ground", maxzoom: DRAWN_TO, layout: { visibility: "none" }, paint: { "raster-fade-duration": 0 } });
  layers.push(...own.ground);
  roads(from, p);
  from("divisions", { id: "division-street", type: "line", filter: ["==", ["get", "level"], "street"], paint: { "line-color": p.street, "line-width": 1.1, "line-dasharray": [4, 3] } });
  from("divisions", { id: "division-district", type: "line", filter: ["==", ["get", "level"], "district"], paint: { "line-color": p.district, "line-width": 2.2, "line-opacity": 0.85 } });
  from("buildings", { id: "buildings-flat", type: "fill", minzoom: 13, layout: { visibility: "none" }, paint: { "fill-color": buildingColour(p), "fill-antialias": false } });
  from("buildings", {
    id: "buildings", type: "fill-extrusion", minzoom: 13,
    paint: { "fill-extrusion-color": buildingColour(p), "fill-extrusion-height": HEIGHT, "fill-extrusion-opacity": 1, "fill-extrusion-vertical-gradient": true }, // 0.9 costs a third of the frame rate
  });
  layers.push(...own.above);
  labels(from, p, english);
  if (level !== "full" && sources.ground) simplified(layers);
  return { version: 8, name: "yiwang", sources, layers: sized(layers, scale()), sky: { "sky-color": p.sky, "horizon-color": p.fog, "fog-color": p.fog, "fog-ground-blend": 0.7, "horizon-fog-blend": 0.6, "sky-horizon-blend": 0.6 } };
}

const drawnTiles = (described, p) => described.drawn.tiles.map((url) => new URL(url.replace("{theme}", p.theme), location.origin).href.replaceAll("%7B", "{").replaceAll("%7D", "}"));

/** For slow graphics: the drawn ground in place of vectors, names of streets after the first map. */
function simplified(layers) {
  for (const layer of layers) {
    const from = layer.minzoom ?? 0;
    if (layer.id === "ground") layer.layout.visibility = "visible";
    else if (layer.id === "buildings") layer.layout = { visibility: "none" };
    else if (DRAWN.includes(layer.id)) Object.assign(layer, { minzoom: Math.max(from, DRAWN_TO), metadata: { from } }, layer.id === "buildings-flat" ? { layout: {} } : {});
    else if (layer.type === "symbol") Object.assign(layer, { minzoom: LATER, metadata: { from, later: true } });
  }
}

function ground(from, p) {
  from("divisions", { id: "division-fill", type: "fill", filter: ["==", ["get", "level"], "district"], paint: { "fill-color": p.land } });
  from("water", { id: "water", type: "fill", paint: { "fill-color": p.water } });
  from("green", { id: "green", type: "fill", paint: { "fill-color": p.green } });
  from("grid", { id: "grid", type: "line", minzoom: 15, paint: { "line-color": p.grid, "line-width": 0.6, "line-dasharray": [2, 3] } });
}

function roads(from, p) {
  const round = { "line-cap": "round", "line-join": "round" };
  from("roads", { id: "road-minor", type: "line", minzoom: 12, filter: ["all", ["!", among(MAJOR)], ["!=", ["get", "class"], "rail"]], layout: round, paint: { "line-color": p.minor, "line-width": width(12, 0.6, 16, 5, 18, 12) } });
  from("roads", { id: "road-major", type: "line", filter: among(MAJOR), layout: round, paint: { "line-color": ["case", among(TRUNK), p.trunk, p.major], "line-width": width(9, 0.8, 13, 2.4, 16, 9, 18, 20) } });
  from("rail", { id: "rail", type: "line", minzoom: 10, paint: { "line-color": p.rail, "line-width": width(10, 0.8, 16, 3), "line-dasharray": [5, 3] } });
}

/** Names by rank: main roads from afar, then all streets; districts and streets stand above (overlays). */
function labels(from, p, english) {
  const road = (id, filter, minzoom, size, spacing) => from("roads", {
    id, type: "symbol", minzoom, filter: ["all", ["has", "name"], ["!=", ["get", "name"], ""], filter],
    layout: { "symbol-placement": "line", "text-field": name(english), "text-size": size, "text-font": FONT, "symbol-spacing": spacing, "text-padding": 4 },
    paint: { "text-color": p.text, "text-halo-color": p.halo, "text-halo-width": 1.6 },
  });
  road("road-label", ["!", among(MAJOR)], 14.2, ["interpolate", ["linear"], ["zoom"], 14, 11, 18, 15], 320);
  road("road-label-major", among(MAJOR), 11.5, ["interpolate", ["linear"], ["zoom"], 11, 11, 16, 17], 420);
}

/** The ground that calibrated cameras see; the picked camera's stands out. */
export const viewOpacity = (id) => ["case", ["==", ["get", "camera_id"], id], 0.4, 0.12];

const text = (p, more = {}) => ({ "text-color": p.text, "text-halo-color": p.halo, "text-halo-width": 1.8, ...more });

/** Layers over the tiles: what the platform knows, lowest first. */
export function overlays(p) {
  const down = ["in", ["get", "state"], ["literal", ["offline", "frozen", "black", "lost"]]];
  return sized([
    { id: "outline", type: "line", source: "outline", paint: { "line-color": p.district, "line-width": 2 } },
    { id: "view", type: "fill", source: "views", minzoom: 13, paint: { "fill-color": p.camera, "fill-opacity": viewOpacity("") } },
    { id: "view-edge", type: "line", source: "views", minzoom: 13, paint: { "line-color": p.camera, "line-opacity": 0.6, "line-width": 1 } },
    { id: "wedge", type: "fill", source: "wedge", paint: { "fill-color": p.camera, "fill-opacity": 0.35, "fill-outline-color": p.camera } },
    { id: "tool-area", type: "fill", source: "tool", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": p.picked, "fill-opacity": 0.12, "fill-outline-color": p.picked } },
    { id: "tool-line", type: "line", source: "tool", paint: { "line-color": p.picked, "line-width": 2.5, "line-dasharray": [2, 1.5] } },
    { id: "tool-point", type: "circle", source: "tool", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-color": p.picked, "circle-radius": 5, "circle-stroke-color": p.halo, "circle-stroke-width": 2 } },
    {
      id: "camera-cluster", type: "circle", source: "cameras", filter: ["has", "point_count"], minzoom: 13,
      paint: { "circle-color": p.disc, "circle-stroke-color": ["case", [">", ["get", "down"], 0], p.cameraOff, p.camera], "circle-stroke-width": 1.6, "circle-opacity": 0.85, "circle-radius": ["step", ["get", "point_count"], 9, 20, 11, 100, 15] },
    },
    { id: "camera-count", type: "symbol", source: "cameras", filter: ["has", "point_count"], minzoom: 13, layout: { "text-field": ["concat", ["get", "point_count_abbreviated"], ["case", [">", ["get", "down"], 0], " !", ""]], "text-size": 10.5, "text-font": FONT, "text-allow-overlap": true }, paint: { "text-color": p.text } },
    { id: "camera", type: "symbol", source: "cameras", filter: ["!", ["has", "point_count"]], minzoom: 13.5, layout: { "icon-image": ["case", down, "camera-off", "camera"], "icon-size": 0.95, "icon-allow-overlap": true } },
    {
      id: "site", type: "symbol", source: "sites", minzoom: 13, // from afar the cases speak
      layout: {
        "icon-image": ["concat", "site-", ["get", "icon"]], "icon-size": ["interpolate", ["linear"], ["zoom"], 11, 0.8, 15, 1.3], "icon-allow-overlap": true,
        "text-field": ["step", ["zoom"], "", 15, ["get", "label"]], "text-size": 12, "text-font": FONT, "text-offset": [0, 1.5], "text-anchor": "top", "text-optional": true, "text-max-width": 12,
      },
      paint: text(p),
    },
    { id: "aircraft-ground", type: "fill", source: "aircraft-ground", paint: { "fill-color": "#ffb300", "fill-opacity": 0.16, "fill-outline-color": "#ffb300" } },
    { id: "aircraft-trail", type: "line", source: "aircraft-trail", paint: { "line-color": "#ffb300", "line-width": 1.6, "line-opacity": 0.7 } },
    { id: "aircraft", type: "circle", source: "aircraft", paint: { "circle-radius": 7, "circle-color": ["case", ["get", "old"], "#8a96a3", "#ffb300"], "circle-stroke-width": 2, "circle-stroke-color": "#10233a" } },
    { id: "aircraft-label", type: "symbol", source: "aircraft", layout: { "text-field": ["get", "label"], "text-size": 12, "text-font": FONT, "text-offset": [0, 1.3], "text-optional": true }, paint: text(p) },
    { id: "vehicle", type: "symbol", source: "vehicles", minzoom: 11, layout: { "icon-image": "vehicle", "icon-size": 1.1, "icon-allow-overlap": true, "text-field": ["step", ["zoom"], "", 14, ["get", "label"]], "text-size": 12, "text-font": FONT, "text-offset": [0, 1.5], "text-optional": true }, paint: text(p) },
    {
      id: "division-label", type: "symbol", source: "division-points", minzoom: 9, maxzoom: 16,
      layout: { "text-field": ["get", "label"], "text-size": ["interpolate", ["linear"], ["zoom"], 9, 12, 14, 21], "text-font": FONT, "text-letter-spacing": 0.12, "text-padding": 6 },
      paint: text(p, { "text-color": p.strong, "text-halo-width": 2.2, "text-opacity": ["interpolate", ["linear"], ["zoom"], 14.5, 0.9, 16, 0] }),
    },
    { id: "hexagon", type: "fill-extrusion", source: "hexagons", maxzoom: 13, paint: { "fill-extrusion-color": bySeverity(p), "fill-extrusion-height": ["get", "top"], "fill-extrusion-opacity": 0.5 } },
    { id: "case-halo", type: "circle", source: "cases", minzoom: 13, paint: { "circle-color": bySeverity(p), "circle-opacity": 0.2, "circle-pitch-alignment": "map", "circle-radius": ["interpolate", ["linear"], ["zoom"], 12, 14, 16, 30] } },
    {
      id: "case", type: "circle", source: "cases", minzoom: 13, layout: { "circle-sort-key": ["get", "severity"] },
      paint: {
        "circle-color": bySeverity(p), "circle-opacity": 0.35, "circle-pitch-alignment": "map", "circle-radius": ["interpolate", ["linear"], ["zoom"], 12, 9, 16, 18],
        "circle-stroke-color": ["case", ["boolean", ["feature-state", "picked"], false], p.strong, bySeverity(p)], "circle-stroke-width": ["case", ["boolean", ["feature-state", "picked"], false], 4, 2.5],
      },
    },
    ...columns(p),
    {
      id: "hexagon-count", type: "symbol", source: "hexagon-points", maxzoom: 13,
      layout: { "icon-image": ["concat", "sev-", ["to-string", ["get", "severity"]]], "icon-size": 0.72, "icon-allow-overlap": true, "icon-offset": [0, -14], "text-field": ["to-string", ["get", "count"]], "text-size": 15, "text-font": FONT, "text-offset": [0, 0.5], "text-allow-overlap": true },
      paint: text(p, { "text-color": p.strong, "text-halo-width": 2.2 }),
    },
    {
      id: "case-icon", type: "symbol", source: "cases", minzoom: 13,
      layout: {
        "icon-image": ["concat", "sev-", ["to-string", ["get", "severity"]], ["case", ["boolean", ["get", "late"], false], "-late", ""]], "icon-size": ["interpolate", ["linear"], ["zoom"], 10, 0.6, 16, 0.95],
        "icon-allow-overlap": true, "icon-ignore-placement": true, "symbol-sort-key": ["-", 0, ["get", "severity"]],
        "text-field": ["step", ["zoom"], ["case", [">=", ["get", "severity"], 3], ["get", "label"], ""], 14.5, ["get", "label"]], "text-size": ["case", [">=", ["get", "severity"], 3], 14, 12], "text-font": FONT, "text-offset": [0, 1.3], "text-anchor": "top", "text-optional": true, "text-max-width": 14,
      },
      paint: text(p, { "text-color": p.strong }),
    },
  ], scale());
}

/** Columns of light: a core, a glow, water, and its levels. */
function columns(p) {
  const part = (id, which, colour, opacity) => ({
    id, type: "fill-extrusion", source: "columns", minzoom: 10, filter: ["in", ["get", "part"], ["literal", which]],
    paint: { "fill-extrusion-color": colour, "fill-extrusion-base": ["get", "base"], "fill-extrusion-height": ["get", "top"], "fill-extrusion-opacity": opacity, "fill-extrusion-vertical-gradient": false },
  });
  return [part("column-core", ["core"], bySeverity(p), 0.85), part("column-water", ["water"], p.waterColumn, 0.85), part("column-level", ["level"], bySeverity(p, "level"), 0.9), part("column-glow", ["glow"], bySeverity(p), 0.28)];
}

/** Sets every colour of `map` to those of palette `p`, without touching camera, data or visibility. */
export function repaint(map, described, p, english) {
  const style = build(described, p, english);
  for (const layer of [...style.layers, ...overlays(p)]) {
    if (!map.getLayer(layer.id)) continue;
    for (const [key, value] of Object.entries(layer.paint || {})) map.setPaintProperty(layer.id, key, value);
  }
  map.getSource("ground")?.setTiles(drawnTiles(described, p));
  map.setSky(style.sky);
}

/** Which of our icons stands for a site kind, an observation kind or a class. */
export function iconFor(kind = "") {
  if (/flame|fire|smoke|smoking|cigarette/.test(kind)) return "fire";
  if (/water|rain|flood/.test(kind)) return "water";
  if (/fuel|gas|oil/.test(kind)) return "fuel";
  if (/warehouse|supply/.test(kind)) return "warehouse";
  if (/camera/.test(kind)) return "camera";
  if (/device|sensor/.test(kind)) return "device";
  if (/absence|sleep|phone|person|duty|crowd/.test(kind)) return "person";
  if (/key|place|school|hospital/.test(kind)) return "key";
  if (/alarm|manual/.test(kind)) return "alarm";
  return "dot";
}
