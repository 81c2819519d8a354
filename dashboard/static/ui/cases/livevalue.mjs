// A case's live value as people read it: number, trend, sparkline with alarm levels, escalation, cleared mark.
import { t, number, term, has, full, short, language } from "../shared/i18n.mjs";
import { h } from "../shared/dom.mjs";
import { range, place, path, arrow, reached } from "./curve.mjs";
import { figure } from "../shared/severity.mjs";

const NS = "http://www.w3.org/2000/svg";
const svg = (tag, attributes, ...children) => {
  const node = document.createElementNS(NS, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.append(...children);
  return node;
};
const digits = (value) => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);

/** "0.42", in the unit's usual digits; a real minus. */
export const valueText = (value) => (value === null || value === undefined ? "—" : number(value, digits(value)).replace("-", "−"));
const SI = new Set(["m", "cm", "mm", "km", "s", "%", "℃", "°C", "MPa", "kPa", "Pa", "mg/m3", "µg/m³", "m/s", "mm/h", "%LEL", "V", "A", "kW"]); // the same in every language
export const unitText = (unit) => (!unit || SI.has(unit) ? unit || "" : has(`unit.${unit}`) ? t(`unit.${unit}`) : unit);

/** Value and unit as nodes; `big` for heads. */
export function valueNode(live, big = false) {
  if (!live || live.value === null) return null;
  return h("span", { class: `live-value${big ? " big" : ""}`, title: live.at ? full(live.at) : "" }, h("b", {}, valueText(live.value)), h("small", {}, `\u2009${unitText(live.unit)}`));
}

/** "↑ +0.06 m / 10 min", or "" without a trend. */
export function trendText(live) {
  if (!live || live.trend === null) return "";
  const bounds = range(live.points.map((p) => p[1]), live.levels.map((l) => l.at));
  const sign = arrow(live.trend, bounds);
  if (sign === "→") return `→ ${t("live.steady")}`;
  return `${sign} ${t("live.per_10_min", { value: `${live.trend > 0 ? "+" : "−"}${valueText(Math.abs(live.trend))}\u2009${unitText(live.unit)}` })}`;
}

/** A small line for rows. */
export function spark(live, width = 72, height = 18) {
  if (!live || live.points.length < 2) return null;
  const bounds = range(live.points.map((p) => p[1]), []);
  return svg("svg", { class: "spark", viewBox: `-1 -1 ${width + 2} ${height + 2}`, width, height, "aria-hidden": "true" },
    svg("path", { d: path(place(live.points, bounds, width, height)) }));
}

/** The curve with its alarm levels, times below, the newest value marked. */
export function curve(live, width = 400, height = 120) {
  if (!live || live.points.length < 2) return null;
  const levels = live.levels;
  const bounds = range(live.points.map((p) => p[1]), levels.map((l) => l.at));
  const right = width - 74;
  const spots = place(live.points, bounds, right, height);
  const y = (at) => height - ((at - bounds[0]) / (bounds[1] - bounds[0])) * height;
  const last = spots[spots.length - 1];
  const clock = (s) => short(new Date(s * 1000).toISOString()).slice(-5);
  const times = [0, 0.5, 1].map((share) => live.points[0][0] + share * (live.points[live.points.length - 1][0] - live.points[0][0]));
  return svg("svg", { class: "curve", viewBox: `-4 -8 ${width + 8} ${height + 34}`, role: "img", "aria-label": t("live.curve", { value: valueText(live.value), unit: unitText(live.unit) }) },
    svg("path", { class: "area", d: `${path(spots)}L${last[0]} ${height}L0 ${height}z` }),
    ...levels.filter((l) => l.at >= bounds[0] && l.at <= bounds[1]).flatMap((l) => [
      svg("line", { class: `level s${l.severity || 1}`, x1: 0, x2: right, y1: y(l.at), y2: y(l.at) }),
      svg("text", { class: `s${l.severity || 1}`, x: right + 6, y: y(l.at) + 4 }, `${levelName(l)} ${valueText(l.at)}`)]),
    svg("path", { class: "line", d: path(spots) }), svg("circle", { cx: last[0], cy: last[1], r: 4 }),
    ...times.map((s, i) => svg("text", { class: "time", x: i * (right / 2), y: height + 20, "text-anchor": i === 0 ? "start" : i === 1 ? "middle" : "end" }, clock(s))));
}

export const levelName = (level) => (level.severity ? t(`roman.${figure(level.severity)}`) : language() === "zh" ? level.name : "");

/** What an escalation says: from, to, value, limit. */
export function escalationText(step) {
  const data = { from: t(`roman.${figure(step.before)}`), to: t(`roman.${figure(step.after)}`) };
  if (step.value === null) return t("live.escalated", data);
  const unit = unitText(step.unit);
  const value = `${valueText(step.value)}\u2009${unit}`;
  return step.limit === null ? t("live.escalated_value", { ...data, value }) : t("live.escalated_limit", { ...data, value, limit: `${valueText(step.limit)}\u2009${unit}` });
}

/** The cleared mark in few words, for rows of the wall. */
export const clearedShort = (live) => (live?.cleared_at ? h("span", { class: "mark-cleared" }, t("live.cleared_short", { time: short(live.cleared_at).slice(-5) })) : null);

/** Marks of a case: cleared since, clear/again folded into one. */
export function marks(live) {
  if (!live) return [];
  return [
    live.cleared_at ? h("span", { class: "mark-cleared" }, t("live.cleared_since", { time: short(live.cleared_at).slice(-5) })) : null,
    live.repeats ? h("span", { class: "mark-repeats" }, t("live.repeats", { n: live.repeats.times, from: short(live.repeats.first_at).slice(-5), to: short(live.repeats.last_at).slice(-5) })) : null,
  ].filter(Boolean);
}

/** The name of what is measured. */
export const quantityText = (live) => (live.quantity === "confidence" ? t("live.confidence") : term("kind", live.quantity));

/** The level that the value stands at, in words, or "". */
export function levelText(live) {
  const level = live ? reached(live.value, live.levels, live.direction) : null;
  return level ? t("live.at_level", { level: levelName(level), limit: `${valueText(level.at)}\u2009${unitText(live.unit)}` }) : "";
}
