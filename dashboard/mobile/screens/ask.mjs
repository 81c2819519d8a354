// A command, or a report of any kind, asked with the one form renderer and queued: it works without a network too.
import { renderForm } from "/static/forms/render.mjs";
import { answersOf, asks, dataOf, fitting } from "/static/work/command.mjs";
import { lookups } from "/static/work/lookups.mjs";
import { api, h, language, replace, t, term } from "../base.mjs";
import { prepare, sha256 } from "../queue/files.mjs";
import * as queue from "../queue/index.mjs";
import { targetOf } from "../queue/tus.mjs";
import { app } from "../state.mjs";
import { screen } from "./frame.mjs";
import { put } from "./steps.mjs";

const SIZES = { m: "normal", l: "large", xl: "larger" };
const find = (standing) => lookups(api, { keep: queue.keep, kept: queue.kept, unit: (value, unit) => `${value} ${term("unit", unit)}`, english: language() === "en", standing });

/** Chosen files wait beside the answers that name them; they are sent with the item. */
function keeper() {
  const files = [];
  return {
    files,
    upload: async (file, item) => {
      const target = targetOf(item);
      const made = target === "document" ? { blob: new Blob([file], { type: file.type }), filename: file.name } : await prepare(file); // a document goes as it is
      const id = `file-${api.key()}`;
      files.push({ id, target, blob: made.blob, filename: file.name || made.filename, sha256: await sha256(made.blob) });
      return { id, name: file.name };
    },
  };
}

/** The files that the answers still name: one that was taken out again is not sent. */
const used = (files, data) => { const said = JSON.stringify(data); return files.filter((file) => said.includes(`"${file.id}"`)); };

/** @param {HTMLElement} box @param {any} command @param {{label: string, data?: object, draftKey?: string, standing?: object, send: (data: object, files: any[]) => Promise<any>}} by */
export function ask(box, command, { label, data = {}, draftKey, standing, send }) {
  const properties = command.form?.properties ?? {};
  const kept = keeper();
  return renderForm(box, command.ask, {
    language: language(), submitLabel: label, prefill: fitting(command.ask, answersOf(properties, data)), draftKey, textSize: SIZES[app.settings.size] ?? "normal",
    lookup: find(standing), upload: kept.upload,
    onSubmit: (answers) => { const filled = dataOf(properties, answers); return send(filled, used(kept.files, filled)); },
  });
}
export { asks };

/** The kinds that this person may report; kept for when there is no network. */
async function kinds() {
  const name = `${app.me.user_id}:kinds`;
  try {
    const { items } = await api.get("/api/work/kinds");
    await queue.keep(name, items).catch(() => {});
    return items;
  } catch (error) {
    const kept = await queue.kept(name).catch(() => null);
    if (kept) return kept;
    throw error;
  }
}
const named = (words) => words?.[language()] || words?.zh || "";

/** `#/new`: what may be begun; `#/new/{kind}`: its form. */
export function newScreen(root, kind) {
  const body = h("div", { class: "tasks" }, h("p", { class: "empty" }, t("phone.loading")));
  let view = null;
  let alive = true;
  const undo = screen(root, t("phone.new"), { back: true, tab: "report" }, body);
  kinds().then((items) => {
    if (!alive) return;
    const found = items.find((one) => one.definition_id === kind);
    if (!found) {
      replace(body, items.map((one) => h("a", { class: "card", href: `#/new/${encodeURIComponent(one.definition_id)}`, dataset: { kind: one.definition_id } }, h("b", {}, named(one.name)))));
      return;
    }
    const form = queue.newForm();
    const box = h("div", { class: "ask" });
    replace(body, h("h2", {}, named(found.name)), box);
    view = ask(box, found, {
      label: t("phone.send_report"), draftKey: `${app.me.user_id}/report/${kind}`,
      send: async (data, files) => {
        await put(form, [{ kind: "report", data: { ...data, definition_id: kind }, ...(files.length ? { files } : {}) }]);
        location.hash = "#/";
      },
    });
  }).catch((error) => { if (alive) replace(body, h("p", { class: "error", role: "alert" }, error.text || String(error))); });
  return () => { alive = false; view?.destroy(); undo(); };
}
