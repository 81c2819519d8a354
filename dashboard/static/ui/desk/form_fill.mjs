// A form filled in to try it: the server evaluates what would be submitted; nothing is stored.
import { renderForm } from "/static/forms/render.mjs";
import { get, post } from "../shared/api.mjs";
import { h, replace } from "../shared/dom.mjs";
import { language, t, ready as wordsReady } from "../shared/i18n.mjs";

export function mount(root, props) {
  const stop = { destroy: () => {} };
  wordsReady.then(() => draw(root, props)).then((view) => { if (view) stop.destroy = () => view.destroy(); });
  return { destroy: () => stop.destroy() };
}

async function draw(root, { form_id: formId, version }) {
  const path = `/api/forms/${encodeURIComponent(formId)}/versions/${version}`;
  const box = h("div", { class: "form-try" });
  const result = h("div", { class: "form-result", role: "status" });
  replace(root, box, result);
  let given;
  try {
    given = await get(`${path}/fill`);
  } catch (error) {
    replace(root, h("p", { class: "error" }, error.text || String(error)));
    return null;
  }
  return renderForm(box, given, {
    language: language(),
    onSubmit: async (answers) => {
      const state = await post(`${path}/evaluate`, { answers });
      replace(result, h("h2", {}, t("forms.try.result")), state.errors.length ? h("p", { class: "error" }, JSON.stringify(state.errors)) : null,
        h("pre", { class: "form-json" }, JSON.stringify(state.submitted, null, 2)));
    },
    upload: async (file) => ({ id: `try-${file.name}`, name: file.name }),
  });
}
