// Supervision campaigns on the phone: the visit list, one check-list a place; queued, also without a network.
import { renderForm } from "/static/forms/render.mjs";
import { api, h, language, replace, t } from "../base.mjs";
import * as queue from "../queue/index.mjs";
import { keepSealed, keptSealed } from "../queue/sealed.mjs";
import { app } from "../state.mjs";
import { screen } from "./frame.mjs";
import { put } from "./steps.mjs";
import { queueBox } from "./waiting.mjs";

const SIZES = /** @type {Record<string, "normal"|"large"|"larger">} */ ({ m: "normal", l: "large", xl: "larger" });
/** @param {any} one */
const titled = (one) => (language() === "en" ? one.en || one.zh : one.zh);

/** An answer, or without a network the one that was kept last. @param {string} path @returns {Promise<any>} */
async function read(path) {
  const name = `${app.me.user_id}:${path}`;
  try {
    const answer = await api.get(path);
    await keepSealed(name, answer).catch(() => {});
    return answer;
  } catch (error) {
    const kept = error.status === 0 || error.status === 401 || error.status >= 500 ? await keptSealed(name) : null;
    if (kept) return kept;
    throw error;
  }
}

/** `#/campaigns`: the open ones; `…/{campaign}`: its places; `…/{campaign}/{visit}`: the check-list. @param {HTMLElement} root @param {string} id */
export function campaignsScreen(root, id) {
  const body = h("div", { class: "tasks" }, h("p", { class: "empty" }, t("phone.loading")));
  const box = queueBox();
  const [campaign, visit] = id.split("/");
  let view = /** @type {any} */ (null);
  let alive = true;
  const drawn = async () => {
    const found = campaign ? await read(`/api/campaigns/${encodeURIComponent(campaign)}`) : await read("/api/campaigns");
    const waiting = new Set((await queue.waiting()).filter((item) => item.kind === "campaign" && queue.isMine(item, app.me)).map((item) => item.visit_id));
    if (!alive) return;
    if (!campaign) {
      const open = found.items.filter((/** @type {any} */ one) => one.state === "open");
      replace(body, open.length ? open.map(card) : h("p", { class: "empty" }, t("phone.campaigns_none")));
      open.forEach((/** @type {any} */ one) => { read(`/api/campaigns/${encodeURIComponent(one.campaign_id)}`).catch(() => {}); }); // at hand when the network goes
      return;
    }
    const line = visit ? found.visits.find((/** @type {any} */ one) => one.visit_id === visit) : null;
    if (line) view = checklist(body, found, line);
    else places(body, found, waiting);
  };
  drawn().catch((/** @type {any} */ error) => { if (alive) replace(body, h("p", { class: "error", role: "alert" }, error.text || String(error))); });
  const again = queue.onChange(() => { if (alive && !view) drawn().catch(() => {}); }); // what waited has been sent
  const undo = screen(root, t("phone.campaigns"), { back: true, tab: "" }, box.node, body);
  return () => { alive = false; view?.destroy(); again(); box.stop(); undo(); };
}

/** @param {any} one */
const card = (one) => h("a", { class: "card", href: `#/campaigns/${encodeURIComponent(one.campaign_id)}`, dataset: { campaign: one.campaign_id } }, h("b", {}, titled(one)),
  h("span", { class: "soft" }, `${t("phone.filing_due", { day: one.due })} · ${one.report.visited}/${one.report.planned}`));

/** @param {HTMLElement} body @param {any} found @param {Set<string>} waiting */
function places(body, found, waiting) {
  const rank = (/** @type {any} */ one) => (one.state === "planned" && !waiting.has(one.visit_id) ? 0 : 1);
  const rows = [...found.visits].sort((a, b) => rank(a) - rank(b));
  replace(body, h("div", { class: "head" }, h("h2", {}, titled(found)), h("p", { class: "soft" }, `${found.report.visited}/${found.report.planned}`)), rows.map((one) => {
    const state = waiting.has(one.visit_id) ? t("phone.visit_waits") : t(`phone.campaign_${one.state}`);
    const inside = [h("b", {}, one.name), h("span", { class: "soft" }, one.address), h("span", { class: "chip" }, state)];
    return rank(one) === 0 ? h("a", { class: "card", href: `#/campaigns/${encodeURIComponent(found.campaign_id)}/${encodeURIComponent(one.visit_id)}`, dataset: { visit: one.visit_id } }, inside) : h("section", { class: "card" }, inside);
  }));
}

/** @param {HTMLElement} body @param {any} found @param {any} line */
function checklist(body, found, line) {
  const key = queue.newForm();
  const place = h("div", { class: "ask" });
  replace(body, h("div", { class: "head" }, h("h2", {}, line.name), h("p", { class: "soft" }, `${titled(found)} · ${line.address}`)), place);
  return renderForm(place, { form: found.form }, {
    language: language(), textSize: SIZES[app.settings.size] ?? "normal", submitLabel: t("phone.keep_and_send"), draftKey: `${app.me.user_id}/campaign/${line.visit_id}`,
    onSubmit: async (/** @type {Record<string, any>} */ answers) => {
      await put(key, [{ kind: "campaign", campaign_id: found.campaign_id, visit_id: line.visit_id, title: `${titled(found)} · ${line.name}`, data: answers }]);
      location.hash = `#/campaigns/${encodeURIComponent(found.campaign_id)}`;
    },
  });
}
