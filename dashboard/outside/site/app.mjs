// The page for everybody: five tiles, each a screen; the address after # names the screen, nothing of it reaches a server.
import { el } from "/h/forms/dom.mjs";
import { renderForm } from "/h/forms/render.mjs";
import { ask, formKey, solved, uploadPhoto } from "./api.mjs";
import { wordsOf } from "./words.mjs";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
const kept = (/** @type {string} */ key, /** @type {string} */ or) => { try { return localStorage.getItem(key) ?? or; } catch { return or; } };
const keep = (/** @type {string} */ key, /** @type {string} */ value) => { try { localStorage.setItem(key, value); } catch { /* a private window */ } };
const state = { language: kept("h.language", (navigator.language || "zh").startsWith("zh") ? "zh" : "en"), mode: kept("h.mode", "plain"), settings: { confirm_phone: false, hotline: "12345", keep_days: 180 } };
let t = wordsOf(state.language);
/** Drawn, for many phones have no font with such signs (24 × 24, one path each). */
const ICONS = {
  report: "M9 3 7.2 5H4a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2V7a2 2 0 0 0-2-2h-3.2L15 3H9zm3 4.5a5 5 0 1 1 0 10 5 5 0 0 1 0-10zm0 2a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  help: "M12 3a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4 21v-2c0-3 4-5 8-5s8 2 8 5v2H4zM18 8h2V6h2v2h2v2h-2v2h-2v-2h-2V8z",
  complaint: "M3 4h18a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zm1 4v10h16V8l-8 5-8-5zm1-2 7 4.4L19 6H5z",
  guides: "M6 2h9l5 5v14a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V3a1 1 0 0 1 1-1zm8 2v4h4l-4-4zM8 11h8v2H8v-2zm0 4h8v2H8v-2z",
  progress: "M10 3a7 7 0 0 1 5.6 11.2l5.1 5.1-1.4 1.4-5.1-5.1A7 7 0 1 1 10 3zm0 2a5 5 0 1 0 0 10 5 5 0 0 0 0-10z",
};
/** @param {string} path */
function icon(path) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "path");
  drawn.setAttribute("d", path);
  picture.append(drawn);
  return picture;
}

const time = (/** @type {string} */ text) => new Date(text).toLocaleString(state.language === "zh" ? "zh-CN" : "en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Shanghai" });
const named = (/** @type {Record<string,string>} */ names) => names?.[state.language] ?? names?.zh ?? "";

/** What went wrong, in words. @param {any} error */
function why(error) {
  const code = error.code ?? "";
  if (code === "too_fast") return t("tooFast", { n: error.body.retry_after_s });
  if (code === "door_closed") return t("closed");
  if (code === "robot_check_failed" || error.message === "robots") return t("robots");
  if (code === "code_unknown") return t("noCode");
  return t("failed", { why: t(`p.${code}`).startsWith("p.") ? error.message : t(`p.${code}`) });
}

/** @param {...any} children */
function show(...children) {
  const elder = state.mode === "elder";
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  document.documentElement.dataset.mode = state.mode;
  document.title = t("title");
  const header = el("header", {},
    el("h1", {}, el("a", { href: "#/" }, t("title"))),
    el("button", { type: "button", class: "small", "aria-pressed": String(elder), onclick: () => { state.mode = elder ? "plain" : "elder"; keep("h.mode", state.mode); route(); } }, t(elder ? "plain" : "elder")),
    el("button", { type: "button", class: "small", lang: state.language === "zh" ? "en" : "zh-CN", onclick: () => { state.language = state.language === "zh" ? "en" : "zh"; keep("h.language", state.language); t = wordsOf(state.language); route(); } }, t("other")));
  const footer = el("footer", {}, el("p", {}, t("emergency")), el("p", {}, el("a", { href: `tel:${state.settings.hotline}` }, t("hotline", { n: state.settings.hotline }))), el("p", {}, t("privacy", { n: state.settings.keep_days })));
  root.replaceChildren(header, el("main", { id: "main", tabindex: -1 }, ...children), footer);
}

function home() {
  const names = state.mode === "elder" ? ["help", "report", "progress", "complaint", "guides"] : ["report", "help", "complaint", "guides", "progress"];
  show(el("ul", { class: "tiles" }, names.map((name) => el("li", {}, el("a", { class: "tile", href: `#/${name}` }, el("i", { "aria-hidden": "true" }, icon(ICONS[/** @type {keyof typeof ICONS} */ (name)])), el("b", {}, t(name)), el("span", {}, t(`${name}.hint`)))))));
}

/** A form of the server's, sent under a key of its own. @param {string} kind @param {HTMLElement} into @param {{code?: string, done: (answer: any) => void}} how */
async function formInto(kind, into, how) {
  const form = await ask(`forms/${kind}`);
  const key = formKey();
  let ticket = "";
  renderForm(into, form, {
    language: state.language, textSize: state.mode === "elder" ? "larger" : "normal", submitLabel: t("send"), upload: uploadPhoto,
    onSubmit: async (answers) => {
      if (state.settings.confirm_phone && answers.phone && !ticket) ticket = await confirmPhone(answers.phone, into);
      try {
        how.done(await ask(`requests/${kind}`, { key, answers, solution: await solved(), ticket, code: how.code ?? "", language: state.language }));
      } catch (error) {
        throw new Error(why(error));
      }
    },
  });
}

/** Asks for the code that was sent to `phone`; resolves with the ticket. @param {string} phone @param {HTMLElement} after @returns {Promise<string>} */
async function confirmPhone(phone, after) {
  const { ticket } = await ask("phone", { key: formKey(), phone, solution: await solved(), language: state.language }).catch((error) => { throw new Error(why(error)); });
  return new Promise((done, refuse) => {
    const digits = el("input", { inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6, "aria-describedby": "digits-note" });
    const note = el("p", { id: "digits-note", role: "status" }, t("codeTo", { phone }));
    const box = el("form", { class: "card", "aria-label": t("confirmPhone") }, note, el("label", {}, t("digits"), digits), el("button", { class: "main" }, t("confirm")));
    box.addEventListener("submit", async (/** @type {Event} */ event) => {
      event.preventDefault();
      try {
        const judged = await ask("confirm", { ticket, digits: digits.value.trim() });
        if (judged.confirmed) { box.remove(); done(ticket); } else if (!judged.tries_left) { box.remove(); refuse(new Error(t("deadDigits"))); } else note.textContent = t("wrongDigits", { n: judged.tries_left });
      } catch (error) { note.textContent = why(error); }
    });
    after.after(box);
    digits.focus();
  });
}

/** @param {string} kind */
async function fill(kind) {
  const box = el("div", { class: "card" });
  show(el("h2", {}, t(kind)), box);
  await formInto(kind, box, { done: ({ code }) => show(el("h2", {}, t("sent")), el("div", { class: "card", role: "status" }, el("p", { class: "good" }, "✓ ", t("sent")), el("p", { class: "code", "data-code": code }, code), el("p", {}, t("keep")), el("a", { class: "main", href: `#/progress/${code}` }, t("seeProgress")), el("a", { href: "#/" }, t("home")))) });
}

/** @param {string} [code] */
async function progress(code) {
  const input = el("input", { autocomplete: "off", autocapitalize: "characters", spellcheck: false, value: code ?? "" });
  const found = el("div", { "aria-live": "polite" });
  const form = el("form", { class: "card" }, el("label", {}, t("code"), input), el("button", { class: "main" }, t("look")));
  const look = async () => {
    found.replaceChildren(el("p", {}, t("looking")));
    try { await shown(found, input.value, await ask("read", { code: input.value })); } catch (error) { found.replaceChildren(el("p", { class: "bad" }, why(error))); }
  };
  form.addEventListener("submit", (/** @type {Event} */ event) => { event.preventDefault(); look(); });
  show(el("h2", {}, t("progress")), form, found);
  if (code) await look();
}

/** @param {HTMLElement} into @param {string} code @param {any} view */
async function shown(into, code, view) {
  const facts = el("dl", {});
  const fact = (/** @type {string} */ key, /** @type {any} */ value) => value && facts.append(el("dt", {}, t(key)), el("dd", {}, value));
  const now = view.state === "refused" ? `${t("refused")}：${t(`p.${view.problem}`)}` : view.state_name ? named(view.state_name) : t("received");
  if (view.kind !== "link_site") { fact("state", now); fact("department", view.department); }
  fact("number", view.number); fact("opened", view.opened_at && time(view.opened_at));
  fact("name", view.masked?.helped_name ?? view.masked?.person_name); fact("phone", view.masked?.phone);
  const told = (view.told ?? []).map((/** @type {string} */ text) => el("p", {}, text));
  const steps = el("ol", { class: "steps" }, (view.steps ?? []).map((/** @type {any} */ step) => el("li", {}, named(step.name), el("time", {}, time(step.at)))));
  fact("inspector", view.inspector); fact("department", view.inspector && view.department); fact("place", view.place); fact("matter", view.matter);
  fact("until", view.until && time(view.until));
  const rating = el("div", {});
  into.replaceChildren(el("div", { class: "card" }, facts, told.length ? el("div", {}, el("b", {}, t("told")), ...told) : null, view.steps?.length ? el("b", {}, t("steps")) : null, steps, view.rating ? el("p", { class: "good" }, t("rated", { n: view.rating.stars })) : null), rating);
  if (view.kind === "link_site") into.prepend(el("p", { class: "good", role: "status" }, "✓ ", t("realInspector")));
  if (view.form) {
    rating.className = "card";
    const box = el("div", {});
    rating.append(el("b", {}, t("asked")), el("p", {}, view.question ?? ""), box);
    const key = formKey();
    renderForm(box, { form: view.form }, {
      language: state.language, textSize: state.mode === "elder" ? "larger" : "normal", submitLabel: t("send"), upload: uploadPhoto,
      onSubmit: async (answers) => {
        try { await ask("requests/answer", { key, answers, solution: await solved(), code, language: state.language }); } catch (error) { throw new Error(why(error)); }
        rating.replaceChildren(el("p", { class: "good", role: "status" }, t("sent")));
      },
    });
  } else if (view.may_rate && !view.rating) {
    rating.className = "card";
    const box = el("div", {});
    rating.append(el("b", {}, t("rate")), box);
    await formInto("rating", box, { code, done: () => rating.replaceChildren(el("p", { class: "good", role: "status" }, t("thanks"))) });
  }
}

async function guides() {
  const { items = [], bundles = [] } = await ask("pages/guides");
  const linked = bundles.length ? [el("h2", {}, t("bundles")), el("ul", { class: "tiles" }, bundles.map((/** @type {any} */ one) => el("li", {}, el("a", { class: "tile plain", href: `#/bundle/${one.id}` }, el("b", {}, named(one)), el("span", {}, t("bundle.items", { n: one.items.length }))))))] : [];
  const input = el("input", { type: "search", "aria-label": t("search"), placeholder: t("search") });
  const list = el("ul", { class: "tiles" });
  const draw = () => {
    const words = input.value.trim().toLowerCase();
    const hits = items.filter((/** @type {any} */ item) => [item.name, item.pinyin, item.initials].some((text) => (text ?? "").toLowerCase().includes(words))).slice(0, 60);
    list.replaceChildren(...hits.map((/** @type {any} */ item) => el("li", {}, el("a", { class: "tile plain", href: `#/guides/${item.id}` }, el("b", {}, item.name), el("span", {}, item.dept_name ?? "")))));
    if (!hits.length) list.replaceChildren(el("li", {}, t(items.length ? "none" : "noGuides")));
  };
  input.addEventListener("input", draw);
  show(el("h2", {}, t("guides")), el("div", { class: "card" }, input), list, ...linked);
  draw();
}

/** A limit in the reader's words: items tell theirs in Chinese. @param {string} text */
function spanned(text) {
  if (state.language !== "en") return text ?? "";
  return String(text ?? "").replace(/\s*个?(工作日|自然日|日|天)/, (_, unit) => (unit === "工作日" ? " working days" : " days"));
}

/** @param {string} id */
async function linkedItems(id) {
  const { bundles = [] } = await ask("pages/guides");
  const one = bundles.find((/** @type {any} */ each) => each.id === id);
  if (!one) return guides();
  const lines = one.items.map((/** @type {any} */ item) => el("li", {}, el("a", { href: `#/guides/${item.id}` }, item.name), ` ${spanned(item.promised)}`, item.after.length ? ` (${t("bundle.after", { names: item.after.join("、") })})` : ""));
  const papers = one.papers.map((/** @type {string} */ name) => el("li", {}, name));
  const asked = one.questions.map((/** @type {any} */ label) => el("li", {}, named(label)));
  show(el("h2", {}, named(one)), el("div", { class: "card" }, el("p", {}, t("bundle.saves", { q: one.questions.length, asked: one.asked, p: one.papers.length, wanted: one.wanted })),
    el("b", {}, t("bundle.of")), el("ol", {}, lines), el("b", {}, t("materials")), el("ul", {}, papers),
    one.made.length ? el("p", {}, t("bundle.made", { names: one.made.join("、") })) : null, el("b", {}, t("bundle.questions")), el("ul", {}, asked)), el("a", { href: "#/guides" }, t("guides")));
}

/** @param {string} id */
async function guide(id) {
  const { items = [] } = await ask("pages/guides");
  const item = items.find((/** @type {any} */ one) => one.id === id);
  if (!item) return guides();
  const facts = el("dl", {});
  for (const key of ["dept_name", "promise", "anticipate", "accept_condition", "handle_flow", "limit_scene_num", "is_fee", "fee_basis", "handle_addr", "handle_time", "link_tel", "complain_tel"]) {
    const value = key === "promise" || key === "anticipate" ? spanned([item[`${key}_day`], item[`${key}_type`]].filter(Boolean).join(" ")) : key === "is_fee" ? item.is_fee === undefined ? "" : t(["1", 1, true].includes(item.is_fee) ? "yes" : "no") : item[key];
    if (value !== undefined && value !== "") facts.append(el("dt", {}, t(key)), el("dd", {}, String(value)));
  }
  const papers = (Array.isArray(item.materials) ? item.materials : []).map((/** @type {any} */ paper) => el("li", {}, typeof paper === "string" ? paper : paper.name ?? paper.material_name ?? ""));
  show(el("h2", {}, item.name), el("div", { class: "card" }, facts, papers.length ? el("div", {}, el("b", {}, t("materials")), el("ul", {}, papers)) : null), ...(item.bundles ?? []).map((/** @type {string} */ key) => el("p", {}, el("a", { href: `#/bundle/${key}` }, t("bundle.part")))), el("a", { href: "#/guides" }, t("guides")));
}

async function route() {
  const [, screen = "", argument = ""] = location.hash.split("/");
  try {
    if (["report", "help", "complaint"].includes(screen)) await fill(screen);
    else if (["progress", "file", "rate", "site"].includes(screen)) await progress(decodeURIComponent(argument));
    else if (screen === "bundle") await linkedItems(argument);
    else if (screen === "guides") await (argument ? guide(argument) : guides());
    else home();
  } catch (error) {
    show(el("div", { class: "card" }, el("p", { class: "bad", role: "alert" }, why(error)), el("button", { type: "button", class: "main", onclick: route }, "↻")));
  }
  document.documentElement.dataset.ready = screen || "home";
}

window.addEventListener("hashchange", () => { delete document.documentElement.dataset.ready; route(); window.scrollTo(0, 0); });
ask("pages/settings").then((body) => { state.settings = { ...state.settings, ...body }; }).catch(() => {}).finally(route);
