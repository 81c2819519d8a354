// The pad that turns a camera: pressed it moves, released it stops; the server stops it after five seconds in any case.
import { t } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";

const WAYS = ["upleft", "up", "upright", "left", "stop", "right", "downleft", "down", "downright", "zoomin", "zoomout"];
const SIGNS = { upleft: "↖", up: "↑", upright: "↗", left: "←", stop: "■", right: "→", downleft: "↙", down: "↓", downright: "↘", zoomin: "+", zoomout: "−" };

/** `onFail(error)`; returns the node and `of(camera)`, which hides it for a camera that cannot be turned. */
export function pad(onFail) {
  /** @type {any} */
  let camera = null;
  let moving = false;
  const presets = h("select", { "aria-label": t("video.preset") });
  const send = (move) => api.post(`/api/cameras/${encodeURIComponent(camera.camera_id)}/ptz`, { move, speed: Number(speed.value) }).catch(onFail);
  const begin = (way) => { moving = way !== "stop"; void send(way); };
  const end = () => { if (moving) { moving = false; void send("stop"); } };
  const speed = h("input", { type: "range", min: "0.1", max: "1", step: "0.1", value: "0.4", "aria-label": t("video.speed"), title: t("video.speed") });
  const key = (event, way) => {
    if (event.repeat || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.stopPropagation();
    begin(way);
  };
  const buttons = WAYS.map((way) => h("button", {
    type: "button", class: "button", "aria-label": t(`video.move.${way}`), title: t(`video.move.${way}`),
    onPointerdown: () => begin(way), onPointerup: end, onPointerleave: end, onPointercancel: end,
    onKeydown: (event) => key(event, way), onKeyup: end, onBlur: end,
  }, SIGNS[way]));
  presets.addEventListener("change", () => {
    if (presets.value) api.post(`/api/cameras/${encodeURIComponent(camera.camera_id)}/presets/${encodeURIComponent(presets.value)}`).catch(onFail);
  });
  const node = h("div", { class: "video-pad", hidden: true, role: "group", "aria-label": t("video.ptz") }, h("div", { class: "video-ways" }, buttons), speed, presets);
  const of = async (next) => {
    if (camera && next && camera.camera_id === next.camera_id) return;
    end();
    camera = next;
    node.hidden = !next || !next.movable;
    replace(presets);
    if (node.hidden) return;
    const answer = await api.get(`/api/cameras/${encodeURIComponent(next.camera_id)}/presets`);
    replace(presets, h("option", { value: "" }, t("video.preset")), answer.items.map((one) => h("option", { value: one.preset }, one.name || one.preset)));
  };
  return { node, of };
}
