import assert from "node:assert/strict";
import { test } from "node:test";

import { lookups } from "../../dashboard/static/work/lookups.mjs";
import { suggested } from "../../dashboard/static/work/suggested.mjs";

const CLASSES = { items: [
  { code: "event-05-94", name: "火灾", group: "突发事件", pinyin: "huozai", initials: "hz", limit_value: 1, limit_unit: "urgent_hour" },
  { code: "part-01-01", name: "上水井盖", group: "公用设施", pinyin: "shangshuijinggai", initials: "ssjg", limit_value: 4, limit_unit: "work_hour" },
] };

test("a class is found by name, pinyin, initials or code, and shows its limit", async () => {
  const find = lookups({ get: async () => CLASSES }, { unit: (value, unit) => `${value} ${unit === "urgent_hour" ? "紧急工作时" : "工作时"}` });
  for (const typed of ["火灾", "huozai", "hz", "event-05-94"]) {
    assert.deepEqual(await find({ question: { list: "class" } }, typed), [{ id: "event-05-94", label: "火灾 event-05-94 · 突发事件 · 1 紧急工作时" }]);
  }
  assert.equal((await find({ question: { list: "class" } }, "")).length, 2);
});

test("the routing suggestion fills the dispatch form with what it asks", async () => {
  const get = async () => ({ suggestion: { department_id: "dept-fire", duty: "灭火", assisting: [{ department_id: "dept-gas" }], rule: "fire" } });
  const dispatch = { required: ["department_id"], optional: ["duty", "assisting"], routed: true };
  const detail = { case: { class_code: "event-05-94", department_id: null, severity: 3 } };
  assert.deepEqual(await suggested(get, "/api/cases/1", dispatch, detail), { department_id: "dept-fire", duty: "灭火", assisting: [{ department_id: "dept-gas" }] });
  assert.deepEqual(await suggested(get, "", { ...dispatch, optional: [] }, detail), { department_id: "dept-fire" });
  const there = { case: { ...detail.case, department_id: "dept-fire" } };
  assert.deepEqual(await suggested(get, "", dispatch, there), {}, "who has it already is not suggested");
  assert.deepEqual(await suggested(async () => { throw new Error("away"); }, "", dispatch, detail), {});
  assert.deepEqual(await suggested(get, "", { required: ["class_code", "severity"] }, detail), { class_code: "event-05-94", severity: 3 });
});
