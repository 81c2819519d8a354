// Sound and flash, for RED only: at most one in 20 s, so that a burst is one alarm and not a flood.
import * as store from "../shared/store.mjs";

const KEY = "yiwang_sound";
const QUIET_MS = 20000;
let context = null;
let last = 0;

export const on = () => localStorage.getItem(KEY) !== "off";
export function toggle() {
  localStorage.setItem(KEY, on() ? "off" : "on");
  store.emit("sound", on());
}

/** Watches for new RED cases; returns how to stop. */
export function watch() {
  const wake = () => { context = context || new AudioContext(); };
  window.addEventListener("pointerdown", wake, { once: true });
  const stop = store.on("case", ({ item, fresh, gone }) => {
    if (gone || !fresh || item.severity < 4) return;
    if (Date.now() - last < QUIET_MS) return;
    last = Date.now();
    document.body.classList.add("red-flash");
    setTimeout(() => document.body.classList.remove("red-flash"), 2400);
    if (on()) ring();
  });
  return () => { stop(); window.removeEventListener("pointerdown", wake); };
}

function ring() {
  if (!context || context.state === "closed") return;
  context.resume();
  const start = context.currentTime;
  for (let i = 0; i < 4; i++) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.frequency.value = i % 2 ? 660 : 880;
    gain.gain.setValueAtTime(0.0001, start + i * 0.3);
    gain.gain.exponentialRampToValueAtTime(0.25, start + i * 0.3 + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + i * 0.3 + 0.28);
    tone.connect(gain).connect(context.destination);
    tone.start(start + i * 0.3);
    tone.stop(start + i * 0.3 + 0.3);
  }
}
