// An application's form at the counter: the one renderer; what is submitted goes to a store of the page.
import { renderForm } from "/static/forms/render.mjs";
import { replace } from "../shared/dom.mjs";
import { language, ready as wordsReady } from "../shared/i18n.mjs";

/**
 * @param {HTMLElement} root
 * @param {{form: any, prefill?: Record<string, any>, target: string, submit?: string}} props
 */
export function mount(root, props) {
  /** @type {{destroy: () => void}} */
  const made = { destroy: () => {} };
  wordsReady.then(() => {
    const box = document.createElement("div");
    box.className = "counter-form";
    replace(root, box);
    const view = renderForm(box, props.form, {
      language: language(),
      prefill: props.prefill ?? {},
      submitLabel: props.submit,
      onSubmit: async (/** @type {Record<string, any>} */ answers) => {
        /** @type {any} */ (window).dash_clientside.set_props(props.target, { data: { answers, at: Date.now() } });
      },
    });
    made.destroy = () => view.destroy();
  });
  return { destroy: () => made.destroy() };
}
