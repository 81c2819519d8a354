// One case: what was seen, why it is here, who has it, what may be done now.
import { t, said, caseTitle, term, full, short, span, number, language } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { whySteps } from "./why.mjs";
import { commandForm } from "./forms.mjs";
import { cameraView } from "./video.mjs";
import { records } from "./records.mjs";
import { clockLine } from "./derivation.mjs";

export function showCase(root, selection) {
  let alive = true;
  let leaveVideo = null;
  let version = -1;
  const load = async () => {
    try {
      const detail = await api.get(`/api/cases/${encodeURIComponent(selection.id)}`);
      if (!alive) return;
      if (detail.case.version === version) return;
      version = detail.case.version;
      store.put(detail.case);
      const scroll = root.scrollTop;
      const parts = openParts(root);
      if (leaveVideo) leaveVideo();
      leaveVideo = draw(root, detail, load);
      for (const node of root.querySelectorAll(":scope > details.section")) node.open = parts.get(node.firstChild.textContent) ?? node.open;
      root.scrollTop = scroll;
      root.dataset.case = selection.id;
    } catch (error) {
      if (!alive) return;
      if (error.status === 0 || error.status >= 500) setTimeout(() => { if (alive) load(); }, 5000); // nobody should have to press
      replace(root, head(t("case.unknown")), h("div", { class: "list-state error" }, icon("alarm", 26), h("p", {}, error.text || String(error)),
        h("button", { type: "button", class: "button", onClick: () => { version = -1; load(); } }, t("act.retry"))));
    }
  };
  replace(root, head(t("case.loading")), h("div", { class: "skeleton tall" }), h("div", { class: "skeleton" }), h("div", { class: "skeleton" }));
  load();
  const stop = store.on("case", ({ item }) => {
    if (item.case_id !== selection.id || item.version === version) return;
    if (root.querySelector("dialog[open], .command-form")) root.classList.add("outdated"); // never pull a form from under a hand
    else load();
  });
  return () => { alive = false; stop(); if (leaveVideo) leaveVideo(); };
}

/** Which parts are open: what somebody opened stays open when the case moves on. */
const openParts = (root) => new Map([...root.querySelectorAll(":scope > details.section")].map((node) => [node.firstChild.textContent, node.open]));

export function head(title, extra) {
  return h("div", { class: "panel-head" }, h("h2", { title }, title), extra,
    h("button", { type: "button", class: "tool", "aria-label": t("act.close"), title: t("act.close"), onClick: () => store.select(null) }, icon("close", 18)));
}

function draw(root, detail, reload) {
  const c = detail.case;
  const video = h("div", { class: "video-slot" });
  const cameraId = c.source_type === "camera" ? c.source_id : null;
  const leave = cameraId ? cameraView(video, cameraId) : null;
  replace(root,
    head(caseTitle(c), h("span", { class: `badge s${c.severity}` }, t(`severity.${c.severity}`))),
    caseTitle(c) === c.title ? null : h("p", { class: "quiet original-title" }, c.title),
    h("div", { class: "case-number" }, c.number, h("span", { class: `chip st-${c.state}` }, term("state", c.state)), due(c)),
    stages(c),
    evidence(detail.evidence),
    h("div", { class: "command-slot" }, commands(detail, reload)),
    facts(c),
    cameraId ? section(t("case.camera"), video, true) : null,
    section(t("case.why"), whySteps(detail), true),
    section(t("case.assignments"), assignments(detail.assignments), true),
    section(t("case.timeline"), timeline(detail.transitions), true),
    detail.clocks?.length ? section(t("case.clocks"), clocks(detail.clocks), false) : null,
    related(t("case.children"), detail.children),
    related(t("case.merged"), detail.merged),
    records(detail, reload),
  );
  return leave;
}

export function section(title, body, open) {
  return h("details", { class: "section", open }, h("summary", {}, title), body);
}

function due(c) {
  if (!c.open || !c.deadline_at) return null;
  const node = h("span", { class: "case-due" });
  const left = Date.parse(c.deadline_at) - store.now();
  node.className = `case-due ${left < 0 ? "late" : left < 900000 ? "soon" : ""}`;
  node.textContent = left < 0 ? t("cases.overdue", { span: span(left) }) : t("cases.left", { span: span(left) });
  node.title = full(c.deadline_at);
  return node;
}

const STAGES = ["collect", "register", "dispatch", "handle", "feedback", "check", "evaluate"];
function stages(c) {
  if (!STAGES.includes(c.stage)) return h("p", { class: "stage-name" }, term("stage", c.stage));
  const at = STAGES.indexOf(c.stage);
  return h("ol", { class: "stages", "aria-label": t("case.stages") }, STAGES.map((name, i) =>
    h("li", { class: i < at || !c.open ? "done" : i === at ? "now" : "", "aria-current": i === at ? "step" : undefined }, h("i"), h("span", {}, t(`stage.${name}`)))));
}

function evidence(items) {
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

function facts(c) {
  const rows = [
    [t("fact.place"), store.placeOf(c)], [t("fact.division"), c.division_name], [t("fact.grid"), c.grid_code],
    [t("fact.department"), store.departmentOf(c)], [t("fact.handler"), c.handler_name], [t("fact.opened"), full(c.opened_at)],
    [t("fact.deadline"), c.deadline_at ? full(c.deadline_at) : null], [t("fact.class"), c.class_code ? `${c.class_code} (${c.class_version || "2013"})` : null],
    [t("fact.kind"), c.kind ? term("kind", c.kind) : null], [t("fact.confidence"), typeof c.confidence === "number" ? `${number(c.confidence * 100, 0)} %` : null],
    [t("fact.source"), c.source_type ? `${term("source", c.source_type)} ${c.source_id || ""}` : null],
  ].filter(([, value]) => value);
  return h("div", {}, c.description ? h("p", { class: "description" }, said(c.description)) : null,
    h("dl", { class: "facts" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}

function assignments(items) {
  if (!items?.length) return h("p", { class: "quiet" }, t("case.no_assignment"));
  return h("ul", { class: "assignments" }, items.map((a) => h("li", {},
    h("b", {}, store.departmentOf(a)), h("span", { class: "chip" }, term("role", a.role)), h("span", { class: `chip st-${a.state}` }, term("state", a.state)),
    h("small", {}, [a.user_name, a.duty, a.deadline_at ? t("case.until", { time: short(a.deadline_at) }) : null].filter(Boolean).join(" · ")))));
}

function timeline(items) {
  return h("ol", { class: "timeline" }, [...(items || [])].reverse().map((tr) => h("li", {},
    h("time", {}, full(tr.at)), h("b", {}, term("command", tr.command)), h("span", {}, tr.actor_id === "system" ? t("actor.system") : tr.actor_name || tr.actor_id),
    tr.to_state ? h("span", { class: "chip" }, term("state", tr.to_state)) : null,
    tr.reason ? h("p", {}, tr.reason) : null)));
}

function clocks(items) {
  return h("div", { class: "clocks" }, items.map((k) => h("div", { class: "clock-card" },
    h("b", {}, term("clock", k.kind)), h("span", {}, `${number(k.limit_value)} ${term("unit", k.limit_unit)}`),
    h("span", {}, k.deadline_at ? full(k.deadline_at) : t("case.suspended")),
    h("ol", {}, (k.derivation || []).map((line) => h("li", {}, clockLine(line)))))));
}

function related(title, items) {
  if (!items?.length) return null;
  return section(title, h("ul", { class: "related" }, items.map((c) => h("li", {},
    h("a", { href: `/cases/${c.case_id}`, onClick: (e) => { e.preventDefault(); store.select({ type: "case", id: c.case_id }, { fly: true }); } }, `${c.number} ${caseTitle(c)}`)))), true);
}

// What moves the case on comes first; what ends it otherwise stands apart, in red.
const FORWARD = new Set(["verify", "register", "dispatch", "accept", "finish", "send_check", "check_pass", "close", "resume", "approve_extension"]);
const RARE = new Set(["force_close", "cancel", "reject"]);
const ORDER = [...FORWARD, "urge", "transfer", "rework", "return", "refuse", "suspend", "request_extension", "refuse_extension", "comment", "merge", "unmerge", "split", "attach", "reopen"];

function commands(detail, reload) {
  const slot = h("div", { class: "commands" });
  const allowed = detail.allowed || [];
  if (!allowed.length) return h("p", { class: "quiet" }, detail.case.open ? t("case.nothing_allowed") : t("case.is_closed"));
  const label = (command) => command.label?.[language()] || term("command", command.name);
  const open = (command) => {
    const form = commandForm(command, label(command), detail.case, (changed) => {
      slot.querySelector(".command-form")?.remove();
      if (changed) { store.put(changed); reload(); }
    });
    slot.querySelector(".command-form")?.remove();
    slot.append(form);
    form.querySelector("input, textarea, select, button")?.focus();
  };
  const rank = (c) => { const at = ORDER.indexOf(c.name); return at < 0 ? 50 : at; };
  const sorted = [...allowed].sort((a, b) => rank(a) - rank(b));
  const first = sorted.filter((c) => !RARE.has(c.name)).slice(0, 4);
  const rest = sorted.filter((c) => !first.includes(c));
  const button = (command) => h("button", {
    type: "button", class: `button ${FORWARD.has(command.name) ? "primary" : ""} ${RARE.has(command.name) ? "danger" : ""}`, dataset: { command: command.name }, onClick: () => open(command),
  }, label(command));
  slot.append(h("div", { class: "command-row" }, first.map(button),
    rest.length ? h("details", { class: "more-commands" }, h("summary", { class: "button" }, t("case.more")), h("div", {}, rest.map(button))) : null));
  return slot;
}
