// The login page: plain, no Dash.
import { t, language, setLanguage, ready } from "./i18n.mjs";
import { h, icon, replace } from "./dom.mjs";
import * as api from "./api.mjs";

await ready;
const root = document.getElementById("login");
const next = () => {
  // Only a path of our own: never a way to another host.
  const wanted = new URLSearchParams(location.search).get("next") || "/";
  const url = new URL(wanted, location.origin);
  return url.origin === location.origin && wanted.startsWith("/") && !wanted.startsWith("//") ? url.pathname + url.search + url.hash : "/";
};

function show() {
  const login = h("input", { name: "login", autocomplete: "username", required: true, autofocus: true });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const code = h("input", { name: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: "12" });
  const second = h("label", { hidden: true }, h("span", {}, t("login.code")), code);
  const message = h("p", { class: "form-error", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "button primary" }, t("login.submit"));
  const form = h("form", { class: "login-card" },
    h("div", { class: "login-brand" }, h("span", { class: "brand-mark", "aria-hidden": "true" }, "网"), h("div", {}, h("h1", {}, t("app.name")), h("p", {}, t("app.long")))),
    h("label", {}, h("span", {}, t("login.name")), login), h("label", {}, h("span", {}, t("login.password")), password), second, message, submit,
    h("button", { type: "button", class: "tool", onClick: () => { setLanguage(language() === "zh" ? "en" : "zh"); location.reload(); } },
      icon("globe", 16), language() === "zh" ? "English" : "中文"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    message.hidden = true;
    try {
      const answer = await api.post("/api/login", { login: login.value.trim(), password: password.value, ...(code.value ? { code: code.value } : {}) });
      api.setToken(answer.csrf_token);
      if (answer.user?.must_change_password) return change(password.value);
      location.replace(next());
    } catch (error) {
      if (error.code === "second_factor_required" && second.hidden) { second.hidden = false; code.focus(); return undefined; }
      message.hidden = false;
      message.textContent = error.status === 401 ? t("login.wrong") : error.status === 429 ? t("login.slow_down") : error.text || String(error);
      password.select();
    } finally {
      submit.disabled = false;
    }
    return undefined;
  });
  replace(root, form);
  login.focus();
  signOn(form, message);
}

/** Proves again that it is the same person, then goes on. */
function confirm() {
  const password = h("input", { type: "password", autocomplete: "current-password", required: true });
  const code = h("input", { inputmode: "numeric", autocomplete: "one-time-code", maxlength: "12" });
  const message = h("p", { class: "form-error", role: "alert", hidden: true });
  const form = h("form", { class: "login-card" }, h("h1", {}, t("login.confirm")), h("label", {}, h("span", {}, t("login.password")), password),
    h("label", {}, h("span", {}, t("login.code")), code), message, h("button", { type: "submit", class: "button primary" }, t("login.submit")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await api.post("/api/me/confirm", { password: password.value, code: code.value });
      location.replace(next());
    } catch (error) {
      message.hidden = false;
      message.textContent = error.status === 401 ? t("login.wrong") : error.text || String(error);
    }
  });
  replace(root, form);
  password.focus();
}

/** The button of the identity provider, where there is one, and why the last try over it did not succeed. */
async function signOn(form, message) {
  const asked = new URLSearchParams(location.search);
  const problem = asked.get("problem");
  if (problem) {
    message.hidden = false;
    message.textContent = t(problem === "identity_not_bound" ? "login.not_bound" : "login.sign_on_failed", { subject: asked.get("subject") ?? "" });
  }
  /** @type {{oidc?: Record<string, string>}} */
  const about = await fetch("/auth/oidc/about").then((answer) => (answer.ok ? answer.json() : {})).catch(() => ({}));
  if (about.oidc) form.append(h("a", { class: "button", href: `/auth/oidc/login?next=${encodeURIComponent(next())}` }, about.oidc[language()] ?? about.oidc.zh ?? "OIDC"));
}

function change(old) {
  const first = h("input", { type: "password", autocomplete: "new-password", required: true, minlength: "10" });
  const second = h("input", { type: "password", autocomplete: "new-password", required: true });
  const message = h("p", { class: "form-error", role: "alert", hidden: true });
  const form = h("form", { class: "login-card" }, h("h1", {}, t("login.change")), h("p", {}, t("login.change_why")),
    h("label", {}, h("span", {}, t("login.new")), first), h("label", {}, h("span", {}, t("login.again")), second), message,
    h("button", { type: "submit", class: "button primary" }, t("login.change")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    message.hidden = first.value === second.value;
    message.textContent = t("login.differ");
    if (!message.hidden) return;
    try {
      await api.post("/api/me/password", { old_password: old, new_password: first.value });
      location.replace(next());
    } catch (error) {
      message.hidden = false;
      message.textContent = error.text || String(error);
    }
  });
  replace(root, form);
  first.focus();
}

if (new URLSearchParams(location.search).has("confirm")) confirm();
else show();
