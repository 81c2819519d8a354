// A phone in Node: one JSON line in, one out.  `node node.mjs http://127.0.0.1:PORT`
import { createInterface } from "node:readline";
import { network, phone } from "./phone.mjs";

const base = process.argv[2];
const cookies = { now: "" };
const real = globalThis.fetch;
globalThis.document = { cookie: "", querySelector: () => null, documentElement: {} };
globalThis.location = { pathname: "/m", search: "", hash: "", replace() {} };
globalThis.fetch = async () => new Response("{}"); // the words of the pages
const api = await import("../../../dashboard/static/ui/shared/api.mjs");
const { itemsOf } = await import("../../../dashboard/mobile/queue/items.mjs");
const { sha256 } = await import("../../../dashboard/mobile/queue/files.mjs");
const { decide, drain } = await import("../../../dashboard/mobile/queue/send.mjs");
const line = network((path, options) => real(base + path, { ...options, headers: { ...options.headers, Cookie: cookies.now } }));
globalThis.fetch = line.fetch;
api.asksForPassword();

const rows = new Map(); // what is on disk: it outlives the phone's death
let seq = 0;
const store = {
  add: async (items) => { if (items.some((i) => rows.has(i.key))) return false; for (const i of items) rows.set(i.key, { ...i, seq: ++seq }); return true; },
  list: async () => [...rows.values()].map((i) => ({ ...i })),
  save: async (i) => { rows.set(i.key, { ...i }); },
  drop: async (key) => { rows.delete(key); },
  discard: async (key) => { rows.delete(key); for (const [k, i] of rows) if (i.parent === key && i.case_id == null) rows.delete(k); },
  settle: async (key, id) => { rows.delete(key); for (const [k, i] of rows) if (i.parent === key) rows.set(k, { ...i, case_id: id, parent: null }); },
};
const act = phone({ store, api, line, queue: { itemsOf, drain, decide, sha256 } });

for await (const text of createInterface({ input: process.stdin })) {
  const wish = JSON.parse(text);
  if (wish.cookie !== undefined) cookies.now = wish.cookie;
  const answer = await act(wish).then((value) => ({ value }), (error) => ({ error: String(error?.stack || error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
