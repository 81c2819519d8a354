// A code for the visit: whoever is visited reads by it who came, from where and why (twelve hours).
import { api, full, h, replace, t } from "../base.mjs";
import { screen } from "./frame.mjs";

export function siteScreen(root) {
  const place = h("input", { name: "place", required: true, maxlength: "120" });
  const matter = h("input", { name: "matter", required: true, maxlength: "120" });
  const message = h("p", { class: "error", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "big primary", dataset: { send: "site" } }, t("phone.site_make"));
  const shown = h("div", { class: "report", "aria-live": "polite" });
  const form = h("form", { class: "report" }, h("p", { class: "soft" }, t("phone.site_about")), h("label", {}, t("phone.site_place"), place), h("label", {}, t("phone.site_matter"), matter), message, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    message.hidden = true;
    try {
      const made = await api.post("/api/me/site-codes", { place: place.value.trim(), matter: matter.value.trim() });
      replace(shown, h("img", { class: "qr", alt: t("phone.site_code"), src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(made.qr_svg)}` }), h("p", { class: "code" }, made.code),
        h("p", { class: "soft" }, made.url), h("p", { class: "soft" }, t("phone.valid_until", { time: full(made.link.until) })));
    } catch (error) {
      message.hidden = false;
      message.textContent = error.text || String(error);
    } finally {
      button.disabled = false;
    }
  });
  return screen(root, t("phone.site_code"), { back: true, tab: "" }, form, shown);
}
