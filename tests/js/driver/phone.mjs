// One phone that a test drives: the product's own queue, a network that is cut, a process that dies, a clock that is wrong.
// Node gives it a store in memory; a page gives it the real IndexedDB.  What it is asked and answers is plain JSON.

/** The request, or its answer, is lost; or the phone dies once the request went out. */
class Cut extends TypeError {}
export class Died extends Error {}

export function network(send) {
  const line = { cuts: [], dead: false, asked: 0 };
  line.fetch = async (path, options = {}) => {
    if (line.dead) throw new Died("the phone is off");
    const how = String(path).startsWith("/api/me") ? "" : line.cuts.shift() ?? "";
    line.asked += 1;
    if (how === "before") throw new Cut("no network");
    const half = how === "middle" && options.method === "PATCH" && options.body?.size > 1;
    const answer = await send(path, half ? { ...options, body: options.body.slice(0, options.body.size >> 1) } : options);
    if (how === "die") { line.dead = true; await answer.arrayBuffer().catch(() => {}); throw new Died("the phone is off"); }
    if (how) { await answer.arrayBuffer().catch(() => {}); throw new Cut("the answer is lost"); }
    return answer;
  };
  return line;
}

let ahead = 0;
const True = globalThis.Date;
/** The phone's clock runs `seconds` ahead from now on. */
export function setClock(seconds) {
  ahead = seconds * 1000;
  globalThis.Date = class extends True {
    constructor(...given) { if (given.length) super(...given); else super(True.now() + ahead); }
    static now() { return True.now() + ahead; }
  };
}

/** The store of a phone that is off answers nothing: what was under way is not written. */
const mortal = (store, line) => Object.fromEntries(Object.entries(store).map(([name, run]) => [name, async (...given) => {
  if (line.dead) throw new Died("the phone is off");
  return run(...given);
}]));

export function phone({ store, api, queue, line }) {
  let me = null;
  const server = { post: api.post, raw: api.raw, now: () => new Date().toISOString(), wait: async () => {} };
  const done = {
    async session({ user, csrf }) { me = user; api.setToken(csrf); return { ok: true }; },
    async clock({ seconds }) { setClock(seconds); await api.get("/api/me").catch(() => {}); return { skew_s: api.clock.skew_s }; },
    async submit({ form, steps, at = null }) {
      const whole = [];
      for (const { bytes, ...step } of steps) {
        const blob = bytes ? new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], { type: "image/jpeg" }) : null;
        whole.push(blob ? { ...step, blob, filename: "photo.jpg", sha256: await queue.sha256(blob) } : step);
      }
      const items = queue.itemsOf(form, whole, { owner: me, at: at ?? server.now(), skew_s: api.clock.skew_s, place: null });
      const added = await store.add(items);
      return { added, items: items.map(plain) };
    },
    async drain({ cuts = [] }) {
      line.cuts = [...cuts];
      try {
        const stopped = await queue.drain(mortal(store, line), server, me);
        return { stopped: stopped ? { status: stopped.status, code: stopped.code } : null };
      } catch (error) {
        if (error instanceof Died || line.dead) return { stopped: { status: -1, code: "died" } };
        throw error;
      } finally {
        line.cuts = [];
        line.dead = false;
      }
    },
    async decide({ key, choice }) { await queue.decide(store, key, choice); return { ok: true }; },
    async list() { return (await store.list()).map(plain); },
  };
  return async (wish) => (done[wish.op] ? done[wish.op](wish) : Promise.reject(new Error(`what is ${wish.op}?`)));
}

const plain = ({ key, form, owner, kind, name, case_id, state, done_at, sha256, parent, problem }) =>
  ({ key, form, owner: owner.user_id, kind, name: name ?? null, case_id, state, done_at, sha256: sha256 ?? null, parent, problem: problem ? { code: problem.code, status: problem.status, text: String(problem.text) } : null });
