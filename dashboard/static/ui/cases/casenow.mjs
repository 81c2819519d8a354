// The tab "Now": video or still, the live curve, cameras of the site and within 200 m, cases around.
import { t, caseTitle, full, term, named } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { mark } from "../shared/severity.mjs";
import { aroundOf, still } from "../wall/media.mjs";
import { metres, seenText } from "../wall/focus.mjs";
import { evidence } from "./evidence.mjs";
import { cameraView } from "./video.mjs";
import { lookFromAbove } from "./fromabove.mjs";
import { valueOf } from "./values.mjs";
import { curve, escalationText, levelText, marks, quantityText, trendText } from "./livevalue.mjs";

const FIRST = 3;

/** Draws into `root`; returns how to leave. */
export function showNow(root, detail) {
  const c = detail.case;
  const video = h("div", { class: "video-slot" });
  const live = h("section", { class: "now-live" });
  const cameras = h("section", { class: "now-cameras" });
  const cases = h("section", { class: "now-cases" });
  const above = h("section", { class: "now-above" });
  let leaveVideo = null;
  let all = false;
  let shownCamera = null;
  const watch = (id) => {
    if (shownCamera === id) return;
    shownCamera = id;
    if (leaveVideo) leaveVideo();
    leaveVideo = cameraView(video, id);
  };
  const drawLive = () => {
    const value = valueOf(c.case_id);
    if (!value || value.value === null) return void replace(live);
    replace(live, h("div", { class: "now-live-head" }, h("h3", {}, quantityText(value)), h("span", {}, [trendText(value), levelText(value)].filter(Boolean).join(" · "))),
      curve(value, 400, 110), marks(value), value.escalations.slice(-1).map((step) => h("p", { class: "escalated" }, escalationText(step))));
  };
  const drawAround = (near) => {
    const shown = all ? near.cameras : near.cameras.slice(0, FIRST);
    replace(cameras, h("div", { class: "now-head" }, h("h3", {}, t("now.cameras")), near.cameras.length > FIRST ? h("button", { type: "button", class: "link", onClick: () => { all = !all; drawAround(near); } }, all ? t("now.fewer") : t("now.all", { n: near.cameras.length })) : null),
      near.cameras.length ? h("div", { class: "now-stills" }, shown.map((camera) => {
        const image = h("img", { src: still(camera.camera_id, 10000), alt: "", loading: "lazy" });
        image.addEventListener("error", () => { image.hidden = true; });
        return h("button", { type: "button", class: "still", onClick: () => watch(camera.camera_id) }, h("span", { class: "still-box" }, image, icon("camera", 20)), h("b", {}, named(camera)),
          h("small", {}, [camera.distance_m === null ? "" : metres(camera.distance_m), seenText(camera)].filter(Boolean).join(" · ")));
      })) : h("p", { class: "quiet" }, t("now.no_cameras")));
    replace(cases, [["near", near.near], ["alike", near.alike.filter((a) => !near.near.some((b) => b.case_id === a.case_id))], ["earlier", near.earlier]].filter(([, items]) => items.length).map(([name, items]) => [
      h("h3", {}, t(`now.${name}`, { n: items.length })), h("ul", { class: "related" }, items.slice(0, 6).map((item) => h("li", {}, h("button", { type: "button", class: `case-link s${item.severity}`, onClick: () => store.select({ type: "case", id: item.case_id, item }, { fly: true }) },
        mark(item.severity, "1.2em", t(`severity.${item.severity}`)), h("b", {}, caseTitle(item)), h("span", { class: "quiet" }, item.distance_m === null ? "" : metres(item.distance_m)), h("small", {}, `${term("state", item.state)} · ${full(item.opened_at)}`)))))]));
  };
  if (c.source_type === "camera") watch(c.source_id);
  aroundOf(c.case_id).then((near) => {
    if (!root.isConnected) return;
    if (!shownCamera && near.cameras.length) watch(near.cameras[0].camera_id);
    drawAround(near);
  }).catch(() => replace(cameras));
  const shots = evidence(detail.evidence);
  replace(root, detail.evidence?.length ? shots : null, video, live, cameras, above, cases, detail.evidence?.length ? null : shots);
  drawLive();
  lookFromAbove(above, c);
  const stop = store.on("values", drawLive);
  return () => { stop(); if (leaveVideo) leaveVideo(); };
}
