// The pictures and clips of a case: clean and annotated, one large, the others small.
import { t, term, full } from "../shared/i18n.mjs";
import { h, icon } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";

/** Draws the evidence; a place holder where there is none. */
export function evidence(items) {
  const pictures = (items || []).filter((e) => /^image\//.test(e.media_type));
  const clips = (items || []).filter((e) => /^video\//.test(e.media_type));
  if (!pictures.length && !clips.length) return h("div", { class: "no-picture" }, icon("camera", 22), t("case.no_picture"));
  // Clean and annotated pictures of one moment are one place with a switch.
  const shots = [];
  for (const e of pictures) {
    const pair = e.kind === "annotated" || e.kind === "snapshot"
      ? shots.find((s) => s.purpose === e.purpose && Math.abs(s.at - Date.parse(e.taken_at)) < 1500 && !s[e.kind]) : null;
    if (pair) pair[e.kind] = e;
    else shots.push({ at: Date.parse(e.taken_at), purpose: e.purpose, [e.kind === "annotated" ? "annotated" : "snapshot"]: e });
  }
  let current = shots[0];
  let marked = Boolean(current?.annotated);
  const picture = h("img", { alt: "", class: "shot" });
  const caption = h("figcaption", {});
  const sw = h("button", { type: "button", class: "tool shot-switch", onClick: () => { marked = !marked; show(); } });
  const thumbs = h("div", { class: "thumbs" });
  const show = () => {
    if (!current) return;
    const item = (marked && current.annotated) || current.snapshot || current.annotated;
    picture.src = api.mediaUrl(item);
    picture.alt = `${term("purpose", item.purpose)} ${full(item.taken_at)}`;
    caption.textContent = `${term("purpose", item.purpose)} · ${full(item.taken_at)}`;
    sw.hidden = !(current.annotated && current.snapshot);
    sw.textContent = item.kind === "annotated" ? t("case.clean") : t("case.annotated");
    for (const [i, thumb] of [...thumbs.children].entries()) thumb.setAttribute("aria-pressed", String(shots[i] === current));
  };
  if (shots.length > 1) {
    thumbs.append(...shots.map((s) => h("button", { type: "button", onClick: () => { current = s; marked = Boolean(s.annotated); show(); } },
      h("img", { src: api.mediaUrl(s.annotated || s.snapshot), alt: term("purpose", s.purpose), loading: "lazy" }), h("span", {}, term("purpose", s.purpose)))));
  }
  picture.addEventListener("error", () => { picture.classList.add("broken"); caption.textContent = t("case.picture_failed"); });
  picture.addEventListener("click", () => zoomed(picture.src, picture.alt));
  show();
  return h("div", { class: "evidence" },
    shots.length ? h("figure", {}, picture, sw, caption) : null, thumbs.children.length ? thumbs : null,
    clips.map((clip) => h("video", { controls: true, preload: "metadata", src: api.mediaUrl(clip), class: "clip" })));
}

function zoomed(src, alt) {
  const dialog = h("dialog", { class: "zoom", onClick: () => dialog.close() }, h("img", { src, alt }));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
