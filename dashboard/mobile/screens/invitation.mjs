// First time here: the one-time code of an invitation, and one's own password.
import { api, h, replace, t } from "../base.mjs";
import { signedIn } from "../actions.mjs";
import { refusedPassword } from "./login.mjs";

export function invitationScreen(root, given = "") {
  const code = h("input", { name: "code", required: true, autocomplete: "one-time-code", autocapitalize: "characters", value: given });
  const fresh = h("input", { name: "new_password", type: "password", autocomplete: "new-password", required: true, minlength: "10" });
  const again = h("input", { name: "again", type: "password", autocomplete: "new-password", required: true });
  const message = h("p", { class: "error", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "big primary" }, t("phone.begin"));
  const form = h("form", { class: "login" }, h("h1", {}, t("phone.invitation")), h("p", { class: "soft" }, t("phone.password_hint")), h("label", {}, t("phone.code"), code),
    h("label", {}, t("phone.new_password"), fresh), h("label", {}, t("phone.again"), again), message, button, h("a", { class: "flat", href: "#/" }, t("phone.back")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    message.hidden = fresh.value === again.value;
    message.textContent = t("phone.not_equal");
    if (!message.hidden) return;
    button.disabled = true;
    try {
      const answer = await api.post("/api/invitations/redeem", { code: code.value, password: fresh.value });
      const session = await api.post("/api/login", { login: answer.login, password: fresh.value });
      api.setToken(session.csrf_token);
      await signedIn(session.user);
      location.hash = "#/";
    } catch (error) {
      message.hidden = false;
      message.textContent = refusedPassword(error);
    } finally {
      button.disabled = false;
    }
  });
  replace(root, h("main", {}, form));
  return null;
}
