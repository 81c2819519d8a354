// One command to the files that were chosen in the list; each answers for itself.
import * as api from "../shared/api.mjs";
import { h, replace } from "../shared/dom.mjs";
import { ready as wordsReady, t } from "../shared/i18n.mjs";
import { askCommand } from "./asked.mjs";

export function mount(root, { command, cases }) {
  let view = null;
  const key = api.key();
  wordsReady.then(() => {
    const box = h("div", { class: "work-form" });
    const said = h("div", { role: "status" });
    replace(root, box, said);
    view = askCommand(box, command, {
      label: t("work.batch_send", { command: command.title, n: cases.length }),
      send: async (data) => {
        const { items } = await api.post("/api/work/batch", { name: command.name, case_ids: cases.map((one) => one.case_id), data, idempotency_key: key });
        const bad = items.filter((one) => !one.ok);
        const number = (id) => cases.find((one) => one.case_id === id)?.number ?? id;
        replace(said, h("p", {}, t("work.batch_done", { n: items.length - bad.length })), h("ul", {}, bad.map((one) => h("li", { class: "error" }, `${number(one.case_id)}: ${one.error.message}`))));
        box.hidden = true;
        window.dash_clientside.set_props("work-again", { data: Date.now() });
      },
    });
  });
  return { destroy: () => view?.destroy() };
}
