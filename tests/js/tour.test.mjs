import assert from "node:assert/strict";
import { test } from "node:test";
import * as course from "../../dashboard/static/ui/video/tour.mjs";

const stops = (n, found = {}) => Array.from({ length: n }, (_, i) => ({ camera_id: `c${i}`, findings: found[i] || [] }));
const ids = (tour) => course.shown(tour).map((s) => s.camera_id);

test("every camera stands once a round, whatever the number of tiles", () => {
  for (const [n, tiles] of [[1, 4], [5, 1], [8, 4], [9, 4], [16, 16]]) {
    let tour = course.begin(stops(n), { dwell_ms: 1000, tiles });
    const seen = new Set(ids(tour));
    let now = 0;
    for (let i = 0; i < Math.ceil(n / tiles) - 1; i += 1) {
      now += 1000;
      tour = course.tick(tour, now);
      ids(tour).forEach((id) => seen.add(id));
    }
    assert.equal(seen.size, n);
  }
});

test("it stays for the dwell time, and not when paused", () => {
  let tour = course.begin(stops(3), { dwell_ms: 1000 });
  assert.deepEqual(ids(course.tick(tour, 999)), ["c0"]);
  assert.deepEqual(ids(course.tick(tour, 1000)), ["c1"]);
  tour = course.pause(tour, true, 0);
  assert.deepEqual(ids(course.tick(tour, 10_000)), ["c0"]);
  tour = course.pause(tour, false, 10_000);
  assert.deepEqual(ids(course.tick(tour, 10_999)), ["c0"]);
  assert.deepEqual(ids(course.tick(tour, 11_000)), ["c1"]);
});

test("it stops at an open case until somebody lets it pass, and not again for the same", () => {
  let tour = course.begin(stops(2, { 1: [{ case_id: "x", title: "fire" }] }), { dwell_ms: 10 });
  tour = course.tick(tour, 10);
  assert.deepEqual(ids(tour), ["c1"]);
  for (const now of [20, 5000]) {
    tour = course.tick(tour, now);
    assert.deepEqual(ids(tour), ["c1"]);
  }
  assert.equal(course.finding(tour).case_id, "x");
  tour = course.pass(tour, "x", 5000);
  tour = course.tick(tour, 5010);
  assert.deepEqual(ids(tour), ["c0"]);
  tour = course.tick(course.tick(tour, 5020), 5030);
  assert.deepEqual(ids(tour), ["c0"], "the second round does not stop");
});

test("a tour that does not stop at findings goes on; forward, back and wrapping", () => {
  let tour = course.begin(stops(3, { 0: [{ case_id: "x" }] }), { dwell_ms: 10, stopAtFindings: false });
  tour = course.tick(tour, 10);
  assert.deepEqual(ids(tour), ["c1"]);
  assert.deepEqual(ids(course.back(course.back(tour, 0), 0)), ["c2"]);
  const last = course.next(tour, 0);
  const again = course.next(last, 0);
  assert.ok(course.wrapped(last, again) && !course.wrapped(tour, last));
  assert.equal(course.shown(course.begin([], { dwell_ms: 1 })).length, 0);
});
