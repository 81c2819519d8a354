// The renderer's parts that need no browser: defaults, drafts, numbers as typed, words.  Run: node --test tests/js
import assert from "node:assert/strict";
import test from "node:test";
import { numberOrText } from "../../dashboard/static/forms/controls.mjs";
import { fillRow, initialAnswers } from "../../dashboard/static/forms/defaults.mjs";
import { dropAllDrafts, dropDraft, keepDraft, readDraft } from "../../dashboard/static/forms/drafts.mjs";
import { Evaluation, evaluateForm } from "../../dashboard/static/forms/engine.mjs";
import { parse } from "../../dashboard/static/forms/expression.mjs";
import { Compiled } from "../../dashboard/static/forms/structure.mjs";
import { roundHalfAway } from "../../dashboard/static/forms/values.mjs";
import { wordKeys } from "../../dashboard/static/forms/words.mjs";

const form = (questions) => new Compiled({ questions });
const TODAY = { today: "2026-11-28" };

test("answers given go before prefilled ones, those before defaults", () => {
  const compiled = form([
    { type: "text", name: "a", default: "x" }, { type: "integer", name: "n", default: "7" }, { type: "date", name: "d", default: "today()" },
    { type: "text", name: "b", default: "concat(${a}, '!')" },
  ]);
  assert.deepEqual(initialAnswers(compiled, {}, {}, TODAY), { a: "x", n: 7, d: "2026-11-28", b: "x!" });
  assert.deepEqual(initialAnswers(compiled, { a: "given" }, { a: "pre", n: 3 }, TODAY), { a: "given", n: 3, d: "2026-11-28", b: "given!" });
});

test("a new row gets its defaults once", () => {
  const compiled = form([{ type: "repeat", name: "r", children: [{ type: "integer", name: "q", default: "1" }, { type: "integer", name: "w", default: "${q} + 1" }] }]);
  const answers = { r: [{ q: 5 }, {}] };
  fillRow(compiled, answers, compiled.items[0], [1], TODAY);
  assert.deepEqual(answers.r, [{ q: 5 }, { q: 1, w: 2 }]);
});

test("what is typed is a number, or stays the text that is the error", () => {
  assert.deepEqual(["12", " 1.50 ", "-3", "１２", "", "1e3", "abc", "1,000"].map(numberOrText), [12, 1.5, -3, 12, null, "1e3", "abc", "1,000"]);
});

test("drafts come back, grow old, and survive a full or missing storage", () => {
  const kept = new Map();
  globalThis.localStorage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k) };
  assert.equal(keepDraft("k", "h", { a: 1 }), true);
  assert.deepEqual(readDraft("k").values, { a: 1 });
  kept.set("yw-form-draft:k", JSON.stringify({ at: Date.now() - 31 * 86400e3, hash: "h", values: {} }));
  assert.equal(readDraft("k"), null);
  kept.set("yw-form-draft:k", "{broken");
  assert.equal(readDraft("k"), null);
  globalThis.localStorage = { getItem: () => null, setItem: () => { throw new Error("full"); }, removeItem: () => {} };
  assert.equal(keepDraft("k", "h", {}), false);
  delete globalThis.localStorage;
  dropDraft("k");
  dropAllDrafts();
});

test("a condition of a question on its own group never hangs", () => {
  const compiled = form([{ type: "group", name: "g", relevant: "${a} = 1", children: [{ type: "integer", name: "a" }] }]);
  assert.equal(evaluateForm(compiled, { a: 1 }, TODAY).relevant.a, false);
});

test("names of objects are no answers", () => {
  const compiled = form([{ type: "text", name: "a" }]);
  const state = evaluateForm(compiled, JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}'), TODAY);
  assert.deepEqual(state.errors.map(([path]) => path).sort(), ["__proto__", "constructor"]);
  assert.equal(new Evaluation(compiled, {}, TODAY).lookup("constructor", compiled.items[0], []), null);
});

test("rounding looks at the digits shown", () => {
  assert.deepEqual([[2.675, 2], [-2.5, 0], [1234, -2], [0.05, 1], [9.995, 2], [1e21, 2], [4.4, 0]].map(([x, n]) => roundHalfAway(x, n)), [2.68, -3, 1200, 0.1, 10, 1e21, 4]);
});

test("an error names its column in code points", () => {
  assert.throws(() => parse("'𠮷' ＋ 1"), (error) => error.code === "syntax" && error.column === 5 && error.values.suggestion === "+");
});

test("both languages have the same words", () => {
  const keys = wordKeys();
  assert.deepEqual(keys.zh, keys.en);
});
