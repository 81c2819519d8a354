// The map's colours in the three themes; severity as everywhere.
import { figure, SHAPES } from "../shared/severity.mjs";

const NIGHT = {
  theme: "night",
  ground: "#071120", land: "#0c1a2d", water: "#12375c", green: "#0f2a26", minor: "#1d3450", major: "#3a5f8c", trunk: "#5d86b8", rail: "#6f7f93", grid: "#1b4a63",
  street: "#2f6f94", district: "#58c7f3", text: "#a9c3dd", strong: "#eef5fc", halo: "#071120", building: { residential: "#27476b", commercial: "#3a4f86", public: "#22616a", industrial: "#3a4757", other: "#27476b" }, lit: "#7f9fd0",
  picked: "#58c7f3", s: { 1: "#6fb3ff", 2: "#ffdd57", 3: "#ff9d2e", 4: "#ff5a76" }, onS: "#0b1420", late: "#e6c6ff", waterColumn: "#3f9df0", camera: "#58c7f3", cameraOff: "#ff7189", disc: "#0b2434", sky: "#0b1a30", fog: "#0c1c33",
};
const DAY = {
  theme: "day",
  ground: "#edf1f5", land: "#f6f8fa", water: "#a9d0f0", green: "#d5e9cf", minor: "#ffffff", major: "#fbe0a6", trunk: "#f4c97a", rail: "#9aa5b1", grid: "#b9c8d8",
  street: "#8aa3bd", district: "#0a61b5", text: "#4a6076", strong: "#10233a", halo: "#ffffff", building: { residential: "#d6dfe9", commercial: "#d9d3ee", public: "#c3e2de", industrial: "#dcd8cf", other: "#d6dfe9" }, lit: "#f3c37d",
  picked: "#0a61b5", s: { 1: "#1f62c4", 2: "#e0ae0b", 3: "#e07b10", 4: "#c8143f" }, onS: "#10233a", late: "#7427a8", waterColumn: "#2b7fd0", camera: "#0a61b5", cameraOff: "#c8143f", disc: "#ffffff", sky: "#cfe2f5", fog: "#e8eff6",
};
const CONTRAST = {
  ...NIGHT, theme: "contrast", ground: "#000000", land: "#000000", water: "#003a66", green: "#0a1a10", minor: "#5a5a5a", major: "#9a9a9a", trunk: "#ffffff", text: "#ffffff", halo: "#000000", district: "#ffe600", street: "#ffffff",
  building: { residential: "#222222", commercial: "#2c2c2c", public: "#2c2c2c", industrial: "#222222", other: "#222222" }, lit: "#ffe600", picked: "#ffe600", s: { 1: "#8cc8ff", 2: "#fff275", 3: "#ffb000", 4: "#ff8096" }, onS: "#000000", late: "#ffffff",
};
const THEMES = { night: NIGHT, day: DAY, contrast: CONTRAST };
export const palette = (theme) => THEMES[theme] || NIGHT;

const KEPT = { willReadFrequently: true }; // drawn by the processor: reading back from the graphics card waits for it

/** The images of the map: severity shapes with figures, sites, cameras.  `PATHS` are the icons' outlines. */
export function images(map, p, PATHS) {
  const put = (id, canvas) => {
    const data = canvas.getContext("2d", KEPT).getImageData(0, 0, canvas.width, canvas.height);
    if (map.hasImage(id)) map.updateImage(id, data);
    else map.addImage(id, data, { pixelRatio: 2 });
  };
  const canvas = (size) => { const node = document.createElement("canvas"); node.width = node.height = size; return node; };
  for (const level of [1, 2, 3, 4]) {
    for (const late of [false, true]) {
      const node = canvas(64);
      const g = /** @type {CanvasRenderingContext2D} */ (node.getContext("2d", KEPT));
      g.scale(64 / 28, 64 / 28);
      g.translate(2, 2);
      const path = new Path2D(SHAPES[level]);
      g.lineWidth = late ? 3.4 : 2;
      g.strokeStyle = late ? p.late : p.halo;
      g.stroke(path);
      g.fillStyle = p.s[level];
      g.fill(path);
      g.fillStyle = (p === DAY && (level === 4 || level === 1)) ? "#ffffff" : p.onS;
      g.font = `700 ${level === 3 ? 12.5 : 14}px sans-serif`;
      g.textAlign = "center";
      g.fillText(String(figure(level)), 12, level === 3 ? 20 : 17);
      put(`sev-${level}${late ? "-late" : ""}`, node);
    }
  }
  const disc = (id, path, fill, back, ring) => {
    const node = canvas(44);
    const g = /** @type {CanvasRenderingContext2D} */ (node.getContext("2d", KEPT));
    g.beginPath();
    g.arc(22, 22, 20, 0, 7);
    g.fillStyle = back;
    g.fill();
    g.lineWidth = 2.5;
    g.strokeStyle = ring;
    g.stroke();
    g.translate(9, 9);
    g.scale(26 / 24, 26 / 24);
    g.fillStyle = fill;
    g.fill(new Path2D(path), "evenodd");
    put(id, node);
  };
  for (const kind of ["fire", "water", "fuel", "warehouse", "camera", "key", "alarm", "person", "device", "dot"]) disc(`site-${kind}`, PATHS[kind], p.text, p.disc, p.text);
  disc("camera", PATHS.camera, p.camera, p.disc, p.camera);
  disc("camera-off", PATHS.camera, p.cameraOff, p.disc, p.cameraOff);
  disc("vehicle", PATHS.device, p.strong, p.disc, p.strong);
}
