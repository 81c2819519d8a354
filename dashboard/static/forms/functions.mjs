// The functions of the expression language: the same table as core/forms/functions.py.
import { addWorkdays, ageOn, dayOf, iso, workdaysBetween } from "./dates.mjs";
import { ExpressionError } from "./errors.mjs";
import { creditCodeValid, residentNumberValid } from "./identity.mjs";
import { PatternError, matches } from "./pattern.mjs";
import { asNumber, asText, finite, isEmpty, roundHalfAway, truth } from "./values.mjs";

/** @typedef {import("./scope.mjs").Scope} Scope */

const MOST_ITEMS = 10000;

/** @param {any} value @returns {string[]} */
export function chosen(value) {
  if (Array.isArray(value)) return value.filter((item) => !isEmpty(item)).map(asText);
  return asText(value).split(/[ \t\r\n]+/).filter((name) => name !== "");
}

/** The labels of the chosen names, with commas between. @param {Scope} scope @param {string|null} question @param {any} value */
export function choiceLabel(scope, question, value) {
  return chosen(value).map((name) => scope.labels(question, name)).join(", ");
}

/** @param {any[]} values @returns {number[]} */
function items(values) {
  const flat = values.flatMap((value) => (Array.isArray(value) ? value.slice(0, MOST_ITEMS) : [value]));
  if (flat.some((item) => item !== null && typeof item === "object" && !Array.isArray(item))) throw new ExpressionError("repeat-as-value", 1);
  return /** @type {number[]} */ (flat.map(asNumber).filter((number) => number !== null));
}

/** @param {any[]} values */
function sum(values) {
  /** @type {number|null} */
  let total = 0;
  for (const number of items(values)) total = total === null ? null : finite(total + number);
  return total;
}

/** @param {any} value @param {any} start @param {any} [end] */
function substr(value, start, end) {
  const first = asNumber(start);
  const last = end === undefined ? undefined : asNumber(end);
  if (first === null || last === null) return "";
  return Array.from(asText(value)).slice(index(first), last === undefined ? undefined : index(last)).join("");
}

/** @param {number} number */
function index(number) {
  return Math.trunc(Math.max(-1e9, Math.min(1e9, number)));
}

/** @param {any} value @param {any} pattern */
function regex(value, pattern) {
  try {
    return matches(asText(pattern), asText(value));
  } catch (error) {
    if (error instanceof PatternError) return false;
    throw error;
  }
}

/** @param {any} value @param {(number: number) => any} then */
function withNumber(value, then) {
  const number = asNumber(value);
  return number === null ? null : then(number);
}

/** @param {any} first @param {any} last @param {(first: number, last: number) => any} then */
function withDays(first, last, then) {
  const [begin, end] = [dayOf(first), dayOf(last)];
  return begin === null || end === null ? null : then(begin, end);
}

/** @param {Scope} scope @param {any} first @param {any} count */
function addDays(scope, first, count) {
  const [begin, number] = [dayOf(first), asNumber(count)];
  if (begin === null || number === null) return null;
  const day = addWorkdays(begin, index(number), scope.calendar);
  return day === null ? null : iso(day);
}

/** @type {Map<string, (scope: Scope, ...values: any[]) => any>} */
export const TABLE = new Map(/** @type {[string, (scope: Scope, ...values: any[]) => any][]} */ ([
  ["not", (_s, v) => !truth(v)],
  ["true", () => true],
  ["false", () => false],
  ["selected", (_s, v, name) => chosen(v).includes(asText(name))],
  ["count-selected", (_s, v) => chosen(v).length],
  ["count", (_s, v) => (Array.isArray(v) ? v.length : isEmpty(v) ? 0 : 1)],
  ["count-non-empty", (_s, v) => (Array.isArray(v) ? v : [v]).filter((item) => !isEmpty(item)).length],
  ["sum", (_s, ...v) => sum(v)],
  ["min", (_s, ...v) => items(v).reduce((/** @type {number|null} */ a, b) => (a === null || b < a ? b : a), null)],
  ["max", (_s, ...v) => items(v).reduce((/** @type {number|null} */ a, b) => (a === null || b > a ? b : a), null)],
  ["round", (_s, v, places = 0) => withNumber(v, (n) => withNumber(places, (p) => roundHalfAway(n, Math.trunc(Math.max(-300, Math.min(300, p))))))],
  ["int", (_s, v) => withNumber(v, (n) => finite(Math.trunc(n)))],
  ["abs", (_s, v) => withNumber(v, (n) => finite(Math.abs(n)))],
  ["number", (_s, v) => asNumber(v)],
  ["string", (_s, v) => asText(v)],
  ["string-length", (_s, v) => Array.from(asText(v)).length],
  ["concat", (_s, ...v) => v.map(asText).join("")],
  ["substr", (_s, v, start, end) => substr(v, start, end)],
  ["contains", (_s, v, part) => asText(v).includes(asText(part))],
  ["starts-with", (_s, v, part) => asText(v).startsWith(asText(part))],
  ["ends-with", (_s, v, part) => asText(v).endsWith(asText(part))],
  ["regex", (_s, v, pattern) => regex(v, pattern)],
  ["today", (s) => s.today],
  ["days-between", (_s, first, last) => withDays(first, last, (a, b) => b - a)],
  ["workdays-between", (s, first, last) => withDays(first, last, (a, b) => workdaysBetween(a, b, s.calendar))],
  ["add-workdays", addDays],
  ["age-on", (s, birth, day = s.today) => withDays(birth, day, ageOn)],
  ["id-valid", (_s, v) => residentNumberValid(asText(v))],
  ["uscc-valid", (_s, v) => creditCodeValid(asText(v))],
]));
