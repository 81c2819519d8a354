// An attempt at an exam on the desk; the store `target` is told when it has ended.
import { runExam } from "/static/work/exam.mjs";
import * as api from "../shared/api.mjs";
import { h, replace } from "../shared/dom.mjs";
import { language, t, ready as wordsReady } from "../shared/i18n.mjs";

/** @param {HTMLElement} root @param {{attempt: any, target: string}} props */
export function mount(root, props) {
  const made = { destroy: () => {} };
  wordsReady.then(() => {
    const box = document.createElement("div");
    box.className = "exam";
    replace(root, box);
    const ended = () => /** @type {any} */ (window).dash_clientside.set_props(props.target, { data: Date.now() });
    made.destroy = runExam(box, props.attempt, { h, replace, t, language: language(), api, ended }).destroy;
  });
  return { destroy: () => made.destroy() };
}
