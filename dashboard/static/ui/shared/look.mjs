// Theme (night, day, high contrast) and layout (wall, desk): kept per browser, in the address, never a reload.
import * as store from "./store.mjs";

const THEME = "yiwang_theme";
const LAYOUT = "yiwang_layout";
export const THEMES = ["night", "day", "contrast"];

const root = document.documentElement;
const kept = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const keep = (key, value) => { try { localStorage.setItem(key, value); } catch { /* a browser without storage */ } };

/** The layout of the command centre: from the address, else kept, else by the screen: a wall is wide and opens no single case. */
export function layout() {
  const asked = new URLSearchParams(location.search).get("view");
  if (asked === "wall" || asked === "desk") return asked;
  const before = kept(LAYOUT);
  return before === "wall" || before === "desk" ? before : window.innerWidth >= 1800 && location.pathname === "/" ? "wall" : "desk";
}

/** The theme: chosen, else night on a wall and day on a desk. */
export function theme() {
  const chosen = kept(THEME) || "";
  return THEMES.includes(chosen) ? chosen : root.dataset.layout === "wall" ? "night" : "day";
}

export function apply() {
  root.dataset.theme = theme();
  root.dataset.mantineColorScheme = root.dataset.theme === "day" ? "light" : "dark"; // Mantine's parts of the desk pages
  store.emit("theme", root.dataset.theme);
}

export function setTheme(value) {
  keep(THEME, value);
  apply();
}

export function setLayout(value) {
  keep(LAYOUT, value);
  root.dataset.layout = value;
  store.writeAddress();
  apply();
  store.emit("layout", value);
}

/** The value of a design token, for what is drawn on a canvas. */
export const token = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
