// Parties without an account, on desk and phone: who was asked and who has signed; a code with its QR picture for one.
import * as api from "/static/ui/shared/api.mjs";
import { h, replace } from "/static/ui/shared/dom.mjs";
import { full, t } from "/static/ui/shared/i18n.mjs";

/**
 * @param {string} path of the case's interface
 * @param {any[]} parties as `/parties` tells them
 * @returns {HTMLElement | null} null where there are none
 */
export function partyList(path, parties) {
  return parties.length ? h("ul", { class: "work-parties" }, parties.map((party) => line(path, party))) : null;
}

/** @param {string} path @param {any} party @returns {HTMLElement} */
function line(path, party) {
  const place = h("div", { class: "work-code", role: "status" });
  const state = party.answered_at ? t("work.party.signed", { at: full(party.answered_at), name: party.signed_name || party.name })
    : party.asked_at ? t(party.texted ? "work.party.asked" : "work.party.asked_by_code", { at: full(party.asked_at) }) : t("work.party.not_asked");
  const give = async () => {
    try {
      const made = await api.post(`${path}/links`, { purpose: "file", subject_id: party.subject_id });
      const picture = h("img", { class: "qr", alt: made.url, width: 180, height: 180, src: `data:image/svg+xml;utf8,${encodeURIComponent(made.qr_svg)}` });
      replace(place, picture, h("p", {}, h("a", { href: made.url, target: "_blank", rel: "noopener" }, made.url)), h("p", { class: "quiet" }, t("work.party.code_once", { code: made.code })));
    } catch (error) {
      replace(place, h("p", { class: "error", role: "alert" }, /** @type {any} */ (error).text || String(error)));
    }
  };
  return h("li", {}, h("b", {}, party.name), ` ${state} `,
    party.answered_at ? null : h("button", { type: "button", class: "button", dataset: { party: party.subject_id }, onclick: give }, t("work.party.code")), place);
}
