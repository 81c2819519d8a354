// The bar above every page.
import { t, clock, day, language, setLanguage, ready as wordsReady } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import * as look from "../shared/look.mjs";
import { mark } from "../shared/severity.mjs";
import * as alarm from "./alarm.mjs";
import { alarmBar } from "./alarmbar.mjs";
import * as keys from "./keys.mjs";
import { noticeBox } from "./noticebox.mjs";
import { helpButton } from "../shared/guide.mjs";
import { situation } from "./situation.mjs";

export const PAGES = [
  { id: "wall", path: "/" },
];
export const known = new Set(["wall"]);

export function mount(root, props) {
  const stops = [];
  wordsReady.then(() => draw(root, props, stops));
  store.start().catch(() => {});
  return { destroy: () => stops.forEach((run) => run()) };
}

/** The address of the page that this bar stands on, without what lies below it. */
const here = (props) => (!props.page || props.page === "wall" ? "/" : `/${props.page}`);

function draw(root, props, stops) {
  const time = h("b", { class: "clock-time" });
  const date = h("span", { class: "clock-date" });
  const tick = () => {
    const now = new Date(store.now());
    time.textContent = clock(now);
    date.textContent = day(now);
  };
  tick();
  const timer = setInterval(tick, 1000);
  stops.push(() => clearInterval(timer));

  const counters = h("div", { class: "counters", role: "status", "aria-label": t("top.counts") });
  if (!props.compact) {
    const count = () => replace(counters, [4, 3, 2, 1].map(counter), lateCounter());
    count();
    stops.push(store.on("cases", count));
    const again = setInterval(count, 15000);
    stops.push(() => clearInterval(again));
  }

  const link = h("span", { class: "connection" });
  const connection = () => {
    link.className = `connection ${store.state.connection}`;
    replace(link, h("i"), t(`connection.${store.state.connection}`));
  };
  connection();
  stops.push(store.on("connection", connection));

  const user = h("span", { class: "who" });
  const menu = h("nav", { class: "menu", "aria-label": t("top.menu") });
  const me = () => {
    const person = store.state.me;
    if (!person) return;
    replace(user, icon("person", 16), person.name || person.login);
    const roles = person.roles || [];
    const entries = [...PAGES.filter((page) => !page.roles || page.roles.some((role) => roles.includes(role))).map((page) => ({ path: page.path, text: t(`page.${page.id}`) })),
      ...(props.menu || []).map((page) => ({ path: page.path, text: page[language()] })), { path: "/m", text: t("page.phone") }];
    const own = here(props);
    const links = entries.map(({ path, text }) => h("a", { href: path, class: path === own ? "here" : "", "aria-current": path === own ? "page" : undefined }, text));
    if (props.compact) fitted(menu, links, stops);
    else replace(menu, links);
  };
  me();
  stops.push(store.on("me", me));

  const centre = !props.compact;
  const strip = centre ? situation(stops) : null;
  const [bell, box] = noticeBox(stops);
  const drill = h("div", { class: "drill-banner", hidden: true, role: "alert" });
  const shell = h("header", { class: "topbar" },
    h("a", { class: "brand", href: "/", "aria-label": `${t("app.name")} ${t("app.place")}` },
      h("span", { class: "brand-mark", "aria-hidden": "true" }, "网"),
      h("span", { class: "brand-text" }, h("b", {}, t("app.name")), h("small", {}, t("app.place")))),
    centre ? h("div", { class: "clock" }, time, date) : null,
    centre ? h("button", { type: "button", class: "search-open", "aria-label": t("search.hint"), onClick: () => store.emit("search", null) }, icon("search", 18), h("span", {}, t("search.hint")), h("kbd", {}, "Ctrl K")) : null,
    strip?.weather, strip?.duty,
    props.compact ? menu : counters,
    strip?.freshness,
    h("div", { class: "top-right" },
      link, bell, helpButton(here(props), stops), soundButton(stops), centre ? layoutButtons(stops) : null, themeButton(stops), languageButton(), props.compact ? [user, logoutButton()] : more(menu, user),
      centre ? null : h("div", { class: "clock" }, time, date)));
  replace(root, shell, drill, centre ? alarmBar(stops) : null, box);
  if ((props.menu || []).some((page) => page.path === `/${props.page}`)) window.__yiwangReady = true; // a Dash page: its content came with the bar
  const showDrill = () => {
    drill.hidden = !store.state.drill;
    if (store.state.drill) drill.textContent = t("top.drill", { name: store.state.drill.name || store.state.drill });
  };
  stops.push(store.on("hello", showDrill));
  showDrill();
  if (centre) {
    shell.prepend(h("h1", { class: "unseen" }, t("app.name")));
    look.apply();
    stops.push(alarm.watch(), keys.watch());
    import("../search/palette.mjs").then((palette) => stops.push(palette.watch())).catch((error) => console.warn("search", error));
  }
}

/** One line of links; those that find no room stand in a list behind the last one. */
function fitted(menu, links, stops) {
  const box = h("div", { class: "menu-box" });
  const rest = h("details", { class: "more" }, h("summary", { title: t("top.menu") }, `${t("top.more")} ▾`), box);
  const lay = () => {
    replace(menu, links, rest);
    replace(box);
    rest.hidden = menu.scrollWidth <= menu.clientWidth + 1;
    if (rest.hidden) return;
    for (let i = links.length - 1; i > 0 && menu.scrollWidth > menu.clientWidth + 1; i--) box.prepend(links[i]);
    rest.classList.toggle("here", Boolean(box.querySelector(".here")));
  };
  rest.hidden = true;
  lay();
  const watch = new ResizeObserver(lay);
  watch.observe(menu);
  const away = (event) => { if (!rest.contains(event.target)) rest.open = false; };
  document.addEventListener("click", away);
  stops.push(() => { watch.disconnect(); document.removeEventListener("click", away); });
}

function counter(level) {
  const n = [...store.state.cases.values()].filter((c) => c.open && c.severity === level).length;
  const on = store.state.filters.severity.includes(level);
  return h("button", {
    type: "button", class: `counter s${level}${on ? " on" : ""}`, "aria-pressed": String(on), title: t("top.filter_hint"), "aria-label": `${t(`severity.${level}`)} ${n}`,
    onClick: () => {
      const set = new Set(store.state.filters.severity);
      set.has(level) ? set.delete(level) : set.add(level);
      store.filter({ severity: [...set] });
    },
  }, mark(level, "1.7em"), h("b", {}, n), h("span", {}, t(`severity.${level}`)));
}

function lateCounter() {
  const n = [...store.state.cases.values()].filter(store.isLate).length;
  const on = store.state.filters.late;
  return h("button", { type: "button", class: `counter late${on ? " on" : ""}`, "aria-pressed": String(on), "aria-label": `${t("top.late")} ${n}`, onClick: () => store.filter({ late: !on }) },
    icon("clock", "1.5em"), h("b", {}, n), h("span", {}, t("top.late")));
}

function languageButton() {
  const next = language() === "zh" ? "en" : "zh";
  return h("button", {
    type: "button", class: "tool", title: t("top.language"), lang: next === "zh" ? "zh-CN" : "en",
    onClick: () => { setLanguage(next); location.reload(); },
  }, icon("globe", 16), next === "zh" ? "中文" : "EN");
}

function soundButton(stops) {
  const node = h("button", { type: "button", class: "tool sound", onClick: () => (alarm.blocked() ? alarm.test() : alarm.toggle()) });
  const test = h("button", { type: "button", class: "tool", onClick: alarm.test }, t("alarm.test"));
  const show = () => {
    const blocked = alarm.blocked();
    node.setAttribute("aria-pressed", String(alarm.on()));
    node.classList.toggle("blocked", blocked);
    node.title = blocked ? t("alarm.blocked") : alarm.on() ? t("top.mute") : t("top.unmute");
    node.setAttribute("aria-label", node.title);
    replace(node, icon(alarm.on() && !blocked ? "sound" : "mute", 18), blocked ? t("alarm.blocked") : null);
  };
  show();
  stops.push(store.on("sound", show));
  return h("span", { class: "sound-tools" }, node, test);
}

function layoutButtons(stops) {
  const buttons = ["wall", "desk"].map((name) => h("button", { type: "button", class: "tool", dataset: { layout: name }, onClick: () => look.setLayout(name) }, t(`layout.${name}`)));
  const show = () => buttons.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.layout === document.documentElement.dataset.layout)));
  show();
  stops.push(store.on("layout", show));
  return h("span", { class: "layouts", role: "group", "aria-label": t("layout.label") }, buttons);
}

function themeButton(stops) {
  const next = () => look.THEMES[(look.THEMES.indexOf(/** @type {string} */ (document.documentElement.dataset.theme)) + 1) % look.THEMES.length];
  const node = h("button", { type: "button", class: "tool theme", onClick: () => look.setTheme(next()) });
  const show = () => {
    node.title = t("theme.label", { theme: t(`theme.${document.documentElement.dataset.theme || "night"}`) });
    node.setAttribute("aria-label", node.title);
    replace(node, icon("moon", 16));
  };
  show();
  stops.push(store.on("theme", show));
  return node;
}

function more(menu, user) {
  return h("details", { class: "more" }, h("summary", { class: "tool", title: t("top.menu"), "aria-label": t("top.menu") }, icon("menu", 18)), h("div", { class: "more-box" }, user, menu, logoutButton()));
}

function logoutButton() {
  return h("button", {
    type: "button", class: "tool", onClick: async () => {
      store.endStream();
      const told = await api.post("/api/logout").catch(() => ({}));
      location.assign(told?.logout_url || "/login"); // the identity provider's own session ends, too
    },
  }, t("top.logout"));
}
