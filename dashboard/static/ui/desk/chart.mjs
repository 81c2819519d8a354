// A line chart as SVG: one series, real time axis, gaps kept, limits drawn, value under the pointer.
import { short, number, full } from "../shared/i18n.mjs";
import { h } from "../shared/dom.mjs";

const NS = "http://www.w3.org/2000/svg";
const W = 900, H = 260, L = 58, R = 14, T = 14, B = 30;

function s(tag, attributes, ...children) {
  const node = document.createElementNS(NS, tag);
  for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v);
  node.append(...children);
  return node;
}

/** `points`: [{at (ms), value, low?, high?}] in order of time; `limits`: [{value, label}]; a gap longer than `gap` ms breaks the line. */
export function lineChart(points, { unit = "", limits = [], gap = Infinity, label = "" } = {}) {
  const good = points.filter((p) => typeof p.value === "number" && Number.isFinite(p.value));
  if (!good.length) return null;
  const x0 = good[0].at, x1 = Math.max(good[good.length - 1].at, x0 + 1);
  let lo = Math.min(...good.map((p) => p.low ?? p.value), ...limits.map((l) => l.value));
  let hi = Math.max(...good.map((p) => p.high ?? p.value), ...limits.map((l) => l.value));
  if (lo === hi) { lo -= Math.abs(lo) * 0.05 || 1; hi += Math.abs(hi) * 0.05 || 1; }
  const step = nice((hi - lo) / 4);
  lo = Math.floor(lo / step) * step;
  hi = Math.ceil(hi / step) * step;
  const X = (v) => L + ((v - x0) / (x1 - x0)) * (W - L - R);
  const Y = (v) => T + (1 - (v - lo) / (hi - lo)) * (H - T - B);
  const svg = s("svg", { viewBox: `0 0 ${W} ${H}`, class: "chart", role: "img", "aria-label": label });
  for (let v = lo; v <= hi + step / 2; v += step) {
    svg.append(s("line", { x1: L, x2: W - R, y1: Y(v), y2: Y(v), class: "grid-line" }), s("text", { x: L - 8, y: Y(v) + 4, class: "axis", "text-anchor": "end" }, number(v, 3)));
  }
  for (let i = 0; i <= 5; i++) {
    const at = x0 + ((x1 - x0) * i) / 5;
    svg.append(s("text", { x: X(at), y: H - 8, class: "axis", "text-anchor": i === 0 ? "start" : i === 5 ? "end" : "middle" }, short(new Date(at).toISOString())));
  }
  if (good.some((p) => p.low !== undefined && p.high !== undefined)) {
    const up = good.map((p) => `${X(p.at).toFixed(1)},${Y(p.high ?? p.value).toFixed(1)}`);
    const down = [...good].reverse().map((p) => `${X(p.at).toFixed(1)},${Y(p.low ?? p.value).toFixed(1)}`);
    svg.append(s("polygon", { points: [...up, ...down].join(" "), class: "band" }));
  }
  let path = "", before = null;
  for (const p of good) {
    path += `${before === null || p.at - before > gap ? "M" : "L"}${X(p.at).toFixed(1)},${Y(p.value).toFixed(1)}`;
    before = p.at;
  }
  svg.append(s("path", { d: path, class: "line" }));
  if (good.length < 60) for (const p of good) svg.append(s("circle", { cx: X(p.at), cy: Y(p.value), r: 2.6, class: "point" }));
  for (const limit of limits) {
    svg.append(s("line", { x1: L, x2: W - R, y1: Y(limit.value), y2: Y(limit.value), class: "limit" }), s("text", { x: W - R - 4, y: Y(limit.value) - 5, class: "limit-text", "text-anchor": "end" }, limit.label));
  }
  const cursor = s("line", { y1: T, y2: H - B, class: "cursor", visibility: "hidden" });
  svg.append(cursor);
  const said = h("span", { class: "chart-said" }, `${number(good[good.length - 1].value, 3)} ${unit} · ${full(new Date(good[good.length - 1].at).toISOString())}`);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = x0 + ((((event.clientX - box.left) / box.width) * W - L) / (W - L - R)) * (x1 - x0);
    const near = good.reduce((a, b) => (Math.abs(b.at - at) < Math.abs(a.at - at) ? b : a));
    cursor.setAttribute("visibility", "visible");
    cursor.setAttribute("x1", X(near.at));
    cursor.setAttribute("x2", X(near.at));
    said.textContent = `${number(near.value, 3)} ${unit} · ${full(new Date(near.at).toISOString())}`;
  });
  svg.addEventListener("pointerleave", () => cursor.setAttribute("visibility", "hidden"));
  return h("figure", { class: "chart-box" }, said, svg);
}

function nice(raw) {
  const power = 10 ** Math.floor(Math.log10(raw || 1));
  return [1, 2, 2.5, 5, 10].map((m) => m * power).find((v) => v >= raw) || raw;
}
