// The drone page's sender: goes on where the server stands, gives up only at the server's last word.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PART, hashOf, metadata, send, totals } from "../../dashboard/static/ui/drone/sending.mjs";

const none = () => {};
const soon = async () => {};

/** A server that keeps bytes and fails where told. */
function server(size, failures = []) {
  const state = { offset: 0, begun: 0, patches: 0 };
  const answer = () => ({ headers: { get: (name) => ({ Location: "/u/1", "Upload-Offset": String(state.offset) })[name] } });
  const raw = async (method, path, options) => {
    const failure = failures.shift();
    if (method === "POST") state.begun += 1;
    if (failure) throw Object.assign(new Error("no"), { status: failure });
    if (method === "PATCH") {
      assert.equal(options.headers["Upload-Offset"], String(state.offset));
      state.offset += options.body.size;
      state.patches += 1;
    }
    return answer();
  };
  return { state, raw };
}
const job = (size) => ({ file: new File([new Uint8Array(size)], "DJI_0001.JPG"), folder: "a/b", state: "waiting", sent: 0, sha256: "", error: "" });

test("a file goes in parts and is done", async () => {
  const one = job(PART + 10);
  const { state, raw } = server(one.file.size);
  await send(one, raw, none, soon);
  assert.equal(one.state, "done");
  assert.deepEqual([state.offset, state.patches, state.begun], [PART + 10, 2, 1]);
});

test("a cut line is asked where it stands and goes on", async () => {
  const one = job(2 * PART);
  const { state, raw } = server(one.file.size, [0, 0, 503, 0, 409]);
  await send(one, raw, none, soon);
  assert.equal(one.state, "done");
  assert.equal(state.offset, 2 * PART);
});

test("the server's refusal is the last word", async () => {
  const one = job(10);
  const { raw } = server(10, [422]);
  await send(one, raw, none, soon);
  assert.equal(one.state, "refused");
  const two = job(10);
  await send(two, server(10, Array(20).fill(503)).raw, none, soon);
  assert.equal(two.state, "failed");
});

test("progress counts bytes and files", () => {
  const jobs = [{ file: { size: 100 }, state: "done", sent: 0 }, { file: { size: 100 }, state: "sending", sent: 50 }, { file: { size: 50 }, state: "refused", sent: 3 }];
  assert.deepEqual(totals(jobs), { files: 3, bytes: 250, sent: 200, settled: 2, bad: 1 });
});

test("names in Chinese survive the header, hashes are hex", async () => {
  assert.equal(metadata({ filename: "航拍_0007.JPG" }), "filename 6Iiq5ouNXzAwMDcuSlBH");
  assert.equal((await hashOf(new File([""], "a"))).slice(0, 8), "e3b0c442");
  assert.equal(await hashOf(new File(["a"], "a"), null), "");
});
