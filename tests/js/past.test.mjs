import assert from "node:assert/strict";
import { test } from "node:test";
import { casesAt, downAt, severityAt, ticks, valueAt } from "../../dashboard/static/ui/wall/past.mjs";
import { reasons } from "../../dashboard/static/ui/cases/reasons.mjs";

const iso = (s) => new Date(s * 1000).toISOString();
const one = { case_id: "a", opened_at: iso(100), closed_at: iso(300), severity: 4, severities: [[100, 2], [200, 4]], lon: 1, lat: 2 };

test("a case stands from its opening to its closing, with the severity of then", () => {
  assert.deepEqual([50, 100, 199, 200, 299, 300].map((s) => casesAt([one], s)[0]?.severity ?? null), [null, 2, 2, 4, 4, null]);
  assert.equal(severityAt([], 5), 1);
});

test("readings are the last ones, and none when they are old", () => {
  assert.deepEqual([valueAt([[0, 1], [300, 2]], 299), valueAt([[0, 1], [300, 2]], 300), valueAt([[0, 1]], 2000), valueAt([], 1), valueAt([[10, 1]], 5)], [1, 2, null, null, null]);
});

test("cameras that were down are down", () => {
  assert.deepEqual([...downAt({ x: [[10, false], [20, true]], y: [[5, false]] }, 15)].sort(), ["x", "y"]);
  assert.deepEqual([...downAt({ x: [[10, false], [20, true]] }, 25)], []);
});

test("ticks count openings and keep the gravest", () => {
  assert.deepEqual(ticks([one, { ...one, opened_at: iso(900) }], 0, 400, 4), [{ count: 0, severity: 0 }, { count: 1, severity: 4 }, { count: 0, severity: 0 }, { count: 0, severity: 0 }]);
});

test("reasons are codes with values, three at most, and none are invented", () => {
  const detail = { case: { source_type: "device" }, why: { rule: { name: "甲 / A", steps: [{ step: "threshold", successive: 2, limit: 0.15, unit: "m", direction: "above" }] } }, observations: [{ source_id: "x" }, { source_id: "y" }] };
  assert.deepEqual(reasons(detail, null).map((r) => r.code), ["above", "sources", "rule"]);
  const risen = reasons(detail, { escalations: [{ value: 0.42, limit: 0.4, unit: "m", after: 4 }], trend: 0.06, unit: "m" });
  assert.deepEqual(risen.map((r) => r.code), ["rose_above", "sources", "rising"]);
  assert.deepEqual(reasons({ case: {} }, null), []);
});

test("what a search hit is marked, each character once", async () => {
  const { parts } = await import("../../dashboard/static/ui/search/highlight.mjs");
  assert.deepEqual(parts("东盛大街吉林大路口", "jldl", [4, 8]), [["东盛大街", false], ["吉林大路", true], ["口", false]]);
  assert.deepEqual(parts("Bridge 12", "bridge 12", undefined), [["Bridge", true], [" ", false], ["12", true]]);
  assert.deepEqual(parts("abc", "zz", undefined), [["abc", false]]);
});
