// A workbook is chosen or dropped, sent to the server, and its answer handed to the page's callbacks.
import { h, replace } from "../shared/dom.mjs";
import { upload } from "../shared/api.mjs";
import { t, ready as wordsReady } from "../shared/i18n.mjs";

export function mount(root, { target = "form-import-result" } = {}) {
  wordsReady.then(() => draw(root, target));
  return { destroy: () => {} };
}

function draw(root, target) {
  const input = h("input", { type: "file", id: "form-file", accept: ".xlsx", class: "form-file" });
  const status = h("p", { class: "quiet", role: "status" }, t("forms.import.hint"));
  const zone = h("label", { class: "form-drop", for: "form-file" }, input, h("b", {}, t("forms.import.choose")), status);
  input.addEventListener("change", () => send(input.files[0]));
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    send(event.dataTransfer.files[0]);
  });
  replace(root, zone);

  async function send(file) {
    if (!file) return;
    status.textContent = t("forms.import.reading");
    try {
      const result = await upload(`/api/import/form?name=${encodeURIComponent(file.name)}`, file);
      status.textContent = t(result.draft ? "forms.import.done" : "forms.import.refused", { name: file.name });
      window.dash_clientside.set_props(target, { data: { ...result, blocked: !result.draft, at: Date.now() } });
    } catch (error) {
      status.textContent = error.text || String(error);
    }
    input.value = "";
  }
}
