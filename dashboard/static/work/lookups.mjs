// What a form's searches find: departments, people, classes (name, pinyin, initials), cases, sites.
const MOST = 20;

/**
 * @param {{get: (path: string) => Promise<any>}} api
 * @param {{keep?: (key: string, value: any) => Promise<any>, kept?: (key: string) => Promise<any>, unit?: (value: any, unit: string) => string, standing?: Record<string, any>, english?: boolean}} [by]
 *   keep and kept make lists outlive the network
 * @returns {(item: any, text: string) => Promise<{id: string, label: string}[]>}
 */
export function lookups(api, by = {}) {
  /** @type {Map<string, Promise<any[]>>} */
  const read = new Map();
  /** @param {string} key @param {string} path */
  const list = (key, path) => {
    if (!read.has(key)) {
      read.set(key, api.get(path).then((answer) => {
        by.keep?.(`list:${key}`, answer.items)?.catch?.(() => {});
        return answer.items;
      }, async (error) => {
        read.delete(key); // the network may be back when it is asked again
        const kept = await by.kept?.(`list:${key}`)?.catch?.(() => null);
        if (kept) return kept;
        throw error;
      }));
    }
    return /** @type {Promise<any[]>} */ (read.get(key));
  };
  const named = (/** @type {any} */ row) => (by.english && row.name_en) || row.name;
  /** @type {Record<string, (text: string) => Promise<{id: string, label: string}[]>>} */
  const kinds = {
    department: async (text) => best(await list("departments", "/api/departments"), text, "department_id", (d) => [d.name, d.name_en], named),
    user: async (text) => best(await list("people", "/api/users?limit=500"), text, "user_id", (u) => [u.name, u.login], (u) => [u.name, u.department_name].filter(Boolean).join(" · ")),
    class: async (text) => best(await list("classes", "/api/classes"), text, "code", (c) => [c.name, c.pinyin, c.initials, c.code, c.group],
      (c) => [`${c.name} ${c.code}`, c.group, c.limit_value ? (by.unit?.(c.limit_value, c.limit_unit) ?? `${c.limit_value} ${c.limit_unit}`) : ""].filter(Boolean).join(" · ")),
    case: async (text) => (await api.get(`/api/work?view=all&limit=${MOST}&q=${encodeURIComponent(text)}`)).items.map((/** @type {any} */ item) => ({ id: item.case.case_id, label: `${item.case.number} ${item.case.title}` })),
    site: async (text) => best((await list("sites", "/api/map/sites.geojson").catch(() => [])).map((f) => f.properties ?? f), text, "site_id", (s) => [s.name, s.name_en], named),
    standing: async (text) => Object.keys(by.standing ?? {}).filter((key) => key.includes(text)).map((key) => ({ id: key, label: key.split("|").slice(1).join(" · ") })),
  };
  return async (item, text) => (kinds[item.question?.list ?? item.list] ?? (async () => []))(text);
}

/**
 * Rows that fit what was typed, the closest first; without words the first ones.
 * @param {any[]} rows @param {string} typed @param {string} key @param {(row: any) => any[]} words @param {(row: any) => string} label
 */
export function best(rows, typed, key, words, label) {
  const text = typed.trim().toLowerCase();
  const bare = text.replace(/\s+/g, "");
  const rank = (/** @type {any} */ row) => {
    if (row[key] === typed) return 4;
    const said = words(row).filter(Boolean).map((word) => String(word).toLowerCase());
    if (said.some((word) => word === text)) return 3;
    if (said.some((word) => word.startsWith(bare))) return 2;
    return !text || said.some((word) => word.includes(text) || word.includes(bare)) ? 1 : 0;
  };
  const found = rows.map((row) => ({ row, at: rank(row) })).filter((one) => one.at);
  return found.sort((a, b) => b.at - a.at).slice(0, MOST).map(({ row }) => ({ id: String(row[key]), label: label(row) }));
}
