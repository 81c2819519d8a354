// What waits to be sent, whose it is, and what a person has to decide.
import { api, full, h, replace, short, t, term, caseTitle, has } from "../base.mjs";
import { keptDetail, loadDetail, stepBack } from "../actions.mjs";
import * as queue from "../queue/index.mjs";
import { choicesOf, partsOf } from "../queue/items.mjs";
import { app, on } from "../state.mjs";

const what = (item) => (item.kind === "filing" || item.kind === "campaign" ? t(`phone.did_${item.kind}`) : term("command", item.name || (item.kind === "photo" ? "attach" : item.kind)));

/** A box that keeps itself up to date; `stop` undoes that. */
export function queueBox() {
  const node = h("div", { class: "queue-place" });
  let alive = true;
  const draw = async () => {
    const { mine, others } = await queue.summary(app.me);
    const cards = await Promise.all(mine.filter((i) => i.state === "refused").map((i) => conflict(i, partsOf(mine, i))));
    if (!alive) return;
    const waiting = mine.length - cards.length;
    replace(node,
      waiting ? h("div", { class: "queue", role: "status" }, h("b", {}, t("phone.waiting", { n: waiting }))) : null,
      cards.length ? h("div", { class: "queue bad", role: "status" }, h("b", {}, t("phone.failed", { n: cards.length })), cards) : null,
      others.map((o) => h("div", { class: "queue other", role: "status" }, t("phone.of_another", { n: o.count, name: o.name || t("phone.somebody"), since: short(o.since) }))));
  };
  draw();
  const undo = [queue.onChange(draw), on("tasks", draw)];
  return { node, stop: () => { alive = false; undo.forEach((fn) => fn()); } };
}

/** What the server said, in the reader's words. */
function problemText(problem) {
  const body = problem?.body || {};
  if (problem?.code === "file_refused") return t(has(`phone.file_${kindCode(body)}`) ? `phone.file_${kindCode(body)}` : "phone.file_unknown");
  if (has(`phone.refused_${problem?.code}`)) return t(`phone.refused_${problem.code}`, { ...body, by: body.moved_by_name, command: term("command", body.by_command), at: full(body.moved_at) });
  return problem?.text || "";
}
const kindCode = (body) => (body.media_type === "image/heic" ? "heic" : body.media_type === "image/avif" ? "avif" : body.media_type === "audio/mp4" ? "sound" : body.reason || "unknown");

const looked = new Set();
/** The case as the centre has it, read once for each refusal; without a network as it was kept. */
async function asItIsNow(item) {
  if (!app.online || looked.has(item.key)) return keptDetail(item.case_id).catch(() => null);
  looked.add(item.key);
  stepBack(item.case_id);
  return loadDetail(item.case_id).catch(() => keptDetail(item.case_id).catch(() => null));
}

const WORDS = {
  anyway: ["phone.send_anyway", "primary", "phone.send_anyway_about"], record: ["phone.keep_record", "", "phone.keep_record_about"], discard: ["phone.discard_mine", "quiet", ""],
};

/** A choice's button; what throws photographs away asks once more, with their number. */
function choice(item, name, photos) {
  const [words, style, about] = WORDS[name];
  const label = h("span", {}, t(item.kind === "report" && name === "anyway" ? "phone.send_again" : words));
  let sure = name !== "discard" || !photos;
  return h("button", { type: "button", class: `big ${style}`, dataset: { choice: name }, onClick: (event) => {
    if (!sure) { sure = true; label.textContent = t("phone.discard_sure", { n: photos }); event.currentTarget.className = "big bad"; return; }
    event.currentTarget.disabled = true;
    queue.decide(item.key, name);
  } }, label, about && item.case_id ? h("small", {}, t(about)) : null);
}

const pictures = (items) => items.filter((i) => i.blob && /^image\//.test(i.blob.type)).map((i) => h("img", { src: URL.createObjectURL(i.blob), alt: t("phone.photo") }));

/** One refused item: case, who, what, when on both sides, and the choice; `parts` are the photographs that wait for a report. */
async function conflict(item, parts) {
  const detail = item.case_id ? await asItIsNow(item) : null;
  const moves = detail ? [...(detail.transitions || [])].filter((m) => m.actor_id !== app.me.user_id && m.from_state !== m.to_state) : [];
  const last = moves[moves.length - 1];
  const side = (title, rows, extra) => h("div", { class: "side" }, h("h3", {}, title), extra, h("dl", {}, rows.filter(([, v]) => v).map(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])));
  const ours = side(t("phone.yours"), [[t("phone.who"), item.owner.name], [t("phone.what"), what(item)], [t("phone.done_at"), full(item.done_at)], [t("field.comment"), item.data?.comment || item.data?.reason || item.data?.title]],
    pictures([item, ...parts]));
  const body = item.problem?.body || {};
  const theirs = last || body.moved_by_name ? side(t("phone.centres"), [[t("phone.who"), body.moved_by_name || (last?.actor_id === "system" ? t("phone.by_system") : last?.actor_name)], [t("phone.what"), term("command", body.by_command || last?.command)], [t("phone.when"), full(body.moved_at || last?.at)],
    [t("phone.now"), term("state", body.state || detail?.case.state)]]) : null;
  const photos = parts.length + (item.blob ? 1 : 0) + (item.files?.length || 0);
  return h("section", { class: "conflict", dataset: { key: item.key } },
    h("h2", {}, detail ? caseTitle(detail.case) : item.data?.title || item.title || what(item)), detail ? h("p", { class: "soft" }, detail.case.number) : null,
    h("p", {}, problemText(item.problem)), h("div", { class: "sides" }, ours, theirs),
    choicesOf(item).map((name) => choice(item, name, photos)));
}

export const mediaOf = (detail) => {
  const picture = (detail.evidence || []).find((e) => e.kind === "annotated") || (detail.evidence || []).find((e) => /^image\//.test(e.media_type));
  return picture ? api.mediaUrl(picture) : null;
};
