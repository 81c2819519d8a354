// The severity scale: shape + figure + colour, never colour alone.  4 is Ⅰ (diamond), 1 is Ⅳ (disc).
// @ts-check

/** Outlines in a 24×24 box by severity: diamond, triangle, square, disc. */
export const SHAPES = {
  4: "M12 0.5 23.5 12 12 23.5 0.5 12z",
  3: "M12 1.2 23.6 22.4 0.4 22.4z",
  2: "M3 1h18a2 2 0 0 1 2 2v18a2 2 0 0 1-2 2H3a2 2 0 0 1-2-2V3a2 2 0 0 1 2-2z",
  1: "M12 0.8a11.2 11.2 0 1 0 0 22.4 11.2 11.2 0 0 0 0-22.4z",
};

/** The level's figure as people say it: severity 4 is level 1. @param {number} severity */
export const figure = (severity) => 5 - Math.min(4, Math.max(1, Math.round(severity) || 1));

const NS = "http://www.w3.org/2000/svg";

/**
 * The mark of a severity as an SVG element; `name` is its accessible name ("" where words stand beside it).
 * @param {number} severity @param {number | string} [size] @param {string} [name]
 */
export function mark(severity, size = "1.25em", name = "") {
  const level = 5 - figure(severity);
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `sev s${level}`);
  svg.setAttribute("width", String(size));
  svg.setAttribute("height", String(size));
  if (name) { svg.setAttribute("role", "img"); svg.setAttribute("aria-label", name); } else svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", SHAPES[level]);
  const text = document.createElementNS(NS, "text");
  text.setAttribute("x", "12");
  text.setAttribute("y", level === 3 ? "20" : "17");
  text.setAttribute("text-anchor", "middle");
  text.setAttribute("font-size", level === 3 ? "13" : "14");
  text.textContent = String(figure(severity));
  svg.append(path, text);
  return svg;
}
