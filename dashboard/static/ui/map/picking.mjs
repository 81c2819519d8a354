// What a click on the map means, and what a camera sees when the pointer is over it.
import * as store from "../shared/store.mjs";

const ORDER = ["case-icon", "case", "column-core", "column-water", "column-glow", "aircraft", "vehicle", "site", "camera", "hexagon-count", "hexagon", "camera-cluster", "buildings", "buildings-flat"];
const WEDGE_M = 60;
const WEDGE_DEG = 55;

export function picking(map, layers, props) {
  map.on("click", async (event) => {
    if (map.__measure) return map.__measure(event);
    if (layers.once) { const run = layers.once; layers.once = null; return run(event); }
    const box = [[event.point.x - 5, event.point.y - 5], [event.point.x + 5, event.point.y + 5]];
    const found = map.queryRenderedFeatures(box, { layers: ORDER.filter((id) => map.getLayer(id)) });
    const hit = ORDER.map((id) => found.find((f) => f.layer.id === id)).find(Boolean) || await layers.buildingAt(event.point);
    if (!hit) return store.select(null);
    const picked = await meaning(map, hit, event);
    if (!picked) return null;
    store.select(picked);
    if (props.setProps) props.setProps({ picked: { type: picked.type, id: picked.id } });
    return null;
  });
  for (const id of ORDER.slice(0, 12)) {
    map.on("mouseenter", id, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", id, () => { map.getCanvas().style.cursor = ""; });
  }
  map.on("mouseenter", "camera", (event) => wedge(map, layers, event.features[0]));
  map.on("mouseleave", "camera", () => map.getSource("wedge").setData({ type: "FeatureCollection", features: [] }));
}

async function meaning(map, hit, event) {
  const p = hit.properties;
  const id = hit.layer.id;
  if (id === "camera-cluster") {
    const zoom = await map.getSource("cameras").getClusterExpansionZoom(p.cluster_id);
    map.easeTo({ center: hit.geometry.coordinates, zoom: Math.min(zoom + 0.3, 18) });
    return null;
  }
  if (id.startsWith("hexagon")) { map.easeTo({ center: event.lngLat, zoom: 14.2 }); return null; }
  if (id.startsWith("case") || id.startsWith("column")) return { type: "case", id: p.case_id };
  if (id === "aircraft") return { type: "camera", id: `uav-${p.sn}` };
  if (id === "site") return { type: "site", id: p.site_id };
  if (id === "camera") return { type: "camera", id: p.camera_id };
  if (id === "vehicle") return null;
  return { type: "building", id: String(hit.id ?? p.id ?? ""), feature: { id: hit.id, properties: p, lonlat: event.lngLat.toArray() } };
}

/** The ground that the camera sees: its calibrated view, else a wedge to the north side of where it stands, only if its bearing is known. */
function wedge(map, layers, feature) {
  const id = feature.properties.camera_id;
  const view = layers.views?.features.find((f) => f.properties.camera_id === id);
  let shape = view?.geometry;
  const bearing = Number(feature.properties.bearing_deg);
  if (!shape && Number.isFinite(bearing)) {
    const [lon, lat] = feature.geometry.coordinates;
    const points = [[lon, lat]];
    for (let d = -WEDGE_DEG / 2; d <= WEDGE_DEG / 2; d += 5) {
      const angle = ((bearing + d) * Math.PI) / 180;
      points.push([lon + (WEDGE_M * Math.sin(angle)) / (111320 * Math.cos((lat * Math.PI) / 180)), lat + (WEDGE_M * Math.cos(angle)) / 111320]);
    }
    shape = { type: "Polygon", coordinates: [[...points, points[0]]] };
  }
  map.getSource("wedge").setData({ type: "FeatureCollection", features: shape ? [{ type: "Feature", geometry: shape, properties: {} }] : [] });
}
