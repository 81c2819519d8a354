import assert from "node:assert/strict";
import { test } from "node:test";

import { folded } from "../../dashboard/static/work/course.mjs";

const move = (/** @type {string} */ command, /** @type {string} */ at) => ({ command, at });

test("a signal that clears and comes back is one line with a count", () => {
  const all = [move("report", "1"), move("clear", "2"), move("escalate", "3"), move("clear", "4"), move("clear", "5"), move("close", "6")];
  const lines = folded(all);
  assert.deepEqual(lines.map((line) => [line.move.command, line.move.at, line.times]), [["report", "1", 1], ["escalate", "3", 1], ["clear", "5", 3], ["close", "6", 1]]);
  assert.equal(lines[2].since, "2");
});

test("what happened once stays as it is", () => {
  const all = [move("report", "1"), move("clear", "2")];
  assert.deepEqual(folded(all).map((line) => line.move), all);
  assert.deepEqual(folded([]), []);
});
