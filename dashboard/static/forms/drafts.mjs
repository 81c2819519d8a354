// Unsent answers on this device, so that nothing is lost without a network or when the page is closed.

const PREFIX = "yw-form-draft:";
const KEPT_MS = 30 * 86400 * 1000;

/** @param {string} key @returns {{at: number, hash: string, values: Record<string, any>}|null} */
export function readDraft(key) {
  try {
    const found = JSON.parse(localStorage.getItem(PREFIX + key) ?? "null");
    if (found && typeof found.values === "object" && found.values !== null && Date.now() - found.at < KEPT_MS) return found;
    localStorage.removeItem(PREFIX + key);
  } catch {
    // no storage, or somebody else's text under our key: there is no draft
  }
  return null;
}

/** @param {string} key @param {string} hash @param {Record<string, any>} values @returns {boolean} whether it was kept */
export function keepDraft(key, hash, values) {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify({ at: Date.now(), hash, values }));
    return true;
  } catch {
    return false;
  }
}

/** @param {string} key */
export function dropDraft(key) {
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // nothing was kept
  }
}

/** Removes every draft of this device, when somebody signs out. */
export function dropAllDrafts() {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  } catch {
    // nothing was kept
  }
}
