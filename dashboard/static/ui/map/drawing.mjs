// Drawing on the map: points with a word, lines, areas; what lies inside an area; kept in this browser, saved as GeoJSON.
import { t, caseTitle, number } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { distance } from "./framing.mjs";

const KEY = "yiwang_drawings";
const MOST = 100;
export const KINDS = ["point", "line", "area"];

/** Whether `point` lies inside the ring (even-odd; the ring need not be closed). */
export function inside([x, y], ring) {
  let found = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i];
    const [xj, yj] = ring[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) found = !found;
  }
  return found;
}

/** A drawing as a GeoJSON feature; null while it has too few points. */
export function feature({ kind, points, text = "" }) {
  const enough = { point: 1, line: 2, area: 3 }[kind];
  if (points.length < enough) return null;
  const geometry = kind === "point" ? { type: "Point", coordinates: points[0] } : kind === "line" ? { type: "LineString", coordinates: points } : { type: "Polygon", coordinates: [[...points, points[0]]] };
  return { type: "Feature", geometry, properties: { kind, text } };
}

/** Drawings kept in this browser; what is no drawing is left out. */
export function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) || "[]");
    return Array.isArray(found) ? found.filter((one) => KINDS.includes(one?.kind) && Array.isArray(one.points)).slice(0, MOST) : [];
  } catch { return []; }
}

const keep = (drawings) => { try { localStorage.setItem(KEY, JSON.stringify(drawings.slice(0, MOST))); } catch { /* a browser without storage */ } };
const collection = (drawings) => ({ type: "FeatureCollection", features: drawings.map(feature).filter(Boolean) });
const km = (points) => points.slice(1).reduce((sum, p, i) => sum + distance(points[i], p), 0) / 1000;

/** Shows what was kept, and returns the tool: `closing(title)` makes a card's head, `card` is the card. */
export function drawing(map, card, closing) {
  let drawings = kept();
  map.addSource("drawn", { type: "geojson", data: collection(drawings) });
  map.addLayer({ id: "drawn-area", type: "fill", source: "drawn", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#ff5ad1", "fill-opacity": 0.14 } });
  map.addLayer({ id: "drawn-line", type: "line", source: "drawn", filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": "#ff5ad1", "line-width": 3 } });
  map.addLayer({ id: "drawn-point", type: "circle", source: "drawn", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-color": "#ff5ad1", "circle-radius": 6, "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 } });
  map.addLayer({ id: "drawn-text", type: "symbol", source: "drawn", layout: { "text-field": ["get", "text"], "text-size": 14, "text-offset": [0, 1.1], "text-optional": true }, paint: { "text-color": "#ff5ad1", "text-halo-color": "#0b1a2c", "text-halo-width": 1.6 } });
  return () => {
    /** @type {{kind: string, points: any[], text: string}} */
    let now = { kind: "area", points: [], text: "" };
    const show = () => { map.getSource("drawn").setData(collection([...drawings, now])); };
    const found = () => {
      if (now.kind !== "area" || now.points.length < 3) return null;
      const within = (items, where) => items.filter((item) => { const at = where(item); return at && inside(at, now.points); });
      const cases = within([...store.state.cases.values()].filter((c) => c.open && c.lon != null), (c) => [c.lon, c.lat]);
      const sites = within([...store.state.sites.values()], (s) => s.lonlat);
      const cameras = within([...store.state.cameras.values()], (c) => c.lonlat);
      return [h("p", {}, t("map.inside", { cases: cases.length, sites: sites.length, cameras: cameras.length })),
        h("ul", {}, cases.slice(0, 8).map((c) => h("li", {}, h("button", { type: "button", class: "link", onClick: () => store.select({ type: "case", id: c.case_id }, { fly: true }) }, caseTitle(c)))))];
    };
    const word = h("input", { type: "text", maxlength: "40", "aria-label": t("map.draw_text"), placeholder: t("map.draw_text"), onInput: () => { now.text = word.value; show(); } });
    const draw = () => {
      show();
      const kinds = h("div", { class: "draw-kinds", role: "group", "aria-label": t("map.draw") }, KINDS.map((kind) => h("button", { type: "button", class: "button", "aria-pressed": String(kind === now.kind), onClick: () => { now = { ...now, kind, points: [] }; draw(); } }, t(`map.draw_${kind}`))));
      const done = () => { if (feature(now)) { drawings = [...drawings, now].slice(-MOST); keep(drawings); } now = { kind: now.kind, points: [], text: "" }; word.value = ""; draw(); };
      replace(card, closing(t("map.draw")), kinds, h("p", { class: "quiet" }, now.kind === "line" && now.points.length > 1 ? `${number(km(now.points), 2)}\u2009km` : t(`map.draw_how_${now.kind}`)), word, found(),
        h("div", { class: "draw-acts" }, h("button", { type: "button", class: "button primary", onClick: done }, t("map.draw_keep")),
          now.points.length ? h("button", { type: "button", class: "button", onClick: () => { now.points.pop(); draw(); } }, t("map.undo_point")) : null,
          drawings.length ? [h("button", { type: "button", class: "button", onClick: () => save(drawings) }, "GeoJSON"), h("button", { type: "button", class: "button", onClick: () => { drawings = drawings.slice(0, -1); keep(drawings); draw(); } }, t("map.draw_drop"))] : null));
    };
    card.hidden = false;
    map.__measure = (event) => { now.points = now.kind === "point" ? [event.lngLat.toArray()] : [...now.points, event.lngLat.toArray()]; draw(); };
    draw();
  };
}

function save(drawings) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(collection(drawings))], { type: "application/geo+json" }));
  h("a", { href: url, download: "drawings.geojson" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
