// The cases on the map: pins, columns, hexagons, rings.  A burst of changes goes to the sources together.
import { caseTitle } from "../shared/i18n.mjs";
import { h } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { ringingIds } from "../wall/alarm.mjs";
import { valueOf, want } from "../cases/values.mjs";
import { column } from "./columns.mjs";
import { bins, size } from "./hexagons.mjs";

const PULSES = 24; // rings that beat at once: more would be a flood, not a sign
const COLUMNS = 1500;
const collection = (features) => ({ type: "FeatureCollection", features });
const isWater = (item) => /water|flood|rain/.test(item.kind || "");

export class Cases {
  constructor(map, maplibre) {
    this.map = map;
    this.maplibre = maplibre;
    this.shown = new Map();
    this.pulses = new Map();
    this.queue = new Map();
    this.places = new Map();
    this.past = null; // what stood at an instant of the past, instead of what stands now
    map.on("zoomend", () => this.shapes());
  }

  /** Cases of one place stand in a ring around it, so that each can be picked. @param {any} item @returns {[number, number]} */
  spot(item) {
    const key = `${item.lon.toFixed(5)},${item.lat.toFixed(5)}`;
    const here = this.places.get(key) || this.places.set(key, []).get(key);
    if (!here.includes(item.case_id)) here.push(item.case_id);
    const n = here.indexOf(item.case_id);
    if (!n) return [item.lon, item.lat];
    const angle = (n * Math.PI) / 3;
    const metres = 34 * Math.ceil(n / 6);
    return [item.lon + (metres * Math.sin(angle)) / (111320 * Math.cos((item.lat * Math.PI) / 180)), item.lat + (metres * Math.cos(angle)) / 111320];
  }

  feature(item) {
    return {
      type: "Feature", id: item.case_id, geometry: { type: "Point", coordinates: this.spot(item) },
      properties: { case_id: item.case_id, severity: item.severity, label: caseTitle(item), late: (!this.past && store.isLate(item)) || false },
    };
  }

  reset() {
    this.shown.clear();
    this.places.clear();
    const items = (this.past ? this.past.cases : store.shown()).filter((item) => item.lon != null && item.lat != null);
    for (const item of items) this.shown.set(item.case_id, item);
    this.map.getSource("cases").setData(collection(items.map((item) => this.feature(item))));
    this.after();
  }

  change({ item, gone, fresh }) {
    if (this.past) return;
    this.queue.set(item.case_id, { item, gone: gone || !store.matches(item) || item.lon == null, fresh });
    if (this.timer) return;
    this.timer = setTimeout(() => { this.timer = null; this.flush(); }, 60);
  }

  flush() {
    /** @type {{add: any[], update: any[], remove: any[]}} */
    const diff = { add: [], update: [], remove: [] };
    for (const [id, { item, gone }] of this.queue) {
      const had = this.shown.has(id);
      if (gone) {
        if (had) diff.remove.push(id);
        this.shown.delete(id);
        continue;
      }
      const feature = this.feature(item);
      if (had) diff.update.push({ id, newGeometry: feature.geometry, addOrUpdateProperties: Object.entries(feature.properties).map(([key, value]) => ({ key, value })) });
      else diff.add.push(feature);
      this.shown.set(id, item);
    }
    this.queue.clear();
    if (diff.add.length || diff.update.length || diff.remove.length) this.map.getSource("cases").updateData(diff);
    this.after();
  }

  after() {
    this.shapes();
    this.beat();
    want("map", this.past ? [] : [...this.shown.values()].filter((c) => isWater(c)).sort((a, b) => b.severity - a.severity).slice(0, 12).map((c) => c.case_id));
  }

  /** Columns and hexagons: a few hundred polygons, made anew when cases or the zoom change. */
  shapes() {
    clearTimeout(this.shapeTimer);
    this.shapeTimer = setTimeout(() => {
      const zoom = this.map.getZoom();
      const items = [...this.shown.values()];
      const now = this.past ? this.past.at * 1000 : store.now();
      {
        const tall = items.filter((c) => zoom >= 13 || c.severity >= 3).sort((a, b) => b.severity - a.severity).slice(0, COLUMNS);
        this.map.getSource("columns").setData(collection(tall.flatMap((c) => column(c, this.spot(c), now, zoom, this.level(c)))));
      }
      if (zoom < 13.2) {
        const metres = size(zoom, 43.88);
        const cells = bins(items, metres, [125.4, 43.88]);
        this.map.getSource("hexagons").setData(collection(cells.map((c) => ({ type: "Feature", geometry: { type: "Polygon", coordinates: [c.ring] }, properties: { severity: c.severity, count: c.count, top: metres * 0.16 * Math.log2(1 + c.count) } }))));
        this.map.getSource("hexagon-points").setData(collection(cells.map((c) => ({ type: "Feature", geometry: { type: "Point", coordinates: c.centre }, properties: { severity: c.severity, count: c.count } }))));
      }
    }, 40);
  }

  /** The measured level of a water case, now or in the past that is shown. */
  level(item) {
    if (!isWater(item)) return null;
    const live = valueOf(item.case_id);
    if (!this.past) return live && live.quantity !== "confidence" ? live : null;
    return null;
  }

  /** Rings over the worst open cases that nobody has accepted or acknowledged: DOM, so that the map need not be drawn anew. */
  beat() {
    const ringing = ringingIds();
    const wanted = this.past ? [] : [...this.shown.values()].filter((c) => ringing.has(c.case_id)).sort((a, b) => b.severity - a.severity).slice(0, PULSES);
    const ids = new Set(wanted.map((c) => c.case_id));
    for (const [id, marker] of this.pulses) if (!ids.has(id)) { marker.remove(); this.pulses.delete(id); }
    for (const item of wanted) {
      const known = this.pulses.get(item.case_id);
      if (known) { known.setLngLat(this.spot(item)); continue; }
      const node = h("div", { class: `pulse s${item.severity}` }, h("i"));
      this.pulses.set(item.case_id, new this.maplibre.Marker({ element: node, opacityWhenCovered: "1" }).setLngLat(this.spot(item)).addTo(this.map));
    }
  }

  /** Shows `past` ({at, cases}) instead of now; null: now again. */
  show(past) {
    this.past = past;
    this.reset();
  }
}
