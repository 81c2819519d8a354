// Calibration: the same point clicked on picture and map, four times or more; the error in metres is said at once.
import { t, number } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import { build } from "../map/style.mjs";
import { palette } from "../map/palette.mjs";
import { calibrate, viewPolygon } from "../map/geometry.mjs";

export function calibrationEditor(src, camera) {
  const pairs = structuredClone(camera.calibration?.points || []); // {x, y, lon, lat}, either half may be missing
  const image = h("img", { src, alt: t("camera.still"), draggable: false });
  const marks = h("div", { class: "marks" });
  const shot = h("div", { class: "zone-stage calib-shot" }, image, marks);
  const mapNode = h("div", { class: "calib-map" });
  const list = h("div", { class: "calib-list" });
  const verdict = h("p", { class: "calib-verdict", role: "status" });
  let map = null;
  let pins = [];
  let alive = true;

  const open = () => pairs.find((p) => p.x === undefined || p.lon === undefined);
  const complete = () => pairs.filter((p) => p.x !== undefined && p.lon !== undefined);
  const add = (half) => {
    const waiting = pairs.find((p) => (half.x !== undefined ? p.x === undefined : p.lon === undefined));
    if (waiting) Object.assign(waiting, half);
    else pairs.push(half);
    show();
  };
  shot.addEventListener("click", (event) => {
    const box = image.getBoundingClientRect();
    add({ x: Number(((event.clientX - box.left) / box.width).toFixed(4)), y: Number(((event.clientY - box.top) / box.height).toFixed(4)) });
  });

  function show() {
    replace(marks, pairs.map((p, i) => (p.x === undefined ? null : h("b", { class: "mark", style: { left: `${p.x * 100}%`, top: `${p.y * 100}%` } }, i + 1))));
    const found = calibrate(complete());
    let k = 0;
    replace(list, pairs.map((p, i) => h("div", { class: "zone-row" }, h("b", {}, i + 1),
      h("span", {}, p.x === undefined ? t("vision.click_picture") : `${number(p.x, 3)}, ${number(p.y, 3)}`), h("span", {}, p.lon === undefined ? t("vision.click_map") : `${p.lon.toFixed(5)}, ${p.lat.toFixed(5)}`),
      found && found.left_out !== null && p.x !== undefined && p.lon !== undefined ? h("span", { class: found.errors[k++] > 3 ? "warn-text" : "" }, `± ${number(found.errors[k - 1], 1)} m`) : null,
      h("button", { type: "button", class: "tool", "aria-label": t("act.delete"), onClick: () => { pairs.splice(i, 1); show(); } }, icon("close", 16)))));
    const n = complete().length;
    verdict.textContent = n < 4 ? t("vision.points_missing", { n: 4 - n }) : !found ? t("vision.points_bad")
      : found.left_out === null ? `${t("vision.error", { m: number(found.error, 2) })} · ${t("vision.one_more")}` : `${t("vision.error", { m: number(found.error, 2) })} · ${t("vision.left_out", { m: number(found.left_out, 2) })}`;
    verdict.classList.toggle("warn-text", !found || found.error > 3);
    drawMap(found);
  }

  async function drawMap(found) {
    if (!map) return;
    pins.forEach((pin) => pin.remove());
    pins = pairs.flatMap((p, i) => (p.lon === undefined ? [] : [new map.Marker({ element: h("b", { class: "mark on-map" }, i + 1) }).setLngLat([p.lon, p.lat]).addTo(map.map)]));
    const ring = found ? viewPolygon(found) : [];
    map.map.getSource("view")?.setData({ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: ring.length > 2 ? [[...ring, ring[0]]] : [[]] } });
  }

  async function begin() {
    const [gl, described] = await Promise.all([import("/static/vendor/maplibre/maplibre-gl.mjs"), api.get("/api/map/style.json")]);
    if (!alive) return;
    const maplibre = gl.default && gl.default.Map ? gl.default : gl;
    const centre = camera.lon != null ? [camera.lon, camera.lat] : described.metadata?.center || [125.42, 43.87];
    const style = build(described, palette(document.documentElement.dataset.theme));
    style.layers = style.layers.filter((layer) => layer.id !== "buildings-flat").map((layer) => (layer.type === "fill-extrusion" ? { id: layer.id, type: "fill", source: layer.source, "source-layer": layer["source-layer"], paint: { "fill-color": "#285685", "fill-outline-color": "#4f8fc4" } } : layer));
    const made = new maplibre.Map({ container: mapNode, style, center: centre, zoom: 18, maxZoom: 21, attributionControl: false, localIdeographFontFamily: '"Noto Sans CJK SC",sans-serif' });
    await new Promise((resolve) => made.once("style.load", resolve));
    if (!alive) { made.remove(); return; }
    made.addSource("view", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    made.addLayer({ id: "view", type: "fill", source: "view", paint: { "fill-color": "#3ddc97", "fill-opacity": 0.3 } });
    if (camera.lon != null) new maplibre.Marker({ element: h("span", { class: "cam-pin" }, icon("camera", 20)) }).setLngLat(centre).addTo(made);
    made.on("click", (event) => add({ lon: Number(event.lngLat.lng.toFixed(7)), lat: Number(event.lngLat.lat.toFixed(7)) }));
    map = { map: made, Marker: maplibre.Marker };
    show();
  }

  begin().catch((error) => { mapNode.textContent = `${t("map.failed")} ${error.message || ""}`; });
  show();
  return {
    node: h("div", {}, h("p", { class: "quiet" }, t("vision.calib_how")),
      camera.calibration?.error_m ? h("p", { class: "calib-saved" }, t("vision.saved_error", { m: number(camera.calibration.error_m, 2) })) : null, h("div", { class: "calib" }, shot, mapNode), verdict, list),
    points: complete,
    open,
    leave() { alive = false; if (map) map.map.remove(); },
  };
}
