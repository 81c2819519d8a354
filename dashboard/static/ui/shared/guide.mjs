// Guided tours: step by step over a page, by keyboard or touch; what was seen is kept on the server for the person.
import * as api from "./api.mjs";
import { h, icon, replace } from "./dom.mjs";
import { language, t } from "./i18n.mjs";

/** @typedef {{selector: string, zh: {title: string, text: string}, en: {title: string, text: string}}} Step */
/** @typedef {{tour_id: string, zh: string, en: string, seen: boolean, steps: Step[]}} Tour */

const GAP = 8;

/** The tours' own style, once. */
function dress() {
  if (document.querySelector("link[data-guide]")) return;
  document.head.append(h("link", { rel: "stylesheet", href: "/static/css/guide.css", dataset: { guide: "style" } }));
}

/** The tours of the page at `page`. @param {string} page @returns {Promise<Tour[]>} */
export const toursOf = (page) => api.get(`/api/tours${api.query({ page })}`).then((/** @type {any} */ answer) => answer.items);

/** Where the box stands beside a target: below it, else above it, else in the middle; never outside the window.
 * @param {{top: number, bottom: number, left: number}|null} target @param {{width: number, height: number}} box @param {{width: number, height: number}} view */
export function placed(target, box, view) {
  const within = (/** @type {number} */ at, /** @type {number} */ size, /** @type {number} */ most) => Math.max(GAP, Math.min(at, most - size - GAP));
  if (!target) return { left: within((view.width - box.width) / 2, box.width, view.width), top: within((view.height - box.height) / 2, box.height, view.height) };
  const below = target.bottom + GAP;
  const top = below + box.height + GAP <= view.height ? below : target.top - GAP - box.height;
  return { left: within(target.left, box.width, view.width), top: within(top, box.height, view.height) };
}

/** The steps whose element is on the page: rights hide some. @param {Tour} tour @param {ParentNode} [page] */
export const stepsHere = (tour, page = document) => tour.steps.filter((step) => {
  const node = find(step.selector, page);
  return node !== null && node.getClientRects().length > 0;
});

/** @param {string} selector @param {ParentNode} page @returns {Element|null} */
function find(selector, page) {
  try {
    return page.querySelector(selector);
  } catch {
    return null; // a selector of the city's that no browser understands
  }
}

/** Show a tour; resolves when it was seen to its end or skipped. @param {Tour} tour @returns {Promise<"seen"|"skipped">} */
export function run(tour) {
  dress();
  const steps = stepsHere(tour);
  const before = /** @type {HTMLElement|null} */ (document.activeElement);
  return new Promise((resolve) => {
    let at = 0;
    const ring = h("div", { class: "guide-ring", "aria-hidden": "true" });
    const title = h("h2", { id: "guide-title", tabindex: "-1" });
    const text = h("p", { id: "guide-text" });
    const count = h("span", { class: "guide-count" });
    const back = h("button", { type: "button", class: "tool button", dataset: { guide: "back" }, onClick: () => go(at - 1) }, t("guide.back"));
    const next = h("button", { type: "button", class: "tool button primary", dataset: { guide: "next" }, onClick: () => go(at + 1) });
    const skip = h("button", { type: "button", class: "tool button", dataset: { guide: "skip" }, onClick: () => end("skipped") }, t("guide.skip"));
    const box = h("div", { class: "guide-box", role: "dialog", "aria-modal": "true", "aria-labelledby": "guide-title", "aria-describedby": "guide-text" }, title, text, h("div", { class: "guide-foot" }, skip, count, back, next));
    const veil = h("div", { class: "guide" }, ring, box);

    const lay = () => {
      const node = steps.length ? find(steps[at].selector, document) : null;
      const rect = node?.getBoundingClientRect() ?? null;
      ring.hidden = !rect;
      if (rect) Object.assign(ring.style, { left: `${rect.left - 4}px`, top: `${rect.top - 4}px`, width: `${rect.width + 8}px`, height: `${rect.height + 8}px` });
      const { left, top } = placed(rect, box.getBoundingClientRect(), { width: window.innerWidth, height: window.innerHeight });
      Object.assign(box.style, { left: `${left}px`, top: `${top}px` });
    };
    const go = (/** @type {number} */ to) => {
      if (to >= Math.max(1, steps.length)) { end("seen"); return; }
      at = Math.max(0, to);
      const said = steps.length ? steps[at][language() === "en" ? "en" : "zh"] : { title: language() === "en" ? tour.en : tour.zh, text: t("guide.nothing") };
      if (steps.length) find(steps[at].selector, document)?.scrollIntoView({ block: "nearest", inline: "nearest" });
      title.textContent = said.title;
      text.textContent = said.text;
      count.textContent = steps.length ? `${at + 1} / ${steps.length}` : "";
      next.textContent = at + 1 >= steps.length ? t("guide.end") : t("guide.next");
      back.disabled = at === 0;
      lay();
      title.focus();
    };
    const key = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") end("skipped");
      else if (event.key === "ArrowRight" || event.key === "PageDown") go(at + 1);
      else if (event.key === "ArrowLeft" || event.key === "PageUp") go(at - 1);
      else if (event.key === "Tab") {
        const stops = [skip, ...(back.disabled ? [] : [back]), next];
        const now = stops.indexOf(/** @type {any} */ (document.activeElement));
        stops[(now + (event.shiftKey ? stops.length - 1 : 1) + (now < 0 && event.shiftKey ? 1 : 0)) % stops.length].focus();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    };
    const end = (/** @type {"seen"|"skipped"} */ how) => {
      document.removeEventListener("keydown", key, true);
      window.removeEventListener("resize", lay);
      window.removeEventListener("scroll", lay, true);
      veil.remove();
      before?.focus?.();
      tour.seen = true;
      api.post(`/api/tours/${encodeURIComponent(tour.tour_id)}/seen`, { skipped: how === "skipped" }).catch((/** @type {any} */ error) => console.info("a tour's end was not kept", error));
      resolve(how);
    };
    document.addEventListener("keydown", key, true);
    window.addEventListener("resize", lay);
    window.addEventListener("scroll", lay, true);
    document.body.append(veil);
    go(0);
  });
}

/** The help of a page: a button that opens its tours and the handbook; a dot while there is a tour that was not seen.
 * @param {string} page @param {(() => void)[]} stops */
export function helpButton(page, stops) {
  dress();
  const box = h("div", { class: "help-box" });
  const dot = h("i", { class: "help-dot", hidden: true });
  const sign = h("summary", { class: "tool", title: t("guide.help"), "aria-label": t("guide.help") }, h("b", { "aria-hidden": "true" }, "?"), dot);
  const node = h("details", { class: "more help" }, sign, box);
  const draw = (/** @type {Tour[]} */ tours) => {
    const unseen = tours.some((tour) => !tour.seen);
    dot.hidden = !unseen;
    sign.setAttribute("aria-label", unseen ? `${t("guide.help")} · ${t("guide.unseen")}` : t("guide.help"));
    replace(box, tours.map((tour) => h("button", { type: "button", class: "tool", dataset: { tour: tour.tour_id }, onClick: async () => { node.open = false; await run(tour); draw(tours); sign.focus(); } }, icon("play", 14), language() === "en" ? tour.en : tour.zh)),
      h("a", { class: "tool", href: "/handbook" }, t("guide.handbook")));
  };
  draw([]);
  toursOf(page).then(draw).catch(() => {});
  const away = (/** @type {Event} */ event) => { if (!node.contains(/** @type {Node} */ (event.target))) node.open = false; };
  document.addEventListener("click", away);
  stops.push(() => document.removeEventListener("click", away));
  return node;
}
