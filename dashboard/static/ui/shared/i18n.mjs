// Words: one JSON file a language; the choice is a cookie, so that the server and every tab agree.
const COOKIE = "yiwang_lang";
export const LANGUAGES = ["zh", "en"];

export function language() {
  const found = document.cookie.split("; ").find((part) => part.startsWith(COOKIE + "="));
  const value = found ? found.slice(COOKIE.length + 1) : "";
  return LANGUAGES.includes(value) ? value : "zh";
}

export function setLanguage(value) {
  document.cookie = `${COOKIE}=${value}; path=/; max-age=31536000; samesite=lax`;
}

const lang = language();
let words = {};
const place = document.querySelector('meta[name="words"]')?.getAttribute("content") || "/static/i18n/"; // a page may bring a list of its own
const version = document.querySelector('meta[name="words-version"]')?.getAttribute("content"); // of the page's own language: kept under it
const file = `${place}${lang}.json${version ? `?v=${version}` : ""}`;
/** Read once more where the line was cut. @param {number} tries @returns {Promise<any>} */
const read = (tries) => fetch(file).then((answer) => answer.json())
  .catch((error) => { if (!tries) throw error; return new Promise((go) => setTimeout(go, 1000)).then(() => read(tries - 1)); });
export const ready = read(5)
  .then((loaded) => {
    words = { ...words, ...loaded };
    document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  });

/** Words that the page brought along, for what is drawn before all of them are here. @param {Record<string, string>} some */
export function bring(some) { words = { ...some, ...words }; }

let later = null;
/** The words of screens that are loaded later: fetched once; without them the plain parts of the keys stand. */
export const laterWords = () => (later ||= fetch(`${place}${lang}-later.json`).then((answer) => answer.json()).then((loaded) => { Object.assign(words, loaded); }).catch(() => { later = null; }));

export function has(key) {
  return key in words;
}

/** The text of `key`; a missing key shows its last part in plain words, never the raw key. */
export function t(key, data) {
  let text = words[key];
  if (text === undefined) {
    console.warn("no words for", key);
    text = key.split(".").pop().replaceAll("_", " ");
  }
  return data ? text.replace(/\{(\w+)\}/g, (_, name) => (data[name] ?? "")) : text;
}

/** A server's text in both languages, "中文 / English: what it is about", in the viewer's language. */
export function said(text) {
  const found = String(text || "").match(/^([^:/]+) \/ ([^:/]+)(:.*)?$/s);
  if (!found) return text || "";
  const [, chinese, english, rest = ""] = found;
  const number = chinese.match(/^\d+/);
  return lang === "en" ? `${number ? `${number[0]} ` : ""}${english}${rest}` : `${chinese}${rest.replace(/^: /, "：")}`;
}

/** `prefix.value` in words; a value from elsewhere that we do not know is shown as it is. */
export function term(prefix, value) {
  if (value === undefined || value === null || value === "") return "—";
  return words[`${prefix}.${value}`] ?? String(value).replaceAll("_", " ");
}

/** A state, stage, command or clock of a case as its own kind calls it. */
export function kindTerm(c, prefix, value) {
  return words[`kind.${c?.definition_id}.${prefix}.${value}`] ?? term(prefix, value);
}

export function named(record, field = "name") {
  if (!record) return "—";
  return (lang === "en" && record[`${field}_en`]) || record[field] || "—";
}

/**
 * A case's title in the viewer's language.  Rules write titles in Chinese: in English the kind and the site's English
 * name stand for one, and the title as written stays beside it as a tooltip or a second line.
 */
export function caseTitle(c, withPlace = true) {
  if (lang !== "en" || !/[\u3400-\u9fff]/.test(c.title || "") || !words[`kind.${c.kind}`]) return c.title;
  const place = c.site_name_en || c.site_name;
  return place && withPlace ? `${words[`kind.${c.kind}`]} · ${place}` : words[`kind.${c.kind}`];
}

const locale = lang === "zh" ? "zh-CN" : "en-GB";
const zone = "Asia/Shanghai";
const clockFormat = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZone: zone });
const dayFormat = new Intl.DateTimeFormat(locale, { year: "numeric", month: "2-digit", day: "2-digit", weekday: "short", timeZone: zone });
const shortFormat = new Intl.DateTimeFormat(locale, { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone });
const fullFormat = new Intl.DateTimeFormat(locale, { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZone: zone });

export const clock = (date) => clockFormat.format(date);
export const day = (date) => dayFormat.format(date);
export const short = (text) => (text ? shortFormat.format(new Date(text)) : "—");
export const full = (text) => (text ? fullFormat.format(new Date(text)) : "—");
export const number = (value, digits = 2) =>
  typeof value === "number" ? new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value) : "—";

/** Milliseconds as a short span: 45 s, 12 min, 3 h 20, 2 d 4 h. */
export function span(ms) {
  const s = Math.max(0, Math.floor(Math.abs(ms) / 1000));
  if (s < 60) return t("span.s", { s });
  const m = Math.floor(s / 60);
  if (m < 60) return t("span.m", { m });
  const hours = Math.floor(m / 60);
  if (hours < 24) return t("span.h", { h: hours, m: String(m % 60).padStart(2, "0") });
  return t("span.d", { d: Math.floor(hours / 24), h: hours % 24 });
}
