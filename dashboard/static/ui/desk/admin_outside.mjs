// Administration, what goes out: channels and subscribers, keys of other platforms; and who changed what.
import { t, term, full } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import { table, formDialog, failure, loading, toast } from "./kit.mjs";

/** A secret that is shown this once. */
export function showOnce(title, name, secret) {
  const dialog = h("dialog", {}, h("h2", {}, title), h("p", {}, name), h("code", { class: "big-code" }, secret),
    h("div", { class: "command-row" }, h("button", { type: "button", class: "button primary", onClick: () => dialog.close() }, t("act.close"))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

export function interfaces(body) {
  const first = h("section", { class: "stack" }, loading());
  const second = h("section", { class: "stack" }, loading());
  body.append(first, second);
  channels(first);
  keys(second);
}

const receiverName = (r) => (r.topic === "webhook" ? `${t("channel.event")} · ${r.name}` : [term("channel", r.name.split(":")[0]), r.name.split(":")[1]].filter(Boolean).join(" · "));

async function channels(place) {
  const load = () => channels(place);
  try {
    const { items, quiet_hours: quiet } = await api.get("/api/channels");
    replace(place, h("div", { class: "toolbar" }, h("h2", {}, t("admin.channels")), h("button", { type: "button", class: "button", onClick: load }, t("act.refresh"))), table([
      { title: t("admin.receiver"), cell: (r) => h("b", {}, receiverName(r)) },
      { title: t("fact.state"), cell: (r) => h("span", { class: `chip ${r.attempts || r.given_up ? "cam-offline" : "cam-online"}` }, r.attempts || r.given_up ? t("admin.fails") : t("admin.works")) },
      { title: t("admin.waiting"), number: true, key: "waiting" }, { title: t("admin.held"), number: true, key: "held" },
      { title: t("admin.failures"), number: true, key: "attempts" }, { title: t("admin.given_up"), number: true, key: "given_up" },
      { title: t("admin.last_sent"), cell: (r) => full(r.last_at) }, { title: t("admin.error"), cell: (r) => h("span", { class: "warn-text" }, r.error || "") },
    ], items, { id: (r) => r.receiver }),
    h("p", { class: "quiet" }, t("admin.quiet_hours", { begins: quiet.begins || "22:00", ends: quiet.ends || "07:00", level: t(`severity.${quiet.below_severity || 3}`) }), " · ", t("admin.channels_note")));
  } catch (error) {
    replace(place, failure(error, load));
  }
}

async function keys(place) {
  const load = () => keys(place);
  const make = async () => {
    const made = await formDialog(t("admin.new_key"), [{ name: "name", title: t("admin.key_name"), required: true }, { name: "login", title: t("admin.key_user"), required: true }], async (v) => {
      const found = (await api.get(`/api/users${api.query({ q: v.login, limit: 200 })}`)).items.find((u) => u.login === v.login);
      if (!found) throw new Error(t("admin.no_user"));
      return api.post("/api/keys", { name: v.name, user_id: found.user_id });
    });
    if (made?.key) showOnce(t("admin.key_once"), made.name, made.key);
    if (made) load();
  };
  const revoke = async (key) => {
    if (!confirm(t("admin.really_revoke", { name: key.name }))) return;
    await api.remove(`/api/keys/${encodeURIComponent(key.name)}`).catch((error) => toast(error.text, 3));
    load();
  };
  try {
    const { items } = await api.get("/api/keys");
    replace(place, h("div", { class: "toolbar" }, h("h2", {}, t("admin.keys")), h("button", { type: "button", class: "button primary", dataset: { do: "new-key" }, onClick: make }, t("admin.new_key"))), table([
      { title: t("admin.key_name"), cell: (k) => h("b", {}, k.name) }, { title: t("admin.scope"), key: "scope" }, { title: t("login.name"), key: "login" }, { title: t("admin.made"), cell: (k) => full(k.created_at) },
      { title: "", cell: (k) => (k.revoked_at ? h("span", { class: "quiet" }, t("admin.revoked", { time: full(k.revoked_at) })) : h("button", { type: "button", class: "tool", onClick: () => revoke(k) }, t("admin.revoke"))) },
    ], items, { id: (k) => k.name, empty: t("admin.no_keys") }));
  } catch (error) {
    replace(place, failure(error, load));
  }
}

/** Who changed accounts, rules, plans, rosters and keys: the system's own chain, newest first. */
export function audit(body) {
  const list = h("div", {}, loading());
  const more = h("button", { type: "button", class: "button", hidden: true }, t("admin.more"));
  body.append(list, more);
  let items = [];
  const load = async (before) => {
    try {
      const answer = await api.get(`/api/audit${api.query({ limit: 100, before })}`);
      items = [...items, ...answer.items];
      replace(list, table([
        { title: t("admin.when"), cell: (e) => full(e.at) }, { title: t("admin.who"), cell: (e) => (e.actor_id === "system" ? t("actor.system") : e.actor_name) },
        { title: t("admin.what"), cell: (e) => h("b", {}, term("audit", e.action)) }, { title: t("admin.payload"), cell: (e) => h("details", {}, h("summary", {}, t("admin.show")), h("pre", {}, JSON.stringify(e.body, null, 1))) },
        { title: "", cell: (e) => h("code", { title: e.hash }, e.hash.slice(0, 12)) },
      ], items, { id: (e) => String(e.seq) }));
      more.hidden = !answer.next;
      more.onclick = () => load(answer.next);
    } catch (error) {
      replace(list, failure(error, () => load(before)));
    }
  };
  load();
}
