// Small helpers to build DOM from nodes only: text never becomes markup.
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2).toLowerCase(), value);
    else if (key === "class") node.className = value;
    else if (key === "style" && typeof value === "object") {
      for (const [name, v] of Object.entries(value)) node.style.setProperty(name, v);
    } else if (key === "dataset") Object.assign(node.dataset, value);
    else if (key in node && typeof value !== "string") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(node, child);
    else node.append(child instanceof Node ? child : String(child));
  }
}

export function replace(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

export function debounce(run, wait) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), wait);
  };
}

const NS = "http://www.w3.org/2000/svg";
/** @param {string} name @param {number | string} size */
export function icon(name, size = 18) {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  const side = typeof size === "number" ? `${size / 16}rem` : size; // grows with the wall's type scale
  svg.style.width = side;
  svg.style.height = side;
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", PATHS[name] || PATHS.dot);
  svg.append(path);
  return svg;
}

// Our own 24×24 outlines, drawn as filled paths; also used for the map's images.
export const PATHS = {
  dot: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10z",
  fire: "M12 2c1 4 5 6 5 11a5 5 0 0 1-10 0c0-2 1-3.500 2-4.500 0 2 1 3 2 3 1.500-2 0-5 1-9.500zM5 20h14v2H5z",
  water: "M12 2c4 5 6 8 6 11a6 6 0 0 1-12 0c0-3 2-6 6-11zM4 20h16v2H4z",
  fuel: "M4 3h9v8h2a2 2 0 0 1 2 2v4a1 1 0 0 0 2 0V9l-2-2 1.400-1.400L21 8.200V17a3 3 0 0 1-6 0v-4h-2v8H4zm2 2v5h5V5z",
  warehouse: "M3 9l9-6 9 6v12h-3v-9H6v9H3zm5 5h8v2H8zm0 4h8v2H8z",
  camera: "M3 7h12a1 1 0 0 1 1 1v2l5-3v10l-5-3v2a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1z",
  key: "M12 2l8 3v6c0 5-3.400 9.300-8 11-4.600-1.700-8-6-8-11V5zm-1 13l6-6-1.400-1.400L11 12.200 8.900 10.100 7.500 11.500z",
  alarm: "M12 2a7 7 0 0 1 7 7v6l2 3H3l2-3V9a7 7 0 0 1 7-7zm-2.500 18h5a2.500 2.500 0 0 1-5 0z",
  bell: "M12 2.500a6 6 0 0 1 6 6v5l2.500 4h-17L6 13.500v-5a6 6 0 0 1 6-6zM9.500 19.500h5a2.500 2.500 0 0 1-5 0z",
  person: "M12 3a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4 21c0-5 3.500-8 8-8s8 3 8 8z",
  device: "M5 3h14v18H5zm2 3v6h10V6zm0 9v2h4v-2zm8 0v2h2v-2z",
  close: "M6.400 5L12 10.600 17.600 5 19 6.400 13.400 12 19 17.600 17.600 19 12 13.400 6.400 19 5 17.600 10.600 12 5 6.400z",
  sound: "M4 9h4l5-5v16l-5-5H4zm11.500-1.500a6 6 0 0 1 0 9l-1.200-1.500a4 4 0 0 0 0-6zM18 5a9.500 9.500 0 0 1 0 14l-1.200-1.500a7.500 7.500 0 0 0 0-11z",
  mute: "M4 9h4l5-5v16l-5-5H4zm12 .4L17.400 8l2.100 2.100L21.600 8 23 9.400 20.900 11.500l2.100 2.100-1.400 1.400-2.100-2.100L17.400 15 16 13.600l2.100-2.100z",
  menu: "M3 5h18v2H3zm0 6h18v2H3zm0 6h18v2H3z",
  pin: "M12 2a7 7 0 0 1 7 7c0 5-7 13-7 13S5 14 5 9a7 7 0 0 1 7-7zm0 4.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z",
  building: "M4 21V4h10v5h6v12h-7v-4h-3v4zM7 7v2h2V7zm4 0v2h1V7zM7 11v2h2v-2zm4 0v2h1v-2zm5 1v2h2v-2zm0 4v2h2v-2z",
  clock: "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm-1 5v6l5 3 1-1.700-4-2.300V7z",
  check: "M9 16.200L4.800 12l-1.400 1.400L9 19 21 7l-1.400-1.400z",
  play: "M7 4l14 8-14 8z",
  pause: "M6 4h4v16H6zm8 0h4v16h-4z",
  back: "M11 5v14L2 12zm10 0v14l-9-7z",
  search: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14zm0 2a5 5 0 1 0 0 10 5 5 0 0 0 0-10zm5.500 9.500l6 6-1.500 1.500-6-6z",
  layers: "M12 2l10 5-10 5L2 7zm-7.500 8.200L12 14l7.500-3.800L22 11.500 12 16.500 2 11.500zm0 4.500L12 18.500l7.500-3.800L22 16 12 21 2 16z",
  ruler: "M16.500 2L22 7.500 7.500 22 2 16.500zM9 10l2 2-1 1-2-2zm3-3l2 2-1 1-2-2zm3-3l2 2-1 1-2-2zm-9 9l2 2-1 1-2-2z",
  target: "M11 1h2v3.100A8 8 0 0 1 19.900 11H23v2h-3.100A8 8 0 0 1 13 19.900V23h-2v-3.100A8 8 0 0 1 4.100 13H1v-2h3.100A8 8 0 0 1 11 4.100zM12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12zm0 4a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  arrow: "M12 3l9 18-9-5-9 5z",
  ban: "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zM5.700 7.100a8 8 0 0 0 11.200 11.200zM7.100 5.700l11.200 11.200A8 8 0 0 0 7.100 5.700z",
  rain: "M7 4a5 5 0 0 1 9.600 1.500A4.500 4.500 0 0 1 16.500 15H6.500A5.500 5.500 0 0 1 7 4zM8 17h2l-1.500 5h-2zm5 0h2l-1.500 5h-2z",
  phone: "M6 2l4 1 1 5-2.500 2a14 14 0 0 0 5.500 5.500l2-2.500 5 1 1 4-3 4C9.500 21.500 2.500 14.500 2 5z",
  moon: "M14 2a10 10 0 1 0 8 14A8 8 0 0 1 14 2z",
  globe: "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm-1 2.200C9 6 8 8.500 7.900 11H11zm2 0V11h3.100C16 8.500 15 6 13 4.200zM11 13H7.900c.1 2.500 1.100 5 3.100 6.800zm2 0v6.800c2-1.800 3-4.300 3.100-6.800z",
};
