// A new case of one kind: its form, kept as a draft on this device while it is typed and on the server when wanted.
import * as api from "../shared/api.mjs";
import { h, replace } from "../shared/dom.mjs";
import { language, ready as wordsReady, t } from "../shared/i18n.mjs";
import { askCommand } from "./asked.mjs";

export function mount(root, { definition_id: kind, draft_id: draft }) {
  let view = null;
  let alive = true;
  wordsReady.then(() => draw(root, kind, draft)).then((made) => { if (alive) view = made; else made?.destroy(); });
  return { destroy: () => { alive = false; view?.destroy(); } };
}

async function draw(root, kind, draft) {
  const note = h("p", { class: "quiet", role: "status" });
  const box = h("div", { class: "work-form" });
  const fail = (error) => { note.className = "error"; note.textContent = error.text || String(error); };
  replace(root, box, note);
  try {
    const [{ items }, me, drafts] = await Promise.all([api.get("/api/work/kinds"), api.me(), draft ? api.get("/api/work/drafts") : { items: [] }]);
    const found = items.find((one) => one.definition_id === kind);
    if (!found) { replace(root, h("p", { class: "error", role: "alert" }, t("work.not_for_you"))); return null; }
    let saved = draft ? drafts.items.find((one) => one.draft_id === draft) : null;
    const key = api.key();
    const view = askCommand(box, found, {
      label: t("work.send"), data: saved?.data, draftKey: saved ? undefined : `${me.user_id}/report/${kind}`,
      send: async (data) => {
        const made = await api.post("/api/cases", { ...data, definition_id: kind, idempotency_key: key });
        if (saved) await api.remove(`/api/work/drafts/${encodeURIComponent(saved.draft_id)}`).catch(() => {});
        location.assign(`/work/${encodeURIComponent(made.case_id)}`);
      },
    });
    const keep = h("button", { type: "button", class: "button", dataset: { do: "draft" }, onClick: async () => {
      try {
        saved = await api.post("/api/work/drafts", { definition_id: kind, data: view.data(), draft_id: saved?.draft_id ?? null });
        note.className = "quiet";
        note.textContent = t("work.draft_saved");
      } catch (error) { fail(error); }
    } }, t("work.save_draft"));
    replace(root, h("h1", {}, found.name[language()] || found.name.zh), box, h("p", { class: "command-row" }, keep), note);
    return view;
  } catch (error) {
    fail(error);
    return null;
  }
}
