// One command of a case, or a report, asked with the one form renderer and sent.
import { renderForm } from "/static/forms/render.mjs";
import { answersOf, dataOf, fitting } from "/static/work/command.mjs";
import { lookups } from "/static/work/lookups.mjs";
import { targetOf, upload } from "/m/queue/tus.mjs";
import * as api from "../shared/api.mjs";
import { h } from "../shared/dom.mjs";
import { language, t, term } from "../shared/i18n.mjs";

const find = (standing) => lookups(api, { unit: (value, unit) => `${value} ${term("unit", unit)}`, english: language() === "en", standing });

/** A file of a form: sent at once, taken by the case when the form is. */
const sent = async (file, item) => ({ id: await upload(file, { key: api.key(), facts: { filename: file.name, target: targetOf(item) } }, { raw: api.raw }), name: file.name });

/**
 * @param {HTMLElement} box
 * @param {{ask: any, form: any}} command  as the server tells it
 * @param {{label: string, data?: object, draftKey?: string, standing?: object, send: (data: object) => Promise<any>}} by
 */
export function askCommand(box, command, { label, data = {}, draftKey, standing, send }) {
  const properties = command.form?.properties ?? {};
  const values = fitting(command.ask, answersOf(properties, data));
  const view = renderForm(box, command.ask, {
    language: language(), submitLabel: label, prefill: values, draftKey, lookup: find(standing), upload: sent,
    onSubmit: (answers) => send(dataOf(properties, answers)),
  });
  return { ...view, destroy: () => view.destroy(), data: () => dataOf(properties, view.values()), root: view.root };
}

/**
 * The commands of a case as buttons, the one that moves it on first; the chosen one's form stands below.
 * @param {any} detail  answer of GET /api/cases/{id}
 * @param {{done: (changed: any) => void, begin?: (command: any) => Promise<object>}} by
 */
export function commandBar(detail, { done, begin = async () => ({}) }) {
  const c = detail.case;
  const slot = h("div", { class: "command-form work-form", hidden: true });
  const label = (command) => command.label?.[language()] || term("command", command.name);
  let asked = null;
  const open = async (command, button) => {
    asked?.destroy();
    for (const other of bar.querySelectorAll("[data-command]")) other.setAttribute("aria-expanded", String(other === button));
    const key = api.key(); // of this opened form: pressed twice it is sent once
    slot.hidden = false;
    const data = await begin(command).catch(() => ({}));
    asked = askCommand(slot, command, {
      label: label(command), data, standing: detail.why?.standing,
      send: async (filled) => {
        const changed = await api.post(`/api/cases/${encodeURIComponent(c.case_id)}/commands`, { name: command.name, expected_version: c.version, idempotency_key: key, data: filled });
        slot.hidden = true;
        done(changed.case || changed);
      },
    });
    slot.querySelector("input, textarea, select, button")?.focus();
  };
  const allowed = detail.allowed || [];
  const button = (command, first) => h("button", { type: "button", class: `button${first ? " primary" : ""}${command.rare ? " danger" : ""}`, "aria-expanded": "false", dataset: { command: command.name }, onClick: (event) => open(command, event.currentTarget) }, label(command));
  const usual = allowed.filter((command) => !command.rare);
  const rare = allowed.filter((command) => command.rare);
  const bar = h("div", { class: "command-row" }, usual.map((command, at) => button(command, at === 0 && command.forward)),
    rare.length ? h("details", { class: "more-commands" }, h("summary", { class: "button" }, t("case.more")), h("div", {}, rare.map((command) => button(command, false)))) : null);
  const none = allowed.length ? null : h("p", { class: "quiet" }, c.open ? t("case.nothing_allowed") : t("case.is_closed"));
  return { node: h("div", { class: "commands" }, none || bar, slot), busy: () => !slot.hidden };
}
