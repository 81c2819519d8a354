// The REST API with the viewer's own session.  Every change carries the CSRF token.
import { t, has, language } from "./i18n.mjs";

let csrf = "";
export const setToken = (token) => { csrf = token || ""; };

let ownPasswordPage = false;
/** This page asks for a new password itself: never send it to the login page for one. */
export const asksForPassword = () => { ownPasswordPage = true; };

let acting = "";
/** The person whose page this is: where somebody else signed in meanwhile (another tab, a shared phone), the server refuses it with `wrong_person`. @param {string | null} id */
export const actFor = (id) => { acting = id || ""; };
const actor = () => /** @type {any} */ (acting ? { "X-Acting-User": acting } : {});

export class ApiError extends Error {
  constructor(status, body) {
    super(body.message || body.detail || `HTTP ${status}`);
    this.status = status;
    this.body = body;
    this.code = body.error || "";
  }

  /** What to tell the person: our words for known codes, else the server's message and remedy. */
  get text() {
    if (has(`error.${this.code}`)) return t(`error.${this.code}`, this.body);
    if (this.status === 0) return t("error.offline");
    const remedy = this.body.remedy ? ` — ${this.body.remedy}` : "";
    return `${this.message}${remedy}`;
  }
}

/** A page that was opened offline, or whose session changed, has no valid token: ask for it, then send. */
async function call(method, path, options = {}) {
  const changes = method !== "GET" && path !== "/api/login";
  if (changes && !csrf) await me({ redirect: false });
  try {
    return await once(method, path, options);
  } catch (error) {
    if (!changes || error.status !== 403 || !/csrf/.test(error.code)) throw error;
    await me({ redirect: false });
    return once(method, path, options);
  }
}

/** @typedef {{body?: any, form?: any, headers?: any, timeout?: number, signal?: AbortSignal}} Sent */
/** @param {string} method @param {string} path @param {Sent} sent */
async function once(method, path, { body, form, headers, timeout = 30000, signal } = {}) {
  /** @type {RequestInit & {headers: any}} */
  const options = { method, headers: { Accept: "application/json", "Accept-Language": language(), ...actor(), ...headers }, credentials: "same-origin" };
  if (method !== "GET") options.headers["X-CSRF-Token"] = csrf;
  if (form) options.body = form;
  else if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const limit = within(timeout, signal);
  options.signal = limit.signal;
  let answer;
  let text;
  try {
    answer = await fetch(path, options);
    noteClock(answer);
    text = await answer.text(); // the network may go while the body is under way
  } catch (error) {
    if (signal && signal.aborted) throw error;
    throw new ApiError(0, { message: String(error) });
  } finally {
    limit.clear();
  }
  /** @type {any} */
  let data = {};
  try {
    data = text ? JSON.parse(text) : {};
  } catch {
    data = { message: answer.statusText || text.slice(0, 120) };
  }
  if (answer.ok) return data;
  const error = new ApiError(answer.status, typeof data === "object" && data ? data : {});
  if (error.code === "password_change_required" && !ownPasswordPage) toLogin();
  if (error.code === "confirmation_required") toConfirm();
  if (error.code === "wrong_person") window.dispatchEvent(new Event("wrong-person"));
  throw error;
}

/** A signal that ends with `signal`, or after `ms`: by hand, for web views older than AbortSignal.timeout and .any. @param {number} ms @param {AbortSignal} [signal] */
function within(ms, signal) {
  const end = new AbortController();
  const stop = () => end.abort();
  const timer = setTimeout(stop, ms);
  if (signal?.aborted) end.abort();
  signal?.addEventListener("abort", stop);
  return { signal: end.signal, clear: () => { clearTimeout(timer); signal?.removeEventListener("abort", stop); } };
}

/** How far this machine's clock is ahead of the server's, in seconds; null until the server has answered. */
/** @type {{skew_s: number | null}} */
export const clock = { skew_s: null };
function noteClock(answer) {
  const told = Date.parse(answer.headers.get("date") || "");
  if (told) clock.skew_s = Math.round((Date.now() - told) / 1000);
}

/**
 * A request whose answer's headers matter (resumable uploads); throws ApiError like the others.
 * @param {string} method @param {string} path @param {Sent} sent
 */
export async function raw(method, path, { body, headers, timeout = 60000 } = {}) {
  if (!csrf) await me({ redirect: false });
  let answer;
  const limit = within(timeout);
  try {
    answer = await fetch(path, { method, body, credentials: "same-origin", headers: { "Accept-Language": language(), ...actor(), ...headers, "X-CSRF-Token": csrf }, signal: limit.signal });
  } catch (error) {
    throw new ApiError(0, { message: String(error) });
  } finally {
    limit.clear();
  }
  noteClock(answer);
  if (answer.ok) return answer;
  throw new ApiError(answer.status, await answer.json().catch(() => ({})));
}

/** A file that a POST answers with. */
export async function file(path, body) {
  if (!csrf) await me({ redirect: false });
  const answer = await fetch(path, { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json", "Accept-Language": language(), ...actor(), "X-CSRF-Token": csrf }, body: JSON.stringify(body) });
  if (answer.ok) return answer.blob();
  const error = new ApiError(answer.status, await answer.json().catch(() => ({})));
  if (error.code === "confirmation_required") toConfirm();
  throw error;
}

/** To the page that asks for one's password again, and back here after it. */
function toConfirm() {
  location.assign(`/login?confirm=1&next=${encodeURIComponent(location.pathname + location.search + location.hash)}`);
}

/** Answers that the page brought along (dashboard/pages/first_answers.py): each is used once, soon after the page came. */
const BROUGHT_MS = 15000;
const brought = new Map(Object.entries(JSON.parse(globalThis.document?.getElementById?.("brought")?.textContent || "{}")));

/** Whether the answer to `path` came along and was not used yet. @param {string} path */
export const came = (path) => brought.has(path) && performance.now() < BROUGHT_MS;

/** @param {string} path @param {Sent} [options] @returns {Promise<any>} */
export async function get(path, options) {
  if (!came(path)) return call("GET", path, options);
  const answer = brought.get(path);
  brought.delete(path);
  return answer;
}
export const post = (path, body, options) => call("POST", path, { body: body ?? {}, ...options });
export const put = (path, body, options) => call("PUT", path, { body: body ?? {}, ...options });
export const patch = (path, body, options) => call("PATCH", path, { body: body ?? {}, ...options });
export const remove = (path, options) => call("DELETE", path, options);
export const upload = (path, form, options) => call("POST", path, { form, timeout: 120000, ...options });

export function query(values) {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && !value.length)) {
      search.set(key, Array.isArray(value) ? value.join(",") : value);
    }
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

/** To the login page (which also asks for a new password where one must be chosen), and back here after it. */
export function toLogin() {
  if (location.pathname === "/login") return;
  location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search + location.hash)}`);
}

/** Who I am; sends to the login page when there is no session. */
export async function me({ redirect = true } = {}) {
  try {
    const answer = await get("/api/me");
    const user = answer.user || answer;
    setToken(answer.csrf_token || user.csrf_token);
    if (user.must_change_password && !ownPasswordPage) toLogin();
    return user;
  } catch (error) {
    if (redirect && error.status === 401) toLogin();
    throw error;
  }
}

export const key = () => (crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`);
export const mediaUrl = (item) => item.url || `/media/${item.uri}`;
