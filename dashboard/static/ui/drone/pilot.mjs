// The page in Pilot 2's web view: sign in, tell the bridge workspace and addresses, load its modules in their order.
import { h, replace } from "../shared/dom.mjs";
import { Bridge, enter } from "./bridge.mjs";

const TEXT = {
  zh: { title: "一网统管 · 无人机接入", login: "账号", password: "密码", go: "进入", noBridge: "请在 DJI Pilot 2 的“开放平台”中打开本页。", done: "已接入", step: "步骤", leave: "退出平台" },
  en: { title: "Yiwang · drone entry", login: "Account", password: "Password", go: "Enter", noBridge: "Open this page in DJI Pilot 2, “Open platforms”.", done: "Connected", step: "Step", leave: "Leave the platform" },
};
const words = TEXT[(navigator.language || "zh").startsWith("zh") ? "zh" : "en"];
const root = /** @type {HTMLElement} */ (document.getElementById("pilot"));
const bridge = new Bridge(/** @type {any} */ (window).djiBridge);

/**
 * @param {string} path
 * @param {any} body
 * @param {string} [csrf]
 */
async function post(path, body, csrf) {
  const answer = await fetch(path, { method: "POST", credentials: "same-origin", headers: { "content-type": "application/json", ...(csrf ? { "X-CSRF-Token": csrf } : {}) }, body: JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message || said.error || String(answer.status));
  return said;
}

const list = h("ol", { class: "pilot-steps" });
/** @param {string} name @param {string} text */
const step = (name, text) => { list.append(h("li", { dataset: { step: name } }, `${words.step} ${name}: ${text}`)); };

function form() {
  const login = /** @type {HTMLInputElement} */ (h("input", { type: "text", autocomplete: "username", id: "pilot-login" }));
  const password = /** @type {HTMLInputElement} */ (h("input", { type: "password", autocomplete: "current-password", id: "pilot-password" }));
  const said = h("p", { class: "form-error", role: "alert", hidden: true });
  const send = h("button", { type: "submit", class: "button primary" }, words.go);
  const sign = h("form", { class: "pilot-form", onSubmit: async (/** @type {Event} */ event) => {
    event.preventDefault();
    send.setAttribute("disabled", "");
    said.hidden = true;
    try {
      const user = await post("/api/login", { login: login.value, password: password.value });
      const told = await post("/api/drone/pilot/enter", { sn: bridge.call("platformGetRemoteControllerSN") }, user.csrf_token);
      replace(list);
      await enter(bridge, told, user.user?.name || login.value, step);
      replace(sign, h("p", { class: "pilot-done" }, words.done), h("button", { type: "button", class: "button", onClick: () => bridge.call("platformStopSelf") }, words.leave));
    } catch (error) {
      send.removeAttribute("disabled");
      said.hidden = false;
      said.textContent = /** @type {Error} */ (error).message;
    }
  } }, h("label", { for: "pilot-login" }, words.login), login, h("label", { for: "pilot-password" }, words.password), password, send, said);
  return sign;
}

replace(root, h("h1", {}, words.title), bridge.there ? form() : h("p", {}, words.noBridge), list);
