// The phone's queue without a browser: whose items go, in what order, what happens after a cut or a refusal.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { asRecord, choicesOf, itemsOf, nextToSend, others, passing, told } from "../../dashboard/mobile/queue/items.mjs";
import { byHand, prepare, tell } from "../../dashboard/mobile/queue/files.mjs";
import { decide, drain } from "../../dashboard/mobile/queue/send.mjs";
import { upload } from "../../dashboard/mobile/queue/tus.mjs";
import { bd09, gcj02, routes } from "../../dashboard/mobile/geo.mjs";

const ME = { user_id: "u1", name: "张三" };
const YOU = { user_id: "u2", name: "李四" };
const AT = "2026-06-05T03:00:00.000Z";

function store() {
  const rows = new Map();
  let seq = 0;
  return {
    rows,
    add(items) { if (items.some((i) => rows.has(i.key))) return false; for (const i of items) rows.set(i.key, { ...i, seq: ++seq }); return true; },
    list: async () => [...rows.values()].map((i) => ({ ...i })),
    save: async (i) => { rows.set(i.key, i); },
    drop: async (key) => { rows.delete(key); },
    discard: async (key) => { rows.delete(key); for (const [k, i] of rows) if (i.parent === key && i.case_id == null) rows.delete(k); },
    settle: async (key, id) => { rows.delete(key); for (const [k, i] of rows) if (i.parent === key) rows.set(k, { ...i, case_id: id, parent: null }); },
  };
}

class Failure extends Error { constructor(status, code = "", body = {}) { super(code || String(status)); this.status = status; this.code = code; this.body = body; this.text = code; } }

/** A server that keeps idempotency keys and uploads; `cut(n)` says whether the n-th request's answer, or the request itself, is lost. */
function server(session, cut = () => "") {
  const seen = new Map();
  const files = new Map();
  const log = [];
  let n = 0;
  let sent = 0;
  const lost = (run) => { const how = cut(n++); if (how === "before") throw new Failure(0); const answer = run(); if (how === "after") throw new Failure(0); return answer; };
  const head = (offset, path) => ({ headers: new Map([["Upload-Offset", String(offset)], ["Location", path]]) });
  return {
    log, files, sent: () => sent, now: () => AT, wait: async () => {},
    post: async (path, body, { headers }) => lost(() => {
      if (headers["X-Acting-User"] !== session.user.user_id) throw new Failure(409, "wrong_person");
      const key = headers["Idempotency-Key"];
      if (seen.has(key)) return seen.get(key);
      const answer = { case_id: path === "/api/cases" ? `c${seen.size}` : null };
      seen.set(key, answer);
      log.push({ path, body, as: session.user.user_id, key });
      return answer;
    }),
    raw: async (method, path, { headers, body }) => {
      if (method === "POST") return lost(() => { const key = headers["Upload-Metadata"].match(/key (\S+)/)[1]; const id = `up-${key.slice(0, 12)}-${[...key].reduce((a, c) => (a * 31 + c.charCodeAt(0)) % 1e9, 7)}`; if (!files.has(id)) files.set(id, Buffer.alloc(0)); return head(files.get(id).length, `/api/uploads/${id}`); });
      const id = path.split("/").pop();
      if (method === "HEAD") return lost(() => head(files.get(id).length, path));
      const how = cut(n++);
      if (how === "before") throw new Failure(0);
      if (Number(headers["Upload-Offset"]) !== files.get(id).length) throw new Failure(409, "upload_offset");
      let data = Buffer.from(await body.arrayBuffer());
      if (how === "middle") data = data.subarray(0, Math.floor(data.length / 2)); // the line broke; what arrived is kept
      sent += data.length;
      files.set(id, Buffer.concat([files.get(id), data]));
      if (how) throw new Failure(0);
      return head(files.get(id).length, path);
    },
  };
}

const command = (case_id, name, more = {}) => ({ kind: "command", case_id, name, data: {}, ...more });
const photo = (case_id, bytes) => ({ kind: "photo", case_id, purpose: "after", blob: new Blob([bytes]) });

test("one opened form gives the same keys, whatever is tapped how often", () => {
  const kept = store();
  const make = () => itemsOf("form-1", [photo("c1", "x"), command("c1", "finish")], { owner: ME, at: AT });
  assert.equal(kept.add(make()), true);
  assert.equal(kept.add(make()), false);
  assert.equal(kept.rows.size, 2);
});

test("only the owner's items go, and the others are told by name and number alone", () => {
  const kept = store();
  kept.add(itemsOf("a", [command("c1", "accept")], { owner: YOU, at: AT }));
  kept.add(itemsOf("b", [command("c1", "comment", { data: { comment: "secret" } })], { owner: ME, at: AT }));
  const items = [...kept.rows.values()];
  assert.equal(nextToSend(items, ME).key, "b:0");
  assert.deepEqual(others(items, ME), [{ name: "李四", user_id: "u2", count: 1, since: AT }]);
  assert.equal(nextToSend(items, null), null);
});

test("a case's steps keep their order, a refused one holds up its own case only", async () => {
  const kept = store();
  kept.add(itemsOf("a", [command("c1", "accept"), command("c1", "finish")], { owner: ME, at: AT }));
  kept.add(itemsOf("b", [command("c2", "accept")], { owner: ME, at: AT }));
  const s = server({ user: ME });
  const post = s.post;
  s.post = (path, body, options) => { if (path.includes("c1")) throw new Failure(409, "move_illegal"); return post(path, body, options); };
  assert.equal(await drain(kept, s, ME), null);
  assert.deepEqual([...kept.rows.values()].map((i) => [i.key, i.state]), [["a:0", "refused"], ["a:1", "waiting"]]);
  assert.deepEqual(s.log.map((l) => l.path), ["/api/cases/c2/commands"]);
});

test("photographs of a report wait for its case", async () => {
  const kept = store();
  kept.add(itemsOf("r", [{ kind: "report", data: { title: "t" } }, photo(null, "abc")], { owner: ME, at: AT }));
  const s = server({ user: ME });
  await drain(kept, s, ME);
  assert.equal(kept.rows.size, 0);
  assert.deepEqual(s.log.map((l) => l.path), ["/api/cases", "/api/cases/c0/attachments?purpose=after"]);
});

test("what was seen goes along with what moves a case, not with what only adds", () => {
  const [accept, comment] = itemsOf("f", [command("c", "accept", { seen_version: 4 }), command("c", "comment", { seen_version: 4 })], { owner: ME, at: AT, skew_s: 3, place: { lon: 1, lat: 2, accuracy: 5 } });
  assert.deepEqual(told(accept, AT), { at: AT, phone_now: AT, skew_s: 3, place: { lon: 1, lat: 2 }, accuracy_m: 5, seen_version: 4 });
  assert.equal("seen_version" in told(comment, AT), false);
  assert.equal("seen_version" in told({ ...accept, anyway: true }, AT), false);
});

test("discarding a command never throws a photograph away", async () => {
  const kept = store();
  kept.add(itemsOf("f", [photo("c1", "abc"), command("c1", "finish")], { owner: ME, at: AT }).map((i) => ({ ...i, state: "refused", problem: { code: "forbidden" } })));
  await decide(kept, "f:1", "discard");
  await decide(kept, "f:0", "discard");
  const left = [...kept.rows.values()];
  assert.deepEqual(left.map((i) => [i.kind, i.state, i.refused]), [["late", "waiting", "forbidden"]]);
  const s = server({ user: ME });
  await drain(kept, s, ME);
  assert.equal(s.log[0].path, "/api/cases/c1/late-records");
  assert.equal(s.log[0].body.uploads.length, 1);
  assert.equal(asRecord(left[0]).kind, "late");
});

test("a discarded report takes its photographs along, and nothing else", async () => {
  const kept = store();
  kept.add(itemsOf("r", [{ kind: "report", data: {} }, photo(null, "abc"), photo(null, "def")], { owner: ME, at: AT }));
  kept.add(itemsOf("q", [{ kind: "report", data: {} }, photo(null, "ghi")], { owner: ME, at: AT }));
  kept.rows.set("r", { ...kept.rows.get("r"), state: "refused", problem: { code: "input_invalid" } });
  assert.deepEqual(choicesOf(kept.rows.get("r")), ["anyway", "discard"]);
  await decide(kept, "r", "record"); // there is no file to keep it in: nothing happens
  assert.equal(kept.rows.size, 5);
  await decide(kept, "r", "discard");
  assert.deepEqual([...kept.rows.keys()], ["q", "q:1"]);
});

test("a refused report with files in its answers can be discarded", async () => {
  const kept = store();
  kept.add(itemsOf("r", [{ kind: "report", data: { evidence: "f1" }, files: [{ id: "f1", blob: new Blob(["a"]) }] }], { owner: ME, at: AT }).map((i) => ({ ...i, state: "refused", problem: { code: "forbidden" } })));
  await decide(kept, "r", "discard");
  assert.equal(kept.rows.size, 0);
});

test("a photograph whose report is gone is shown, not kept for ever", async () => {
  const kept = store();
  kept.add(itemsOf("r", [{ kind: "report", data: {} }, photo(null, "abc")], { owner: ME, at: AT }));
  await kept.drop("r");
  const s = server({ user: ME });
  await drain(kept, s, YOU);
  assert.equal(kept.rows.get("r:1").state, "waiting"); // another person's
  await drain(kept, s, ME);
  assert.deepEqual([kept.rows.get("r:1").state, kept.rows.get("r:1").problem.code, s.log.length], ["refused", "report_gone", 0]);
  await decide(kept, "r:1", "discard");
  assert.equal(kept.rows.size, 0);
});

test("no conflict offers to throw a photograph away; a file that is never taken may go", () => {
  const refused = (item, code) => ({ ...item, state: "refused", problem: { code } });
  const [taken] = itemsOf("f", [photo("c1", "abc")], { owner: ME, at: AT });
  for (const code of ["stale_case", "move_illegal", "forbidden", "not_found", "input_invalid"]) assert.deepEqual(choicesOf(refused(taken, code)), ["anyway", "record"]);
  assert.deepEqual(choicesOf(refused(taken, "file_refused")), ["anyway", "record", "discard"]);
  assert.deepEqual(choicesOf(refused(asRecord(refused(taken, "not_found")), "not_found")), ["anyway", "discard"]);
});

test("a session that became another person's stops everything and changes nothing", async () => {
  const kept = store();
  kept.add(itemsOf("a", [command("c1", "accept")], { owner: ME, at: AT }));
  const s = server({ user: YOU });
  const stopped = await drain(kept, s, ME);
  assert.equal(stopped.code, "wrong_person");
  assert.equal(kept.rows.get("a:0").state, "waiting");
  assert.equal(passing(new Failure(422, "input_invalid")), false);
});

function random(seed) { return () => { seed = (seed * 1664525 + 1013904223) % 4294967296; return seed / 4294967296; }; }

test("ten thousand histories of cuts, restarts and two people: nothing lost, doubled, misattributed", async () => {
  for (let seed = 1; seed <= 10000; seed++) {
    const r = random(seed);
    const kept = store();
    const session = { user: ME };
    const s = server(session, () => { const x = r(); return x < 0.15 ? "before" : x < 0.3 ? "after" : x < 0.4 ? "middle" : ""; });
    const wanted = [];
    for (let form = 0; form < 1 + r() * 4; form++) {
      const who = r() < 0.5 ? ME : YOU;
      const c = r() < 0.5 ? "c-a" : "c-b";
      const steps = r() < 0.3 ? [{ kind: "report", data: { n: form } }, photo(null, "p".repeat(1 + r() * 300))] : r() < 0.5 ? [photo(c, "q".repeat(1 + r() * 300)), command(c, "finish")] : [command(c, "comment")];
      const items = itemsOf(`f${seed}-${form}`, steps, { owner: who, at: AT });
      kept.add(items);
      if (r() < 0.4) assert.equal(kept.add(items), false); // a second tap
      for (const i of items) wanted.push([i.key, who.user_id]);
      session.user = r() < 0.5 ? ME : YOU;
      if (r() < 0.7) await drain(kept, s, r() < 0.9 ? session.user : ME);
    }
    for (let round = 0; kept.rows.size && round < 400; round++) { session.user = round % 2 ? ME : YOU; await drain(kept, s, session.user); }
    assert.equal(kept.rows.size, 0, `seed ${seed}: something stayed ${JSON.stringify([...kept.rows.values()])}`);
    assert.deepEqual(s.log.map((l) => [l.key, l.as]).sort(), wanted.sort(), `seed ${seed}`);
    for (const owner of [ME, YOU]) for (const c of ["c-a", "c-b"]) {
      const order = s.log.filter((l) => l.as === owner.user_id && l.path.includes(c)).map((l) => l.key);
      const written = wanted.map(([k]) => k).filter((k) => order.includes(k));
      assert.deepEqual([...order].sort(), [...written].sort());
    }
  }
});

test("a file over a line that breaks all the time arrives whole, hardly a byte twice", async () => {
  const bytes = new Uint8Array(700000).map((_, i) => (i * 7919) % 251);
  const r = random(5);
  const s = server({ user: ME }, () => (r() < 0.25 ? "middle" : r() < 0.15 ? "after" : ""));
  let id = null;
  for (let again = 0; !id && again < 30; again++) id = await upload(new Blob([bytes]), { key: "k" }, s).catch((error) => { if (error.status !== 0) throw error; return null; });
  assert.equal(createHash("sha256").update(s.files.get(id)).digest("hex"), createHash("sha256").update(bytes).digest("hex"));
  assert.equal(s.sent(), bytes.length, "what had arrived was never sent again");
});

test("kinds by bytes and brand", () => {
  const box = (...brands) => new TextEncoder().encode(`\0\0\0${String.fromCharCode(8 + brands.length * 4 + 4)}ftyp${brands[0]}\0\0\0\0${brands.slice(1).join("")}`);
  for (const [bytes, type] of [[box("heic", "mif1"), "image/heic"], [box("mif1", "heic"), "image/heic"], [box("mif1", "avif"), "image/avif"], [box("avif", "mif1"), "image/avif"], [box("M4A ", "isom"), "audio/mp4"],
    [box("isom", "mp42"), "video/mp4"], [box("qt  ", "qt  "), "video/quicktime"], [box("zzzz", "zzzz"), ""], [new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0]), "image/jpeg"]]) assert.equal(tell(bytes), type);
});

test("what a browser can show becomes JPEG, what it cannot is refused with a word", async () => {
  const heic = new Blob(["\0\0\0\x18ftypheic\0\0\0\0mif1heic"]);
  await assert.rejects(prepare(heic, { picture: async () => { throw new Error("no"); } }), { code: "heic" });
  const made = await prepare(heic, { picture: async () => new Blob(["jpeg"], { type: "image/jpeg" }) });
  assert.equal(made.filename, "photo.jpg");
  await assert.rejects(prepare(new Blob(["\0\0\0\x18ftypM4A \0\0\0\0isommp42"])), { code: "sound" });
});

test("a film is one by its tracks, wherever its index stands; sound in a film's clothes is refused before it is queued", async () => {
  const box = (name, ...inside) => {
    const body = Buffer.concat(inside.map((one) => Buffer.from(one)));
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + body.length);
    head.write(name, 4, "latin1");
    return Buffer.concat([head, body]);
  };
  const track = (kind) => box("trak", box("mdia", box("mdhd", Buffer.alloc(24)), box("hdlr", Buffer.alloc(8), kind, Buffer.alloc(13))));
  const film = (major, tracks, last) => {
    const parts = [box("moov", box("mvhd", Buffer.alloc(100)), ...tracks.map(track)), box("mdat", Buffer.alloc(4000))];
    return new Blob([box("ftyp", major, Buffer.alloc(4), "isommp42"), ...(last ? parts.reverse() : parts)]);
  };
  for (const major of ["isom", "mp42", "3gp4", "qt  "]) {
    for (const last of [false, true]) {
      assert.equal((await prepare(film(major, ["soun", "vide"], last))).film, true);
      await assert.rejects(prepare(film(major, ["soun"], last)), { code: "sound" });
      await assert.rejects(prepare(film(major, [], last)), { code: "unknown" });
    }
    const whole = film(major, ["vide"], true);
    await assert.rejects(prepare(whole.slice(0, whole.size - 30)), { code: "broken" });
  }
  const matroska = (kind) => new Blob([Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 0x9f, 0x42, 0x82, 0x88]), kind, Buffer.alloc(40)]);
  assert.equal((await prepare(matroska("webm"))).filename, "film.webm");
  await assert.rejects(prepare(matroska("matroska")), { code: "unknown" });
});

test("SHA-256 by hand is SHA-256", () => {
  for (const n of [0, 1, 55, 56, 63, 64, 65, 1000, 70000]) {
    const data = new Uint8Array(n).map((_, i) => (i * 31 + n) % 256);
    assert.equal(Buffer.from(byHand(data)).toString("hex"), createHash("sha256").update(data).digest("hex"));
  }
});

test("each navigation app gets its own coordinates", () => {
  const [lon, lat] = [125.3698, 43.8868];
  const g = gcj02([lon, lat]);
  const b = bd09([lon, lat]);
  assert.ok(Math.abs(g[0] - lon) > 0.003 && Math.abs(g[0] - lon) < 0.01 && Math.abs(g[1] - lat) < 0.005);
  assert.ok(Math.abs(b[0] - g[0] - 0.0065) < 0.001 && Math.abs(b[1] - g[1] - 0.006) < 0.001);
  assert.deepEqual(gcj02([2.35, 48.85]), [2.35, 48.85]);
  const android = routes([lon, lat], "案件", false).map((r) => r.href);
  assert.match(android[0], /^geo:43\.8868,125\.3698/);
  assert.match(android[1], new RegExp(`dlat=${g[1].toFixed(6)}&dlon=${g[0].toFixed(6)}.*dev=0`));
  assert.match(android[2], /coord_type=bd09ll/);
  assert.match(routes([lon, lat], "x", true)[1].href, /^iosamap:/);
});

test("a visit and a correction go in order, under their own keys, and a cut makes no second one", async () => {
  const s = store();
  s.add(itemsOf("f1", [{ kind: "visit", name: "record_visit", record_id: "r1", seen_record: 3, data: { result: "met", health: "ill" } }], { owner: ME, at: AT }));
  s.add(itemsOf("f2", [{ kind: "correction", name: "record_correction", record_id: "r1", seen_record: 3, data: { changes: { work: "x" }, reason: "seen" } }], { owner: ME, at: AT }));
  const api = server({ user: ME }, (n) => (n === 0 ? "after" : ""));
  assert.equal((await drain(s, api, ME)).status, 0);
  assert.equal(await drain(s, api, ME), null);
  assert.equal(s.rows.size, 0);
  assert.deepEqual(api.log.map((one) => one.path), ["/api/records/r1/visits", "/api/records/r1/changes"]);
  const [visit, change] = api.log.map((one) => one.body);
  assert.equal(visit.visit_id, "f1:0");
  assert.equal(visit.result, "met");
  assert.deepEqual(visit.answers, { health: "ill" });
  assert.equal(visit.told.at, AT);
  assert.deepEqual(change, { request_id: "f2:0", changes: { work: "x" }, reason: "seen", seen_version: 3 });
});

test("a refused visit holds up what follows on its record, and nothing else", () => {
  const made = (form, id) => itemsOf(form, [{ kind: "visit", name: "record_visit", record_id: id, data: { result: "met" } }], { owner: ME, at: AT })[0];
  const items = [{ ...made("a", "r1"), seq: 1, state: "refused" }, { ...made("b", "r1"), seq: 2 }, { ...made("c", "r2"), seq: 3 }];
  assert.equal(nextToSend(items, ME).form, "c");
});
