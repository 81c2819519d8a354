// Log in, log in again over whatever is on the screen, choose one's own password.
import { api, h, has, icon, language, replace, setLanguage, short, t } from "../base.mjs";
import { signedIn } from "../actions.mjs";
import * as queue from "../queue/index.mjs";
import { app } from "../state.mjs";

export const languageButton = () => h("button", { type: "button", class: "flat", onClick: () => { setLanguage(language() === "zh" ? "en" : "zh"); location.reload(); } },
  icon("globe", 18), language() === "zh" ? "English" : "中文");

/** Why a password was not taken, in the reader's words. */
export const refusedPassword = (error) => (has(`phone.password_${error.body?.reason}`) ? t(`phone.password_${error.body.reason}`) : error.text || String(error));
const said = (error) => (error.status === 401 ? t("login.wrong") : error.status === 429 ? t("login.slow_down") : error.text || String(error));

export function loginScreen(root) {
  const waiting = h("div", {});
  queue.summary(null).then(({ others }) => replace(waiting, others.map((o) => h("p", { class: "queue other", role: "status" }, t("phone.of_another", { n: o.count, name: o.name || t("phone.somebody"), since: short(o.since) })))));
  replace(root, h("main", {}, loginForm({}, (user, password) => (user.must_change_password ? passwordScreen(root, user, password) : signedIn(user))), waiting));
  return null;
}

/** The form; `done(user, password)`. */
function loginForm({ login: given = "", head = true }, done) {
  const login = h("input", { name: "login", autocomplete: "username", required: true, inputmode: "text", autocapitalize: "none", value: given });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const code = h("input", { name: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: "12" });
  const second = h("label", { hidden: true }, t("login.code"), code);
  const message = h("p", { class: "error", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "big primary" }, t("login.submit"));
  const form = h("form", { class: "login" }, head ? [h("img", { src: "/static/icon.svg", alt: "", width: "72", height: "72" }), h("h1", {}, t("app.name")), h("p", { class: "soft" }, t("phone.title"))] : h("h2", {}, t("phone.session_ended")),
    h("label", {}, t("login.name"), login), h("label", {}, t("login.password"), password), second, message, button,
    head ? h("a", { class: "flat", href: "#/invitation" }, t("phone.have_code")) : null, head ? languageButton() : null);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    message.hidden = true;
    try {
      const answer = await api.post("/api/login", { login: login.value.trim(), password: password.value, ...(code.value ? { code: code.value.replace(/\s/g, "") } : {}) });
      api.setToken(answer.csrf_token);
      await done(answer.user, password.value);
    } catch (error) {
      if (error.code === "second_factor_required" && second.hidden) { second.hidden = false; code.focus(); return; }
      message.hidden = false;
      message.textContent = said(error);
    } finally {
      button.disabled = false;
    }
  });
  return form;
}

/** The session ended while something was on the screen: sign in over it, and go on. */
export function signInAgain() {
  const box = h("dialog", { class: "sheet" });
  const form = loginForm({ login: app.me?.login || "", head: false }, async (user, password) => {
    const same = user.user_id === app.me?.user_id;
    if (user.must_change_password) { box.close(); passwordScreen(document.getElementById("app"), user, password); return; }
    box.close();
    app.expired = false;
    await signedIn(user);
    if (!same) location.hash = "#/";
  });
  box.append(form, h("button", { type: "button", class: "flat", onClick: () => box.close() }, t("act.close")));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}

/** A new password, with the session that is there already; `old` is known right after the log-in. */
export function passwordScreen(root, user, old = "") {
  const before = old ? null : h("input", { name: "old_password", type: "password", autocomplete: "current-password", required: true });
  const fresh = h("input", { name: "new_password", type: "password", autocomplete: "new-password", required: true, minlength: "10" });
  const again = h("input", { name: "again", type: "password", autocomplete: "new-password", required: true });
  const message = h("p", { class: "error", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "big primary" }, t("act.save"));
  const form = h("form", { class: "login" }, h("h1", {}, t("phone.own_password")), h("p", { class: "soft" }, t("phone.password_hint")),
    h("input", { name: "username", autocomplete: "username", value: user.login, hidden: true, readOnly: true }), before ? h("label", {}, t("phone.old_password"), before) : null,
    h("label", {}, t("phone.new_password"), fresh), h("label", {}, t("phone.again"), again), message, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    message.hidden = fresh.value === again.value;
    message.textContent = t("phone.not_equal");
    if (!message.hidden) return;
    button.disabled = true;
    try {
      await api.post("/api/me/password", { old_password: before ? before.value : old, new_password: fresh.value });
      await signedIn({ ...user, must_change_password: false });
      location.hash = "#/";
    } catch (error) {
      message.hidden = false;
      message.textContent = refusedPassword(error);
    } finally {
      button.disabled = false;
    }
  });
  replace(root, h("main", {}, form));
  fresh.focus();
  return null;
}
