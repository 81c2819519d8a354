// The driven phone in a page: the real IndexedDB and the page's own requests.
import { network, phone } from "./phone.mjs";

const real = globalThis.fetch.bind(globalThis);
const line = network(real);
globalThis.fetch = line.fetch;
const api = await import("/static/ui/shared/api.mjs");
const db = await import("/m/queue/db.mjs");
const { itemsOf } = await import("/m/queue/items.mjs");
const { sha256 } = await import("/m/queue/files.mjs");
const { decide, drain } = await import("/m/queue/send.mjs");
api.asksForPassword();
const store = { add: db.addAll, list: db.list, save: db.save, drop: db.drop, discard: db.discard, settle: db.settle };
export const act = phone({ store, api, line, queue: { itemsOf, drain, decide, sha256 } });
