// The map's look.  The server says which tilesets there are; the colours are ours.
import { ownLayers } from "./own_layers.mjs";

export const SEVERITY = { 1: "#3d8bfd", 2: "#f5c518", 3: "#ff8a1f", 4: "#ff3b4e" };
export const LATE = "#ff5cf0";
const FONT = ["Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", "sans-serif"];

const severityColour = ["match", ["get", "severity"], 4, SEVERITY[4], 3, SEVERITY[3], 2, SEVERITY[2], SEVERITY[1]];

/** The style of `described` (the answer of /api/map/style.json). */
export function build(described) {
  const sources = {};
  for (const [name, source] of Object.entries(described.sources || {})) {
    sources[name] = { ...source, tiles: (source.tiles || []).map((url) => new URL(url, location.origin).href.replaceAll("%7B", "{").replaceAll("%7D", "}")) };
    delete sources[name].url;
  }
  const layers = [{ id: "background", type: "background", paint: { "background-color": "#07101d" } }];
  const from = (name, layer) => { if (sources[name]) layers.push({ source: name, "source-layer": name, ...layer }); };
  from("divisions", { id: "division-fill", type: "fill", filter: ["==", ["get", "level"], "district"], paint: { "fill-color": "#0c1b30" } });
  from("water", { id: "water", type: "fill", paint: { "fill-color": "#0a3350" } });
  from("green", { id: "green", type: "fill", paint: { "fill-color": "#0c2a26" } });
  from("roads", {
    id: "road-minor", type: "line", minzoom: 12, filter: ["!", ["in", ["get", "class"], ["literal", MAJOR]]],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": "#1c3554", "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 12, 0.6, 16, 5, 18, 12] },
  });
  from("roads", {
    id: "road-major", type: "line", filter: ["in", ["get", "class"], ["literal", MAJOR]],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": "#2d5480", "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 9, 0.8, 13, 2.4, 16, 9, 18, 20] },
  });
  const own = ownLayers(described.layers, "night", FONT);
  Object.assign(sources, own.sources);
  layers.push(...own.ground);
  from("grid", { id: "grid", type: "line", minzoom: 15, paint: { "line-color": "#1b4a63", "line-width": 0.6, "line-dasharray": [2, 3] } });
  from("divisions", {
    id: "division-street", type: "line", filter: ["==", ["get", "level"], "street"],
    paint: { "line-color": "#2f6f94", "line-width": 1.1, "line-dasharray": [4, 3] },
  });
  from("divisions", {
    id: "division-district", type: "line", filter: ["==", ["get", "level"], "district"],
    paint: { "line-color": "#38c6f4", "line-width": 2.2, "line-opacity": 0.85 },
  });
  from("buildings", {
    id: "buildings", type: "fill-extrusion", minzoom: 13,
    paint: {
      "fill-extrusion-color": [
        "case", ["boolean", ["feature-state", "picked"], false], "#38c6f4",
        ["interpolate", ["linear"], ["to-number", ["coalesce", ["get", "height_m"], ["get", "height"], 9]],
          0, "#16304f", 20, "#1d4068", 45, "#285685", 90, "#3a76ad"],
      ],
      "fill-extrusion-height": ["to-number", ["coalesce", ["get", "height_m"], ["get", "height"], 9]],
      "fill-extrusion-opacity": 1, // 0.9 costs a third of the frame rate
      "fill-extrusion-vertical-gradient": true,
    },
  });
  layers.push(...own.above);
  from("roads", {
    id: "road-label", type: "symbol", minzoom: 13.5, filter: ["all", ["has", "name"], ["!=", ["get", "name"], ""]],
    layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-size": 11, "text-font": FONT, "symbol-spacing": 420 },
    paint: { "text-color": "#7fa3c4", "text-halo-color": "#07101d", "text-halo-width": 1.4 },
  });
  return { version: 8, name: "yiwang", sources, layers };
}

const MAJOR = ["motorway", "trunk", "primary", "secondary", "motorway_link", "trunk_link", "primary_link", "major", "arterial", "highway", "expressway"];

/** The ground that calibrated cameras see; the picked camera's stands out. */
export const viewOpacity = (id) => ["case", ["==", ["get", "camera_id"], id], 0.4, 0.12];

/** Layers over the tiles: what the platform knows.  `words` translates labels. */
export function overlays(words) {
  return [
    {
      id: "division-label", type: "symbol", source: "division-points", minzoom: 9, maxzoom: 15,
      layout: { "text-field": ["get", "label"], "text-size": ["interpolate", ["linear"], ["zoom"], 9, 11, 14, 17], "text-font": FONT, "text-letter-spacing": 0.12, "text-padding": 6 },
      paint: { "text-color": "#6f9cc0", "text-halo-color": "#07101d", "text-halo-width": 1.6, "text-opacity": ["interpolate", ["linear"], ["zoom"], 13, 0.9, 15, 0] },
    },
    { id: "view", type: "fill", source: "views", minzoom: 14, paint: { "fill-color": "#3ddc97", "fill-opacity": viewOpacity("") } },
    { id: "view-edge", type: "line", source: "views", minzoom: 14, paint: { "line-color": "#3ddc97", "line-opacity": 0.6, "line-width": 1 } },
    {
      id: "camera-cluster", type: "circle", source: "cameras", filter: ["has", "point_count"], minzoom: 11,
      paint: {
        "circle-color": "#0d2c42", "circle-stroke-color": "#1f6f8c", "circle-stroke-width": 1, "circle-opacity": 0.8,
        "circle-radius": ["step", ["get", "point_count"], 8, 20, 10, 100, 14, 500, 19],
      },
    },
    {
      id: "camera-count", type: "symbol", source: "cameras", filter: ["has", "point_count"], minzoom: 11,
      layout: { "text-field": ["get", "point_count_abbreviated"], "text-size": 10, "text-font": FONT, "text-allow-overlap": true },
      paint: { "text-color": "#6fb4cb" },
    },
    {
      id: "camera", type: "symbol", source: "cameras", filter: ["!", ["has", "point_count"]], minzoom: 13.5,
      layout: { "icon-image": ["match", ["get", "state"], ["offline", "frozen", "black", "lost"], "camera-off", "camera"], "icon-size": 0.5, "icon-allow-overlap": true },
    },
    {
      id: "site", type: "symbol", source: "sites", minzoom: 10,
      layout: {
        "icon-image": ["concat", "site-", ["get", "icon"]], "icon-size": ["interpolate", ["linear"], ["zoom"], 10, 0.5, 15, 0.85],
        "icon-allow-overlap": true, "text-field": ["step", ["zoom"], "", 14.5, ["get", "label"]], "text-size": 12, "text-font": FONT,
        "text-offset": [0, 1.5], "text-anchor": "top", "text-optional": true, "text-max-width": 12,
      },
      paint: { "text-color": "#cfe6f7", "text-halo-color": "#07101d", "text-halo-width": 1.6 },
    },
    {
      id: "case-halo", type: "circle", source: "cases",
      paint: { "circle-color": severityColour, "circle-opacity": 0.22, "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 13, 16, 26] },
    },
    {
      id: "case", type: "circle", source: "cases", layout: { "circle-sort-key": ["get", "severity"] },
      paint: {
        "circle-color": severityColour, "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 6.5, 16, 12],
        "circle-stroke-color": ["case", ["boolean", ["feature-state", "picked"], false], "#ffffff", ["boolean", ["get", "late"], false], LATE, "#04101d"],
        "circle-stroke-width": ["case", ["boolean", ["feature-state", "picked"], false], 3.5, 2],
      },
    },
    {
      id: "case-icon", type: "symbol", source: "cases",
      layout: {
        "icon-image": ["concat", "case-", ["get", "icon"]], "icon-size": ["interpolate", ["linear"], ["zoom"], 10, 0.36, 16, 0.6], "icon-allow-overlap": true,
        "icon-ignore-placement": true, "symbol-sort-key": ["-", 0, ["get", "severity"]],
        "text-field": ["step", ["zoom"], "", 12.5, ["get", "label"]], "text-size": 12.5, "text-font": FONT, "text-offset": [0, -1.5],
        "text-anchor": "bottom", "text-optional": true, "text-max-width": 14,
      },
      paint: { "text-color": "#ffffff", "text-halo-color": "#0a0f18", "text-halo-width": 1.8 },
    },
  ].map((layer) => ({ ...layer, metadata: { words: Boolean(words) } }));
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
