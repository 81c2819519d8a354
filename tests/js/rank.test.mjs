import assert from "node:assert/strict";
import { test } from "node:test";
import { byUrgency, countdown, needsDecision } from "../../dashboard/static/ui/cases/rank.mjs";
import { figure } from "../../dashboard/static/ui/shared/severity.mjs";

const NOW = Date.parse("2026-07-18T12:00:00Z");
const item = (id, more = {}) => ({ case_id: id, severity: 2, state: "handling", open: true, opened_at: "2026-07-18T11:00:00Z", deadline_at: null, ...more });

test("what rings comes first, then the gravest, then what waits for a decision, then the nearest deadline", () => {
  const items = [
    item("calm", { severity: 4 }), item("ringing", { severity: 2 }), item("waits", { state: "dispatched" }),
    item("near", { deadline_at: "2026-07-18T12:10:00Z" }), item("far", { deadline_at: "2026-07-18T14:00:00Z" }), item("closed", { open: false, severity: 4 }),
  ];
  assert.deepEqual(byUrgency(items, new Set(["ringing"]), NOW).map((c) => c.case_id), ["ringing", "calm", "waits", "near", "far"]);
});

test("a late case needs a decision though somebody has it", () => {
  assert.equal(needsDecision(item("a", { deadline_at: "2026-07-18T11:59:59Z" }), NOW), true);
  assert.equal(needsDecision(item("b", { deadline_at: "2026-07-18T12:00:01Z" }), NOW), false);
  assert.equal(needsDecision(item("c", { state: "dispatched", open: false }), NOW), false);
});

test("countdowns keep their sign and never show a frozen zero", () => {
  assert.deepEqual(countdown(18 * 60e3 + 24e3), { text: "18:24", late: false, days: 0 });
  assert.equal(countdown(-390e3).text, "−06:30");
  assert.equal(countdown(72 * 60e3).text, "1:12:00");
  assert.equal(countdown(49 * 3600e3).days, 2);
});

test("severity 4 is level 1, whatever comes in", () => {
  assert.deepEqual([4, 3, 2, 1, 0, 9, NaN].map(figure), [1, 2, 3, 4, 4, 1, 4]);
});
