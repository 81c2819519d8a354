// The wall's right side: one case in full, turning every 15 s among the gravest; an alarm stops the turning.
import { t, caseTitle, full, number, kindTerm, term, named, has } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { mark } from "../shared/severity.mjs";
import { countdown } from "../cases/rank.mjs";
import { reasons } from "../cases/reasons.mjs";
import { valueOf, want } from "../cases/values.mjs";
import { curve, escalationText, levelText, marks, quantityText, trendText, unitText, valueNode, valueText } from "../cases/livevalue.mjs";
import * as alarm from "./alarm.mjs";
import { acknowledgedText } from "./alarmbar.mjs";
import { urgent } from "./decisions.mjs";
import { aroundOf, detailOf, pictureOf, still } from "./media.mjs";

const TURN_S = 15;
const AMONG = 3;

let focused = null; // the case that the wall looks at
export const focus = () => focused;

/** The words of a reason (codes with values). */
export function reasonText(r) {
  const unit = unitText(r.unit);
  const value = (v) => `${valueText(v)}\u2009${unit}`;
  if (r.code === "rule") { const [zh, en] = r.name.split(" / "); return t("reason.rule", { name: named({ name: zh, name_en: en }) }); }
  if (r.code === "seen") return t(r.confidence === null ? "reason.seen" : "reason.seen_sure", { kind: term("kind", r.kind), percent: r.confidence === null ? "" : number(r.confidence * 100, 0) });
  return t(`reason.${r.code}`, { ...r, value: r.value === undefined ? "" : value(r.value), limit: r.limit === undefined ? "" : value(r.limit), change: r.change === undefined ? "" : value(Math.abs(r.change)), to: r.to ? t(`severity.${r.to}`) : "" });
}

export function focusCard(root, stops) {
  const body = h("div", { class: "focus-body" });
  const turn = h("span", { class: "focus-turn" });
  const chip = h("span", { class: "focus-chip" });
  replace(root, h("div", { class: "focus-head" }, chip, turn), body);
  let at = 0;
  let left = TURN_S;
  let shownId = "";
  let drawn = "";
  const among = () => {
    const loud = alarm.ringingIds();
    const items = urgent();
    return (loud.size ? items.filter((c) => loud.has(c.case_id)) : items).slice(0, AMONG);
  };
  const pinned = () => (store.state.selection?.type === "case" ? store.state.cases.get(store.state.selection.id) : null);
  const draw = async () => {
    if (document.documentElement.dataset.layout !== "wall") return void want("focus", []);
    const items = among();
    at = items.length ? at % items.length : 0;
    const item = pinned() || items[at] || null;
    const id = item?.case_id || "";
    chip.classList.toggle("calm", !alarm.ringing().length);
    replace(chip, icon("alarm", "1em"), pinned() ? t("focus.pinned") : t("focus.of", { n: items.length ? at + 1 : 0, all: items.length }));
    turn.textContent = pinned() ? t("focus.held") : alarm.ringing().length ? t("focus.alarm") : items.length > 1 ? t("focus.next", { s: left }) : "";
    if (focused !== id) { focused = id; store.emit("focus", id || null); }
    want("focus", id ? [id] : []);
    if (!item) { shownId = ""; drawn = ""; return void replace(body, h("div", { class: "list-state" }, icon("check", 34), h("p", {}, t("focus.none")))); }
    const live = valueOf(id);
    const key = `${id}:${item.version}:${live?.at}:${live?.value}:${JSON.stringify(alarm.alarmOf(id))}`;
    if (key === drawn) return;
    drawn = key;
    const [detail, picture] = await Promise.all([detailOf(id).catch(() => null), pictureOf(id)]);
    if (focused !== id) return;
    fill(body, item, detail, live, picture, shownId !== id);
    shownId = id;
  };
  const timer = setInterval(() => {
    left -= 1;
    if (left <= 0) { left = TURN_S; if (!pinned()) at += 1; }
    draw();
    const clock = body.querySelector(".focus-left");
    const item = store.state.cases.get(focused);
    if (clock && item?.deadline_at) clock.textContent = leftText(item);
  }, 1000);
  stops.push(() => clearInterval(timer), () => want("focus", []), ...["cases", "values", "layout", "select"].map((name) => store.on(name, draw)),
    store.on("alarms", () => { if (alarm.ringing().length) { at = 0; left = TURN_S; } draw(); }));
  draw();
}

function leftText(item) {
  const c = countdown(Date.parse(item.deadline_at) - store.now());
  return c.days ? t("clock.days", { n: c.days }) : c.text;
}

function fill(body, item, detail, live, picture, fresh) {
  const told = alarm.alarmOf(item.case_id);
  const why = detail ? reasons(detail, live) : [];
  const shot = h("figure", { class: "focus-shot" });
  if (picture) {
    const image = h("img", { src: picture.src, alt: caseTitle(item) });
    image.addEventListener("error", () => shot.classList.add("broken"));
    shot.append(image, h("figcaption", {}, h("span", {}, icon("camera", "1em"), picture.camera ? named(picture.camera) : t("focus.evidence")), h("span", {}, picture.evidence ? full(picture.evidence.taken_at) : t("camera.still"))));
  } else shot.append(h("div", { class: "no-picture" }, icon("camera", 22), t("case.no_picture")));
  const last = live?.escalations?.[live.escalations.length - 1];
  replace(body,
    h("h2", { class: `focus-title s${item.severity}${fresh ? " fresh" : ""}` }, mark(item.severity, "1.3em", t(`severity.${item.severity}`)), h("span", {}, caseTitle(item))),
    h("p", { class: "focus-sub" }, [item.number, store.divisionOf(item), store.placeOf(item)].filter(Boolean).join("\u2002")), shot,
    live && live.value !== null ? h("section", { class: `focus-live s${item.severity}` },
      h("div", { class: "focus-live-head" }, h("span", {}, quantityText(live)), valueNode(live, true), h("div", { class: "focus-trend" }, h("b", {}, trendText(live)), h("small", {}, levelText(live)))),
      curve(live, 380, 110), marks(live), last ? h("p", { class: "escalated" }, escalationText(last)) : null) : null,
    why.length ? h("section", { class: "focus-why" }, h("h3", {}, t("focus.why")), h("ol", {}, why.map((r) => h("li", {}, reasonText(r))))) : null,
    h("section", { class: "focus-next" }, h("div", {}, h("b", {}, icon("play", ".9em"), t("focus.step", { what: nextText(item) })), item.deadline_at ? h("b", { class: "focus-left" }, leftText(item)) : null),
      h("small", {}, store.departmentOf(item) || t("cases.no_department"))),
    told?.acknowledged_at ? h("p", { class: "focus-ack" }, icon("check", "1.1em"), acknowledgedText(told)) : null,
    detail?.assignments?.length ? h("section", { class: "focus-forces" }, h("h3", {}, t("focus.forces"), h("span", {}, t("focus.taken", { n: detail.assignments.filter((a) => a.accepted_at).length, all: detail.assignments.length }))),
      h("ul", {}, detail.assignments.slice(0, 4).map((a) => h("li", {}, h("span", {}, store.departmentOf(a)), h("small", {}, a.user_name || a.duty || ""), h("b", {}, term("state", a.state)))))) : null);
}

/** What happens next, by the state: words of ours for the usual ones, the state's name for a city's own. */
export const nextText = (item) => (has(`next.${item.state}`) ? t(`next.${item.state}`) : kindTerm(item, "state", item.state));

/** Six live stills of the cameras nearest to the focus, below the map. */
export function stills(root, stops) {
  let id = null;
  const draw = async () => {
    const wall = document.documentElement.dataset.layout === "wall";
    if (!wall || !id) return void replace(root);
    const mine = id;
    const near = await aroundOf(mine).catch(() => null);
    if (mine !== id) return;
    const seen = (c) => Number(c.state === "online"); // what can be looked at first, then by distance
    const cameras = [...(near?.cameras || [])].sort((a, b) => seen(b) - seen(a)).slice(0, 6);
    root.hidden = !cameras.length;
    replace(root, cameras.map((c) => {
      const image = h("img", { src: still(c.camera_id), alt: named(c) });
      const tile = h("button", { type: "button", class: `still${c.own ? " own" : ""}`, onClick: () => store.select({ type: "camera", id: c.camera_id }) }, h("span", { class: "still-box" }, image, icon("camera", 20)), h("b", {}, named(c)),
        h("small", {}, [c.distance_m === null ? "" : metres(c.distance_m), seenText(c)].filter(Boolean).join(" · ")));
      image.addEventListener("error", () => { image.hidden = true; tile.classList.add("dark"); });
      image.addEventListener("load", () => { image.hidden = false; tile.classList.remove("dark"); if (c.state !== "online") tile.lastChild.textContent = [c.distance_m === null ? "" : metres(c.distance_m), t("camera.still")].filter(Boolean).join(" · "); });
      return tile;
    }));
  };
  const again = setInterval(() => root.querySelectorAll("img").forEach((image) => { image.src = image.src.replace(/t=\d+/, `t=${Math.floor(Date.now() / 5000)}`); }), 5000);
  stops.push(() => clearInterval(again), store.on("focus", (next) => { id = next; draw(); }), store.on("layout", draw));
}

export const metres = (m) => (m >= 1000 ? `${number(m / 1000, 1)}\u2009km` : `${Math.round(m)}\u2009m`);

/** "2 s ago", "never seen", or what is wrong. */
export function seenText(camera) {
  if (camera.state === "never" || (camera.state === "unknown" && !camera.seen_at)) return t("camstate.never");
  if (camera.state !== "online") return term("camstate", camera.state);
  const ago = camera.seen_at ? Math.max(0, (store.now() - Date.parse(camera.seen_at)) / 1000) : null;
  return ago === null || ago < 120 ? t("camstate.online") : t("cases.ago", { span: t("span.m", { m: Math.round(ago / 60) }) });
}
