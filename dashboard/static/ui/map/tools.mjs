// The map's tools: layer tree with legend, source and date; measure; everything within 500 m; 2D/3D; how much is drawn.
import { t, caseTitle, language, number, named } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { mark } from "../shared/severity.mjs";
import { metres } from "../wall/focus.mjs";
import { ring } from "./columns.mjs";
import { drawing } from "./drawing.mjs";
import { distance } from "./framing.mjs";
import { fetchLayer } from "./own_layers.mjs";
import { LEVELS } from "./quality.mjs";

const AROUND_M = 500;
/** The tree: group → layers → ids of the style. */
export const TREE = {
  happening: { cases: ["column-core", "column-glow", "column-water", "column-level", "case", "case-icon", "case-halo", "hexagon", "hexagon-count"], vehicles: ["vehicle", "vehicle-label", "aircraft", "aircraft-label", "aircraft-trail", "aircraft-ground"] },
  places: { sites: ["site"], cameras: ["camera", "camera-cluster", "camera-count"], views: ["view", "view-edge"] },
  ground: { buildings: ["buildings", "buildings-flat"], roads: ["road-minor", "road-major", "road-label", "road-label-major", "rail"], divisions: ["division-label", "division-street", "division-district", "outline"], grid: ["grid"] },
};

/** `then()` shows or hides the past; whether it stands now. */
export function tools(map, meta, layers, quality, own, then) {
  const bar = h("div", { class: "map-tools", role: "toolbar", "aria-label": t("map.tools"), lang: language() });
  const panel = h("div", { class: "map-card", hidden: true });
  const result = h("div", { class: "map-card map-result", hidden: true });
  const level = h("div", { class: "map-level", role: "status" });
  const tool = (name, mark_, run) => h("button", { type: "button", class: "map-tool", dataset: { tool: name }, title: t(`map.${name}`), "aria-label": t(`map.${name}`), onClick: run }, icon(mark_, 18), h("span", {}, t(`map.${name}`)));
  const layersButton = tool("layers", "layers", () => { panel.hidden = !panel.hidden; layersButton.setAttribute("aria-expanded", String(!panel.hidden)); });
  layersButton.setAttribute("aria-expanded", "false");
  const flat = tool("flat", "building", () => {
    const down = map.getPitch() > 5;
    map.easeTo({ pitch: down ? 0 : 52, bearing: down ? 0 : -12 });
  });
  const draw = drawing(map, result, (title) => closing(map, result, title));
  const past = tool("then", "clock", () => past.setAttribute("aria-pressed", String(then())));
  replace(bar, layersButton, tool("around", "pin", () => around(map, layers, result)), tool("measure", "ruler", () => measure(map, result)), tool("draw", "pin", draw), past, flat,
    tool("home", "target", () => layers.goHome()));
  tree(panel, map, meta, layers, quality, own);
  const say = () => {
    const q = quality();
    level.hidden = q.level === "full";
    replace(level, t(`map.level_said_${q.level}`), " ", h("button", { type: "button", class: "link", onClick: () => q.choose("full") }, t("map.level_full")));
  };
  say();
  layers.stops.push(store.on("map-level", say));
  return [bar, panel, result, level];
}

function tree(panel, map, meta, layers, quality, own) {
  const off = new Set((store.state.layers || "").split(",").filter(Boolean));
  const later = new Map(own.filter((l) => l.shown === false).map((l) => [`layer:${l.name}`, l])); // hidden until chosen: "+name" in the address says so
  const hidden = (name) => (later.has(name) ? !off.has(`+${name}`) : off.has(name));
  const set = (name, shown) => { const word = later.has(name) ? `+${name}` : name; if (shown === later.has(name)) off.add(word); else off.delete(word); };
  const apply = (name, ids) => {
    if (later.has(name)) later.get(name).chosen = !hidden(name);
    if (later.has(name) && !hidden(name) && map.getSource(name)) fetchLayer(map, later.get(name));
    for (const id of ids) if (map.getLayer(id)) map.setLayoutProperty(id, "visibility", hidden(name) ? "none" : "visible"); // what the level leaves out is hidden again below
  };
  const brought = own.length ? { brought: Object.fromEntries(own.map((l) => [`layer:${l.name}`, l.style.map((_, i) => `layer:${l.name}:${i}`)])) } : {};
  const titles = new Map(own.map((l) => [`layer:${l.name}`, named({ name: l.title?.zh || l.title || l.kind_title.zh, name_en: l.title?.en || l.kind_title.en })]));
  const groups = Object.entries({ ...TREE, ...brought }).map(([group, members]) => h("fieldset", {}, h("legend", {}, t(`map.group_${group}`)), Object.entries(members).map(([name, ids]) => {
    const box = h("input", { type: "checkbox", checked: !hidden(name), dataset: { layer: name }, onChange: () => {
      set(name, box.checked);
      store.state.layers = [...off].join(",");
      store.writeAddress();
      apply(name, ids);
      layers.refreshLevel();
    } });
    apply(name, ids);
    return h("label", { class: "inline" }, box, titles.get(name) || t(`layer.${name}`));
  })));
  const choose = h("select", { "aria-label": t("map.level"), onChange: () => quality().choose(choose.value) }, ["auto", ...LEVELS].map((name) => h("option", { value: name }, t(`map.level_${name}`))));
  choose.value = quality().chosen;
  layers.stops.push(store.on("map-level", (q) => { choose.value = q.chosen; }));
  layers.hidden = off;
  layers.refreshLevel();
  replace(panel, h("h3", {}, t("map.layers")), groups, h("label", { class: "map-choose" }, t("map.level"), choose), legend(meta, own));
}

function legend(meta, own) {
  return h("details", { class: "map-legend", open: true }, h("summary", {}, t("map.legend")),
    h("ul", {}, [4, 3, 2, 1].map((level) => h("li", {}, mark(level, "1.2em"), h("span", {}, t(`severity.${level}`)))),
      h("li", {}, icon("pin", 14), h("span", {}, t("layer.sites"))), h("li", {}, icon("camera", 14), h("span", {}, t("layer.cameras")))),
    h("p", { class: "quiet" }, t("map.column_means")), h("p", { class: "quiet" }, t("map.hexagon_means")),
    own.map((l) => h(l.shown === false ? "details" : "div", {}, h(l.shown === false ? "summary" : "b", {}, named({ name: l.title?.zh || l.title || l.kind_title.zh, name_en: l.title?.en || l.kind_title.en })),
      (l.legend || []).map((e) => h("p", {}, h("i", { class: "legend-dot", style: { background: colourOf(l, e.colour) } }), " ", named({ name: e.zh, name_en: e.en }))),
      h("p", { class: "quiet" }, [l.source, l.date, l.licence].filter(Boolean).join(" · ")))),
    meta.generated === false ? null : h("p", { class: "generated" }, t("map.generated_long")));
}

const colourOf = (layer, colour) => { const set = layer.palette?.[/** @type {string} */ (document.documentElement.dataset.theme)] || layer.palette?.night || {}; return String(colour).startsWith("@") ? set[colour.slice(1)] : set[colour] || colour; };

/** Everything within 500 m of the next click (or of the picked case). */
function around(map, layers, card) {
  const show = (at) => {
    map.getSource("tool").setData({ type: "FeatureCollection", features: [{ type: "Feature", geometry: { type: "Polygon", coordinates: [ring(at, AROUND_M, 64)] }, properties: { kind: "area" } }] });
    const near = (items, where) => items.map((item) => ({ item, far: distance(at, where(item)) })).filter((x) => x.far <= AROUND_M).sort((a, b) => a.far - b.far);
    const cases = near([...store.state.cases.values()].filter((c) => c.open && c.lon != null), (c) => [c.lon, c.lat]);
    const sites = near([...store.state.sites.values()], (s) => s.lonlat);
    const cameras = near([...store.state.cameras.values()], (c) => c.lonlat);
    const list = (name, found, text, pick) => (found.length ? [h("h4", {}, `${t(`layer.${name}`)} ${found.length}`), h("ul", {}, found.slice(0, 8).map(({ item, far }) => h("li", {}, h("button", { type: "button", class: "link", onClick: () => store.select(pick(item), { fly: true }) }, text(item)), h("span", {}, metres(far)))))] : null);
    card.hidden = false;
    replace(card, closing(map, card, t("map.around_of", { m: AROUND_M })), list("cases", cases, caseTitle, (c) => ({ type: "case", id: c.case_id })),
      list("sites", sites, (s) => named(s), (s) => ({ type: "site", id: s.site_id })), list("cameras", cameras, (c) => c.name, (c) => ({ type: "camera", id: c.camera_id })),
      cases.length + sites.length + cameras.length ? null : h("p", { class: "quiet" }, t("map.nothing_here")));
  };
  const item = store.state.selection?.type === "case" ? store.state.cases.get(store.state.selection.id) : null;
  if (item?.lon != null) return show([item.lon, item.lat]);
  card.hidden = false;
  replace(card, closing(map, card, t("map.around_of", { m: AROUND_M })), h("p", { class: "quiet" }, t("map.click_place")));
  layers.once = (event) => show(event.lngLat.toArray());
  return null;
}

/** Clicks add points; the length, and from three points the area, stand in the card. */
function measure(map, card) {
  const points = [];
  const draw = () => {
    const lines = points.length > 1 ? [{ type: "Feature", geometry: { type: "LineString", coordinates: points }, properties: { kind: "line" } }] : [];
    map.getSource("tool").setData({ type: "FeatureCollection", features: [...lines, ...points.map((p) => ({ type: "Feature", geometry: { type: "Point", coordinates: p }, properties: { kind: "point" } }))] });
    const length = points.slice(1).reduce((sum, p, i) => sum + distance(points[i], p), 0);
    replace(card, closing(map, card, t("map.measure")), h("p", {}, points.length < 2 ? t("map.click_points") : h("b", {}, metres(length))),
      points.length > 2 ? h("p", {}, t("map.area", { area: areaText(area(points)) })) : null,
      points.length ? h("button", { type: "button", class: "button", onClick: () => { points.pop(); draw(); } }, t("map.undo_point")) : null);
  };
  card.hidden = false;
  map.__measure = (event) => { points.push(event.lngLat.toArray()); draw(); };
  draw();
}

const areaText = (m2) => (m2 > 1e6 ? `${number(m2 / 1e6, 2)}\u2009km²` : `${number(m2, 0)}\u2009m²`);

/** The area of a polygon in m² (planar, within a district). */
export function area(points) {
  const k = Math.PI / 180 * 6371008.8;
  const side = Math.cos((points[0][1] * Math.PI) / 180);
  let sum = 0;
  points.forEach(([lon, lat], i) => {
    const [nextLon, nextLat] = points[(i + 1) % points.length];
    sum += (lon - points[0][0]) * (nextLat - points[0][1]) - (nextLon - points[0][0]) * (lat - points[0][1]);
  });
  return Math.abs(sum / 2) * k * k * side;
}

const closing = (map, card, title) => h("div", { class: "map-card-head" }, h("h3", {}, title), h("button", { type: "button", class: "tool", "aria-label": t("act.close"), onClick: () => {
  card.hidden = true;
  map.__measure = null;
  map.getSource("tool").setData({ type: "FeatureCollection", features: [] });
} }, icon("close", 14)));
