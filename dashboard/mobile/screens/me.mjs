// Me: duty and place, size of words, theme, language, devices, password, log out.
import { api, language, full, h, replace, t, term } from "../base.mjs";
import { setting, signOut } from "../actions.mjs";
import * as push from "../push.mjs";
import * as queue from "../queue/index.mjs";
import { app } from "../state.mjs";
import { dutyNow, setDuty, stopDuty } from "./duty.mjs";
import { screen } from "./frame.mjs";
import { languageButton } from "./login.mjs";

const choice = (name, values) => h("fieldset", { class: "choice" }, h("legend", {}, t(`phone.${name}`)), values.map((v) => h("button", { type: "button", class: "pill", "aria-pressed": String(app.settings[name] === v), dataset: { set: `${name}:${v}` },
  onClick: (event) => { setting(name, v); for (const b of event.currentTarget.parentNode.querySelectorAll("button")) b.setAttribute("aria-pressed", String(b === event.currentTarget)); } }, t(`phone.${name}_${v}`))));

export function meScreen(root) {
  const me = app.me;
  const pushPlace = h("div", { class: "row" });
  const devices = h("div", { class: "devices" });
  const undo = screen(root, t("phone.me"), { tab: "me" },
    h("div", { class: "me" }, h("h2", {}, me.name || me.login), h("p", { class: "soft" }, [me.department_name, (me.roles || []).map((r) => term("userrole", r)).join(language() === "en" ? ", " : "、")].filter(Boolean).join(" · ")),
      me.last_login ? h("p", { class: "soft" }, t("phone.last_login", { when: full(me.last_login.at), address: me.last_login.address })) : null,
      h("nav", { class: "row", "aria-label": t("guide.help") }, h("a", { class: "big", href: "#/handbook", dataset: { go: "handbook" } }, t("phone.handbook")), h("a", { class: "big", href: "#/exams", dataset: { go: "exams" } }, t("phone.exams")), h("button", { type: "button", class: "big", dataset: { do: "tour" }, onClick: showAround }, t("guide.tours"))),
      dutyBox(), choice("size", ["m", "l", "xl"]), choice("theme", ["auto", "light", "dark", "sun"]), pushPlace,
      h("details", {}, h("summary", {}, t("phone.devices")), devices), h("details", {}, h("summary", {}, t("phone.second")), secondFactor()), h("div", { class: "row" }, h("a", { class: "big", href: "#/password" }, t("phone.own_password")), languageButton()),
      h("button", { type: "button", class: "big danger", dataset: { do: "logout" }, onClick: leave }, t("top.logout"))));
  push.offer(pushPlace, me).catch((error) => console.info("no push here", error));
  drawDevices(devices);
  return undo;
}

/** The tour of the role's home, on the home itself. */
async function showAround() {
  const { run, toursOf } = await import("/static/ui/shared/guide.mjs");
  const [tour] = await toursOf("/m").catch(() => []);
  if (!tour) return;
  location.hash = "#/";
  const until = performance.now() + 8000;
  while (!document.querySelector('[data-tab="tasks"][aria-current]') && performance.now() < until) await new Promise((done) => setTimeout(done, 50));
  await run(tour);
}

async function leave() {
  const { mine } = await queue.summary(app.me);
  if (mine.length && !confirm(t("phone.leave_waiting", { n: mine.length }))) return;
  stopDuty();
  await signOut();
}

function dutyBox() {
  const now = dutyNow() || {};
  const box = h("fieldset", { class: "choice" });
  const draw = (s) => replace(box, h("legend", {}, t("phone.duty")),
    h("label", { class: "tick" }, h("input", { type: "checkbox", checked: Boolean(s.on_duty), dataset: { duty: "on" }, onChange: (e) => change({ on_duty: e.target.checked, consent: e.target.checked && Boolean(s.sharing) }) }), t("phone.on_duty")),
    h("label", { class: "tick" }, h("input", { type: "checkbox", checked: Boolean(s.sharing), disabled: !s.on_duty, dataset: { duty: "share" }, onChange: (e) => change({ on_duty: true, consent: e.target.checked }) }), t("phone.share_place")),
    h("p", { class: "soft" }, t("phone.share_about", { days: s.kept_days ?? 7 })));
  const change = async (wish) => { await setDuty(wish).catch(() => {}); draw(dutyNow() || {}); };
  draw(now);
  return box;
}

async function drawDevices(node) {
  const answer = await api.get("/api/me/devices").catch(() => null);
  if (!answer) return;
  replace(node, answer.items.map((d) => h("div", { class: "card" }, h("b", {}, d.name || d.user_agent || "—"), h("span", { class: "soft" }, `${full(d.last_seen_at)} · ${d.address}`),
    d.this ? h("span", { class: "chip" }, t("phone.this_device")) : h("button", { type: "button", class: "big", dataset: { revoke: d.device_id }, onClick: async (event) => { event.currentTarget.disabled = true; await api.remove(`/api/me/devices/${encodeURIComponent(d.device_id)}`); drawDevices(node); } }, t("phone.revoke")))));
}

/** Set up or remove the second factor: one's password, the secret for the app, a first code. */
function secondFactor() {
  const place = h("div", { class: "report" });
  const message = h("p", { class: "error", role: "alert", hidden: true });
  const say = (error) => { message.hidden = false; message.textContent = error.text || String(error); };
  const ask = (name, words, type, run) => {
    const input = h("input", { name, type, autocomplete: type === "password" ? "current-password" : "one-time-code", required: true });
    const form = h("form", { class: "report" }, h("label", {}, words, input), h("button", { type: "submit", class: "big primary" }, t("act.save")));
    form.addEventListener("submit", (event) => { event.preventDefault(); message.hidden = true; run(input.value).catch(say); });
    return form;
  };
  const draw = async () => {
    const { on } = await api.get("/api/me/second-factor");
    replace(place, h("p", {}, t(on ? "phone.second_on" : "phone.second_off")), message, ask("password", t(on ? "phone.second_remove" : "phone.second_begin"), "password", async (password) => {
      if (on) { await api.post("/api/me/second-factor/remove", { password }); return draw(); }
      const begun = await api.post("/api/me/second-factor", { password });
      return replace(place, h("p", {}, t("phone.second_secret")), h("a", { class: "big", href: begun.uri }, begun.secret), message,
        ask("code", t("login.code"), "text", async (code) => { await api.post("/api/me/second-factor/confirm", { code }); await draw(); }));
    }));
  };
  draw().catch(say);
  return place;
}
