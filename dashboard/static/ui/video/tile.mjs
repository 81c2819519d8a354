// One picture of the video wall: live, 30 s back, stills; what limits it is said on the picture itself.
import { t, named } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import { play, reasonOf } from "../cases/video.mjs";

const STILL_MS = 5000;

/** `show(camera, tour)` puts a camera on it, `back(seconds)` shows what was, 0 the present. */
export function tile(index, onPick) {
  let stop = () => {};
  /** @type {any} */
  let camera = null;
  let tour = null;
  let told = 0;
  const stage = h("div", { class: "video-stage" });
  const state = h("span", { class: "video-state" });
  const name = h("span", { class: "video-name" }, t("video.empty"));
  const node = h("button", { type: "button", class: "video-tile", "aria-label": t("video.tile", { n: index + 1 }), onClick: () => onPick(index) }, stage, h("span", { class: "video-bar" }, name, state));
  const clear = () => { stop(); stop = () => {}; replace(stage); state.textContent = ""; node.classList.remove("past"); };
  const base = () => `/api/cameras/${encodeURIComponent(camera.camera_id)}`;

  const stills = (why) => {
    const picture = h("img", { alt: "" });
    const from = base();
    const refresh = () => { picture.src = `${from}/snapshot.jpg?t=${Math.floor(Date.now() / STILL_MS)}`; };
    picture.addEventListener("error", () => { state.textContent = t("camera.no_picture"); node.classList.add("bad"); });
    picture.addEventListener("load", () => { state.textContent = why || t("camera.still"); node.classList.remove("bad"); });
    replace(stage, picture);
    refresh();
    const timer = setInterval(refresh, STILL_MS);
    stop = () => clearInterval(timer);
  };
  const live = (seconds) => {
    clear();
    node.classList.remove("bad");
    node.classList.toggle("past", seconds > 0);
    const video = h("video", { autoplay: true, playsinline: true });
    video.muted = true;
    replace(stage, video);
    state.textContent = t("camera.connecting");
    const say = () => {
      const buffered = video.buffered;
      const behind = buffered.length ? buffered.end(buffered.length - 1) - video.currentTime : 0;
      state.textContent = seconds > 0 ? t("video.behind", { n: Math.round(behind) }) : t("video.delay", { n: behind.toFixed(1) });
    };
    const leave = play(video, base(), () => { say(); clearInterval(told); told = window.setInterval(say, 1000); }, (reason) => {
      clearInterval(told);
      stills(reasonOf(reason)); // what cannot be played is said on the picture itself
    }, tour, seconds);
    stop = () => { clearInterval(told); leave(); };
  };
  const show = (next, running) => {
    if (camera && next && camera.camera_id === next.camera_id) return;
    clear();
    camera = next;
    tour = running;
    node.classList.remove("bad");
    name.textContent = camera ? named(camera) : t("video.empty");
    if (!camera) return;
    if (camera.has_video === false) stills(t("video.no_stream"));
    else live(0);
  };
  const back = (seconds) => { if (camera && camera.has_video !== false) live(seconds); };
  return { node, show, clear, back, camera: () => camera };
}
