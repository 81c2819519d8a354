// Camera video: fMP4 over WebSocket into MSE; JPEG snapshots where that cannot be.
import { t, term, ready as wordsReady } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";

const KEEP_S = 45; // seconds of past kept in the buffer: −30 s is in it once it has played that long

/** The same as a component of a desk page. */
export function mount(root, props) {
  let leave = () => {};
  let alive = true;
  wordsReady.then(() => { if (alive) leave = cameraView(root, props.camera_id); });
  return { destroy: () => { alive = false; leave(); } };
}

/** A still at once, live on demand.  Returns how to leave. */
export function cameraView(root, cameraId) {
  const base = `/api/cameras/${encodeURIComponent(cameraId)}`;
  let stopLive = null;
  let timer = null;
  const still = h("img", { class: "camera-still", alt: t("camera.still") });
  const state = h("span", { class: "camera-state" });
  const known = store.state.cameras.get(cameraId);
  const say = (text, bad) => { state.textContent = text; state.classList.toggle("bad", Boolean(bad)); };
  const stage = h("div", { class: "camera-stage" }, still, state);
  const button = h("button", { type: "button", class: "button live" });
  const refresh = () => { still.src = `${base}/snapshot.jpg?t=${Math.floor(Date.now() / 1000)}`; };
  still.addEventListener("error", () => { still.classList.add("broken"); say(t("camera.no_picture"), true); });
  still.addEventListener("load", () => { still.classList.remove("broken"); if (!stopLive) say(t("camera.still")); });
  const backs = h("span", { class: "camera-backs", hidden: true }, [30, 10, 0].map((n) => h("button", { type: "button", class: "button", onClick: () => live(n) }, n ? t("video.back", { n }) : t("video.now"))));
  const idle = () => {
    if (stopLive) stopLive();
    stopLive = null;
    clearInterval(timer);
    replace(stage, still, state);
    backs.hidden = true;
    replace(button, icon("play", 16), t("camera.live"));
    refresh();
  };
  const snapshots = (reason) => {
    // The fallback: a picture a second; why stands on it.
    backs.hidden = true;
    replace(stage, still, state);
    say(reasonOf(reason));
    timer = setInterval(refresh, 1000);
    stopLive = () => clearInterval(timer);
  };
  const live = (back = 0) => {
    if (stopLive) stopLive();
    clearInterval(timer);
    const video = h("video", { muted: true, autoplay: true, playsinline: true, class: "camera-live" });
    video.muted = true;
    replace(stage, video, state);
    say(t("camera.connecting"));
    replace(button, icon("close", 16), t("camera.stop"));
    backs.hidden = false;
    const behind = () => { if (video.buffered.length) say(t("video.behind", { n: Math.round(video.buffered.end(video.buffered.length - 1) - video.currentTime) })); };
    if (back) video.addEventListener("timeupdate", behind);
    stopLive = play(video, base, () => say(back ? "" : t("camera.live_now")), (reason) => { if (stopLive) snapshots(reason); }, null, back);
  };
  button.addEventListener("click", () => (stopLive ? idle() : live()));
  replace(root, stage, h("div", { class: "camera-bar" }, button, backs, h("span", {}, known ? known.name : cameraId),
    known?.state ? h("span", { class: `chip cam-${known.state}` }, term("camstate", known.state)) : null,
    h("a", { class: "button", href: `/vision?camera=${encodeURIComponent(cameraId)}` }, t("camera.zones"))));
  idle();
  return () => { clearInterval(timer); if (stopLive) stopLive(); stopLive = null; };
}

/** Why a live picture cannot be, in words for the picture. */
export function reasonOf(reason) {
  if (/too_many|viewers/.test(reason)) return t("video.full");
  if (/hevc|h265|hvc1/i.test(reason)) return t("video.h265");
  if (/video_unplayable|cannot play/.test(reason)) return t("video.codec");
  if (/not_found/.test(reason)) return t("video.gone");
  return t("camera.snapshots");
}

/** `back`: begin so many seconds ago, as far as the server keeps them, and stay behind. */
export function play(video, base, onPlaying, onFail, tour = null, back = 0) {
  if (!("MediaSource" in window)) { onFail("no MediaSource"); return () => {}; }
  const source = new MediaSource();
  const queue = [];
  let buffer = null;
  let socket = null;
  let ended = false;
  let begun = false;
  /** @type {any} */
  let watchdog = setTimeout(() => fail("no picture within 8 s"), 8000);
  const fail = (reason) => { if (!ended) { leave(); onFail(reason); } };
  const leave = () => {
    ended = true;
    clearTimeout(watchdog);
    if (socket) socket.close();
    URL.revokeObjectURL(video.src);
  };
  const pump = () => {
    if (!buffer || buffer.updating || source.readyState !== "open") return;
    try {
      const end = buffer.buffered.length ? buffer.buffered.end(buffer.buffered.length - 1) : 0;
      const start = buffer.buffered.length ? buffer.buffered.start(0) : 0;
      if (video.currentTime - start > KEEP_S) return void buffer.remove(start, video.currentTime - KEEP_S / 2);
      if (back && !begun && buffer.buffered.length) { begun = true; video.currentTime = start; }
      if (!back && end - video.currentTime > 3) video.currentTime = end - 0.6; // catch up with the present
      if (queue.length) buffer.appendBuffer(queue.shift());
    } catch (error) {
      fail(String(error));
    }
  };
  source.addEventListener("sourceopen", () => {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${base}/video${asked(tour, back)}`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => {
      if (typeof event.data === "string") {
        let said = {};
        try { said = JSON.parse(event.data); } catch { /* a bare codec string */ said = { mime: event.data }; }
        const mime = said.mime || (said.codec ? `video/mp4; codecs="${said.codec}"` : "");
        if (said.error || !mime || !MediaSource.isTypeSupported(mime)) return fail(said.error ? `${said.error} ${said.codec || ""}` : `cannot play ${mime}`);
        buffer = source.addSourceBuffer(mime);
        buffer.mode = "segments";
        buffer.addEventListener("updateend", pump);
        return pump();
      }
      if (!buffer) {
        const mime = sniff(event.data);
        if (!mime || !MediaSource.isTypeSupported(mime)) return fail(`cannot play ${mime || "this stream"}`);
        buffer = source.addSourceBuffer(mime);
        buffer.addEventListener("updateend", pump);
      }
      if (queue.length > (back ? 1500 : 120)) queue.splice(1, queue.length - 60); // newest wins
      queue.push(event.data);
      return pump();
    };
    socket.onclose = () => fail("the stream ended");
    socket.onerror = () => fail("no connection");
  }, { once: true });
  video.addEventListener("playing", () => { clearTimeout(watchdog); watchdog = null; onPlaying(); }, { once: true });
  video.addEventListener("error", () => fail(video.error ? video.error.message : "video error"));
  video.src = URL.createObjectURL(source);
  video.play().catch(() => {});
  return leave;
}

function asked(tour, back) {
  const found = new URLSearchParams();
  if (tour) found.set("tour", tour);
  if (back) found.set("back", String(Math.round(back)));
  return found.size ? `?${found}` : "";
}

/** The codec string from the avcC box of an initialisation segment. */
function sniff(data) {
  const bytes = new Uint8Array(data);
  for (let i = 0; i + 8 < Math.min(bytes.length, 4096); i++) {
    if (bytes[i] === 0x61 && bytes[i + 1] === 0x76 && bytes[i + 2] === 0x63 && bytes[i + 3] === 0x43) {
      const hex = [...bytes.slice(i + 5, i + 8)].map((b) => b.toString(16).padStart(2, "0")).join("");
      return `video/mp4; codecs="avc1.${hex}"`;
    }
  }
  return null;
}
