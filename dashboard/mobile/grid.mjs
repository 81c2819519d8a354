// My grid on this phone: read from the server, kept encrypted for when there is no network, found by name, pinyin and initials.
import { api } from "./base.mjs";
import { keepSealed, keptSealed } from "./queue/sealed.mjs";
import { app } from "./state.mjs";

/** @typedef {{record_id: string, register_id: string, name: string, pinyin: string, initials: string, version: number, building: string, grid_code: string, visit_due: string|null, lon: number|null, lat: number|null, about: Record<string, any>}} Line */
/** @typedef {{register_id: string, zh: string, en: string, title: string, key: string[], count: number, due: number, visited: boolean, visit_form: any, correction_form: any, fields: any[]}} Register */
/** @typedef {{division: string, divisions: {code: string, name: string}[], today: string, registers: Register[]}} Summary */

const PAGE = 200;
export const MOST_KEPT = 4000; // lines of one register: a community has fewer
const name = (what) => `${app.me.user_id}:grid:${what}`;

/** Only an answer that could come later is replaced by what is kept: a refusal is the server's word. */
const gone = (error) => error.status === 0 || error.status === 401 || error.status >= 500;

async function read(path, what) {
  try {
    const answer = await api.get(path);
    await keepSealed(name(what), answer).catch(() => {});
    return answer;
  } catch (error) {
    const kept = gone(error) ? await keptSealed(name(what)) : null;
    if (kept) return kept;
    throw error;
  }
}

/** @returns {Promise<Summary>} */
export const summary = () => /** @type {any} */ (read("/api/me/grid", "summary"));
/** A record, masked; without a network as it was opened last, or what its line in the list says. @param {string} id */
export async function record(id) {
  try {
    return await read(`/api/records/${encodeURIComponent(id)}`, `record:${id}`);
  } catch (error) {
    const found = gone(error) ? await sparse(id) : null;
    if (found) return found;
    throw error;
  }
}

/** @param {string} id */
async function sparse(id) {
  const known = await keptSealed(name("summary"));
  for (const register of known?.registers ?? []) {
    const kept = await keptSealed(name(`lines:${register.register_id}`));
    const line = kept?.items.find((one) => one.record_id === id);
    if (line) return { ...line, values: { ...line.about, [register.title]: line.name, ...(line.building ? { [register.register_id === "building" ? "number" : "building"]: line.building } : {}) } };
  }
  return null;
}

/** All lines of a register of the own grid, kept; without a network what was kept last. @param {string} register @returns {Promise<{items: Line[], total: number, kept: boolean}>} */
export async function lines(register) {
  const what = `lines:${register}`;
  try {
    const items = [];
    let total = 0;
    do {
      const page = /** @type {any} */ (await api.get(`/api/me/grid/${encodeURIComponent(register)}${api.query({ offset: items.length, limit: PAGE })}`));
      items.push(...page.items);
      total = page.total;
      if (page.items.length < PAGE) break;
    } while (items.length < Math.min(total, MOST_KEPT));
    await keepSealed(name(what), { items, total }).catch(() => {});
    return { items, total, kept: false };
  } catch (error) {
    const kept = gone(error) ? await keptSealed(name(what)) : null;
    if (kept) return { ...kept, kept: true };
    throw error;
  }
}

const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/\s+/g, "");

/** Lines that a text finds: a name or a part of it, pinyin, initials, a building's number; the nearest first. @param {Line[]} items @param {string} text */
export function found(items, text) {
  const asked = plain(text);
  if (!asked) return items;
  const rank = (one) => {
    const called = plain(one.name);
    if (called === asked) return 0;
    if (called.startsWith(asked)) return 1;
    if (one.initials === asked || one.pinyin === asked) return 2;
    if (one.pinyin.startsWith(asked) || one.initials.startsWith(asked)) return 3;
    if (called.includes(asked)) return 4;
    return plain(`${one.building}${one.about.address ?? ""}${one.about.room ?? ""}`).includes(asked) ? 5 : 9;
  };
  return items.map((one) => ({ one, at: rank(one) })).filter(({ at }) => at < 9).sort((a, b) => a.at - b.at).map(({ one }) => one);
}

/** Lines whose visit is due by `today`, the longest overdue first. @param {Line[]} items @param {string} today */
export const due = (items, today) => items.filter((one) => one.visit_due && one.visit_due <= today).sort((a, b) => (String(a.visit_due) < String(b.visit_due) ? -1 : 1));
