// Draws polygons on a picture: click to add a corner, drag to move it, double-click or Enter to end, Delete to take one away.
import { t } from "../shared/i18n.mjs";
import { h } from "../shared/dom.mjs";

const NS = "http://www.w3.org/2000/svg";
const COLOURS = ["#38c6f4", "#f5c518", "#3ddc97", "#ff8a1f", "#c9b6ff", "#ff5cf0", "#9be28c", "#ff8b97"];
const clamp = (v) => Math.min(1, Math.max(0, v));

function s(tag, attributes) {
  const node = document.createElementNS(NS, tag);
  for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v);
  return node;
}

/** `zones` are changed in place; `changed()` is called after each change. */
export function zoneEditor(src, zones, changed) {
  const image = h("img", { src, alt: t("camera.still"), draggable: false });
  const svg = s("svg", { viewBox: "0 0 1000 1000", preserveAspectRatio: "none", class: "zone-svg", tabindex: "0", role: "application", "aria-label": t("vision.how") });
  const note = h("p", { class: "zone-note", hidden: true });
  const node = h("div", { class: "zone-stage" }, image, svg, note);
  image.addEventListener("load", () => draw());
  image.addEventListener("error", () => { note.hidden = false; note.textContent = t("camera.no_picture"); });
  let drawing = null; // {points, done}
  let dragging = null; // {zone, index}
  let picked = null;

  const at = (event) => {
    const box = svg.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  };
  const text = (points) => points.map(([x, y]) => `${x * 1000},${y * 1000}`).join(" ");

  function draw() {
    svg.replaceChildren();
    zones.forEach((zone, i) => {
      const colour = COLOURS[i % COLOURS.length];
      svg.append(s("polygon", { points: text(zone.polygon), fill: `${colour}33`, stroke: colour, "stroke-width": 2, "vector-effect": "non-scaling-stroke" }));
      const [x, y] = zone.polygon.reduce((a, p) => [a[0] + p[0] / zone.polygon.length, a[1] + p[1] / zone.polygon.length], [0, 0]);
      // The drawing is stretched to the picture's shape; its letters are not.
      const squash = svg.clientWidth ? svg.clientHeight / svg.clientWidth : 0.5625;
      const label = s("text", { transform: `translate(${x * 1000} ${y * 1000}) scale(${squash} 1)`, class: "zone-label", fill: colour });
      label.textContent = zone.name;
      svg.append(label);
      zone.polygon.forEach((p, k) => {
        const corner = s("ellipse", { cx: p[0] * 1000, cy: p[1] * 1000, rx: 7, ry: 12, class: `corner ${picked && picked.zone === zone && picked.index === k ? "picked" : ""}`, fill: colour });
        corner.addEventListener("pointerdown", (event) => {
          if (drawing) return;
          event.stopPropagation();
          dragging = picked = { zone, index: k };
          svg.setPointerCapture(event.pointerId);
          svg.focus();
        });
        svg.append(corner);
      });
    });
    if (drawing) {
      svg.append(s("polyline", { points: text(drawing.points), fill: "none", stroke: "#fff", "stroke-width": 2, "stroke-dasharray": "6 4", "vector-effect": "non-scaling-stroke" }));
      for (const p of drawing.points) svg.append(s("ellipse", { cx: p[0] * 1000, cy: p[1] * 1000, rx: 6, ry: 10, fill: "#fff" }));
    }
  }

  const end = () => {
    if (!drawing) return;
    const { points, done } = drawing;
    drawing = null;
    note.hidden = true;
    if (points.length >= 3) done(points.map(([x, y]) => [Number(x.toFixed(4)), Number(y.toFixed(4))]));
    draw();
  };
  svg.addEventListener("pointerdown", (event) => {
    if (!drawing || event.button !== 0) return;
    const point = at(event);
    const last = drawing.points[drawing.points.length - 1];
    if (last && Math.hypot(last[0] - point[0], last[1] - point[1]) < 0.006) return; // second half of a double click
    drawing.points.push(point);
    draw();
  });
  svg.addEventListener("dblclick", end);
  svg.addEventListener("pointermove", (event) => {
    if (!dragging) return;
    dragging.zone.polygon[dragging.index] = at(event).map((v) => Number(v.toFixed(4)));
    draw();
  });
  svg.addEventListener("pointerup", () => { if (dragging) { dragging = null; changed(); } });
  const keys = (event) => {
    if (event.key === "Enter" && drawing) { event.preventDefault(); end(); }
    if (event.key === "Escape" && drawing) { drawing = null; note.hidden = true; draw(); }
    if ((event.key === "Delete" || event.key === "Backspace") && picked && document.activeElement === svg) {
      event.preventDefault();
      if (picked.zone.polygon.length > 3) picked.zone.polygon.splice(picked.index, 1);
      picked = null;
      draw();
      changed();
    }
    if (picked && document.activeElement === svg && event.key.startsWith("Arrow")) {
      event.preventDefault();
      const step = event.shiftKey ? 0.02 : 0.004;
      const [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
      const p = picked.zone.polygon[picked.index];
      picked.zone.polygon[picked.index] = [clamp(p[0] + dx), clamp(p[1] + dy)].map((v) => Number(v.toFixed(4)));
      draw();
      changed();
    }
  };
  window.addEventListener("keydown", keys);
  draw();
  return {
    node, draw,
    colour: (i) => COLOURS[i % COLOURS.length],
    begin(done) { drawing = { points: [], done }; note.hidden = false; note.textContent = t("vision.drawing"); svg.focus(); draw(); },
    leave: () => window.removeEventListener("keydown", keys),
  };
}
