// One command of a kind of case that is tried: its form; the answers go to the page's callbacks, nothing is stored.
import { h, replace } from "../shared/dom.mjs";
import { ready as wordsReady } from "../shared/i18n.mjs";
import { askCommand } from "./asked.mjs";

/** @param {HTMLElement} root @param {{command: {name: string, title: string, ask: any, form: any}, target: string}} props */
export function mount(root, { command, target }) {
  /** @type {{destroy: () => void} | null} */
  let view = null;
  wordsReady.then(() => {
    const box = h("div", { class: "work-form" });
    replace(root, box);
    view = askCommand(box, command, {
      label: command.title,
      send: async (data) => /** @type {any} */ (window).dash_clientside.set_props(target, { data: { name: command.name, data, at: Date.now() } }),
    });
  });
  return { destroy: () => view?.destroy() };
}
