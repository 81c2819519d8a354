// One case: what it is, what to do next, where it lies, what happened.
import { api, caseTitle, full, h, language, replace, t, term, kindTerm } from "../base.mjs";
import { keptDetail, loadDetail, locate } from "../actions.mjs";
import { app, on } from "../state.mjs";
import { screen } from "./frame.mjs";
import { actions } from "./steps.mjs";
import { nameOf, place, remaining, severity } from "./cards.mjs";
import { mediaOf, queueBox } from "./waiting.mjs";
import { where } from "./where.mjs";

export function taskScreen(root, id) {
  let alive = true;
  const body = h("div", { class: "task" }, h("p", { class: "empty" }, t("phone.loading")));
  const box = queueBox();
  const undo = screen(root, t("phone.task"), { back: true }, box.node, body);
  const load = async () => {
    const known = await keptDetail(id);
    if (known && alive) draw(body, known);
    try {
      const fresh = await loadDetail(id);
      // Never pull a photograph or a word that was begun from under a hand.
      const same = known === fresh || (known && known.case.version === fresh.case.version && known.allowed?.length === fresh.allowed?.length);
      if (alive && !same && !body.dataset.begun) draw(body, fresh);
    } catch (error) {
      if (alive && !known) replace(body, h("p", { class: "error", role: "alert" }, error.text || String(error)));
    }
  };
  load();
  loadWords(id, body);
  locate().then(() => { if (alive) body.querySelector(".where")?.dispatchEvent(new Event("place")); });
  const again = on("tasks", async () => {
    const known = app.details.get(id);
    if (alive && known && !body.dataset.begun && Number(body.dataset.version) !== known.case.version) draw(body, known);
  });
  return () => { alive = false; undo(); again(); box.stop(); };
}

/** What everybody wrote, under the kind's own names; without a network it is left out. */
async function loadWords(id, body) {
  const path = `/api/cases/${encodeURIComponent(id)}`;
  const [said, parties] = await Promise.all([api.get(`${path}/words`).catch(() => null), partiesOf(path)]);
  if (!said?.items.length && !said?.documents.length && !parties) return;
  const named = (words) => words?.[language()] || words?.zh || "";
  body.words = h("div", {}, h("dl", {}, (said?.items || []).map((word) => [h("dt", {}, named(word.title)), h("dd", {}, named(word.text))])),
    said?.documents.length ? h("ul", { class: "documents", "aria-label": t("work.documents") }, said.documents.map((doc) => h("li", {},
      h("a", { href: `${path}/documents/${encodeURIComponent(doc.document_id)}`, download: "" }, doc.name || named(doc.type_name)),
      h("span", { class: "soft" }, ` ${named(doc.type_name)} · ${t("work.version", { n: doc.version })}`)))) : null,
    parties);
  const slot = body.querySelector(".words");
  if (slot) replace(slot, body.words);
}

/** Parties without an account, as the desk shows them: the code and its QR picture are asked for here too. */
async function partiesOf(path) {
  const { items } = await api.get(`${path}/parties`).catch(() => ({ items: [] }));
  if (!items.length) return null;
  const { partyList } = await import("/static/work/parties.mjs");
  return h("section", { class: "parties" }, h("h3", {}, t("work.parties")), partyList(path, items));
}

function draw(body, detail) {
  const c = detail.case;
  body.dataset.version = c.version;
  const picture = mediaOf(detail);
  replace(body,
    h("div", { class: `head ${severity(c)}` }, h("h2", {}, caseTitle(c)), caseTitle(c) === c.title ? null : h("span", { class: "soft" }, `${c.title} `), h("span", { class: "soft" }, c.number),
      h("span", { class: "line" }, h("span", { class: "chip" }, kindTerm(c, "state", c.state)), h("span", { class: "chip" }, t(`severity.${c.severity}`)), remaining(c))),
    actions(detail, body, () => draw(body, detail)),
    picture ? h("img", { class: "photo", src: picture, alt: t("purpose.finding"), loading: "lazy", onError: (e) => { e.target.hidden = true; } }) : null,
    where(c),
    h("dl", {}, [[t("fact.place"), place(c)], [t("fact.grid"), c.grid_code], [t("fact.opened"), full(c.opened_at)], [t("fact.deadline"), c.deadline_at ? full(c.deadline_at) : null],
      [t("fact.department"), nameOf(c, "department_name")], [t("field.comment"), c.description]].filter(([, v]) => v).map(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])),
    h("section", { class: "words", dataset: { words: c.case_id } }, body.words || null),
    evidence(detail),
    h("details", { open: true }, h("summary", {}, t("case.timeline")), h("ol", { class: "moves" }, [...(detail.transitions || [])].reverse().map((m) => move(c, m)))));
}

const whose = (m) => (["system", "outside"].includes(m.actor_id) ? t(`phone.by_${m.actor_id}`) : m.actor_name || m.actor_id);

/** When it was done stands first; when it arrived beside it, if that differs. */
function move(c, m) {
  const recorded = m.data?.recorded;
  const believed = recorded && ["as_told", "corrected"].includes(recorded.clock);
  const late = believed && Math.abs(Date.parse(m.at) - Date.parse(recorded.at)) > 90000;
  return h("li", {}, h("b", {}, kindTerm(c, "command", m.command)), ` ${whose(m)}`,
    h("time", {}, late ? t("phone.done_arrived", { done: full(recorded.at), arrived: full(m.at) }) : full(m.at)),
    recorded?.distance_m != null ? h("span", { class: "soft" }, t("phone.from_place", { m: Math.round(recorded.distance_m) })) : null,
    recorded && !believed && recorded.told_at ? h("p", { class: "soft" }, t("phone.clock_not_believed", { told: full(recorded.told_at) })) : null,
    m.reason ? h("p", {}, m.reason) : m.data?.comment ? h("p", {}, m.data.comment) : null);
}

function evidence(detail) {
  const files = (detail.evidence || []).filter((e) => /^(image|video)\//.test(e.media_type) && e.kind !== "annotated");
  if (!files.length) return null;
  return h("details", {}, h("summary", {}, t("phone.files", { n: files.length })), h("div", { class: "files" }, files.map((e) => h("figure", {},
    e.media_type.startsWith("video/") ? h("video", { src: e.url, controls: true, preload: "none" }) : h("img", { src: e.url, alt: term("purpose", e.purpose), loading: "lazy" }),
    h("figcaption", {}, `${term("purpose", e.purpose)} · ${full(e.taken_at)}`)))));
}

