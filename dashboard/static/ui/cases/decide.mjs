// What may be done with a case: the four decisions first (keys 1–4), then what moves it on, then the rest.
import { t, term, language } from "../shared/i18n.mjs";
import { h, icon } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import * as alarm from "../wall/alarm.mjs";
import { unconfirmed } from "./rank.mjs";

const NOT_SHOWN = new Set(["confirm"]);

/** Which command carries a decision now: the first of these that is allowed; what is real is registered at once, so that the next key dispatches it. */
const CARRIES = { real: ["register", "verify", "confirm"], false: ["reject", "cancel"], transfer: ["transfer", "dispatch"], urge: ["urge"] };
/** @type {[string, number, string][]} name, key on the keyboard, icon */
const DECISIONS = [["real", 1, "check"], ["false", 2, "ban"], ["transfer", 3, "arrow"], ["urge", 4, "bell"]];

/** The commands of a case; `reload` after one went through. */
export function decide(detail, reload) {
  const slot = h("div", { class: "commands" });
  const allowed = detail.allowed || [];
  const said = h("p", { class: "form-error", role: "alert", hidden: true });
  if (!allowed.length) return { node: h("p", { class: "quiet" }, detail.case.open ? t("case.nothing_allowed") : t("case.is_closed")), press: () => {} };
  const find = (name) => (name === "real" || name === "false") && !unconfirmed(detail.case) ? undefined : CARRIES[name].map((n) => allowed.find((c) => c.name === n)).find(Boolean);
  const label = (command) => command.label?.[language()] || term("command", command.name);
  /** @type {any} */
  let asked = null;
  const open = async (command) => {
    asked?.destroy();
    slot.querySelector(".command-form")?.remove();
    const box = h("div", { class: "command-form" });
    slot.append(box);
    const id = detail.case.case_id;
    const path = `/api/cases/${encodeURIComponent(id)}`;
    const key = api.key(); // of this opened form: pressed twice it is sent once
    const [{ askCommand }, { suggested }] = await Promise.all([import("../work/asked.mjs"), import("/static/work/suggested.mjs")]); // the wall needs no form until one is opened
    const data = await suggested(api.get, path, command, detail).catch(() => ({}));
    asked = askCommand(box, command, {
      label: label(command), data, standing: detail.why?.standing,
      send: async (filled) => {
        const changed = await api.post(`${path}/commands`, { name: command.name, expected_version: detail.case.version, idempotency_key: key, data: filled });
        asked.destroy();
        box.remove();
        store.put(changed.case || changed);
        reload();
      },
    });
    box.querySelector("input, textarea, select, button")?.focus();
  };
  const send = async (command, data, undo) => {
    try {
      const changed = await api.post(`/api/cases/${encodeURIComponent(detail.case.case_id)}/commands`, { name: command.name, expected_version: detail.case.version, idempotency_key: api.key(), data });
      const loud = alarm.ringing().find((a) => a.case_id === detail.case.case_id);
      if (loud) await alarm.acknowledge(loud).catch(() => {}); // who judged it has seen it
      store.put(changed.case || changed);
      store.emit("notice", { kind: "client", severity: 1, title: t(undo ? "decide.was_false" : "decide.was_real", { number: detail.case.number }), undo: undo ? () => reopen(changed.case || changed) : null });
      reload();
    } catch (error) {
      said.hidden = false;
      said.textContent = error.text || String(error);
    }
  };
  const run = {
    real: (command) => send(command, {}, false),
    false: (command) => send(command, { reason: t("decide.false_reason"), false_alarm: true }, true),
    transfer: open,
    urge: open,
  };
  const buttons = DECISIONS.map(([name, key, mark]) => {
    const command = find(name);
    if (!command) return null;
    return h("button", { type: "button", class: `button decide-${name}${name === "real" ? " primary" : ""}`, dataset: { decide: name, command: ["transfer", "urge"].includes(name) ? command.name : `decide-${name}` }, onClick: () => run[name](command) }, icon(mark, 16), t(`decide.${name}`), h("kbd", {}, key));
  });
  const taken = new Set(["transfer", "urge"].map((name) => find(name)?.name));
  const sorted = allowed.filter((c) => !taken.has(c.name) && !NOT_SHOWN.has(c.name)); // what moves the case on comes first
  const first = sorted.filter((c) => c.forward).slice(0, 3);
  const rest = sorted.filter((c) => !first.includes(c));
  const button = (command) => h("button", { type: "button", class: `button ${command.rare ? "danger" : ""}`, dataset: { command: command.name }, onClick: () => open(command) }, label(command));
  slot.append(h("div", { class: "decide-row" }, buttons), h("div", { class: "command-row" }, first.map(button),
    rest.length ? h("details", { class: "more-commands" }, h("summary", { class: "button" }, t("case.more")), h("div", {}, rest.map(button))) : null), said);
  return { node: slot, press: (key) => slot.querySelector(`[data-decide="${DECISIONS[key - 1][0]}"]`)?.click() };
}

async function reopen(changed) {
  try {
    store.put(await api.post(`/api/cases/${encodeURIComponent(changed.case_id)}/commands`, { name: "reopen", expected_version: changed.version, idempotency_key: api.key(), data: { reason: t("decide.undo_reason") } }));
    store.select({ type: "case", id: changed.case_id });
  } catch (error) {
    store.emit("notice", { kind: "client", severity: 2, title: error.text || String(error) });
  }
}
