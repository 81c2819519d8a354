// What is kept to read of people lies encrypted: AES-GCM with a key that never leaves this phone's store and goes at log-out.
// Without a secure context there is no such key, and nothing of people is kept (the phone's shell is not kept then either).
import { keep, kept } from "./db.mjs";

const NAME = "sealing-key"; // in the store `cache`: wiped at log-out with all that it opens

/** @returns {Promise<CryptoKey | null>} */
async function key(make) {
  if (!globalThis.crypto?.subtle) return null;
  const known = await kept(NAME).catch(() => null);
  if (known || !make) return known || null;
  const fresh = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await keep(NAME, fresh);
  return fresh;
}

/** Keep `value` (JSON) under `name`; false where it cannot be kept encrypted. */
export async function keepSealed(name, value) {
  const own = await key(true);
  if (!own) return false;
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const text = new TextEncoder().encode(JSON.stringify(value));
  const body = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) }, own, text);
  await keep(name, { iv, body });
  return true;
}

/** What was kept under `name`; null when there is nothing, or its key is gone. */
export async function keptSealed(name) {
  const own = await key(false);
  if (!own) return null;
  const found = await kept(name).catch(() => null);
  if (!found?.body) return null;
  try {
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: found.iv, additionalData: new TextEncoder().encode(name) }, own, found.body);
    return JSON.parse(new TextDecoder().decode(text));
  } catch {
    return null;
  }
}
