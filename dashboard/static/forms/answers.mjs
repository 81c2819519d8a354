// Is an answer of its question's type?  Mirrors core/forms/answers.py.
import { dayOf, instantOf } from "./dates.mjs";
import { asNumber, isEmpty } from "./values.mjs";

const MOST_TEXT = 100000;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const NUMBER = /^-?[0-9]+(\.[0-9]+)?$/;
const TIME = /^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,3})?)?$/;

/** Neither a plain value nor a list of plain values. @param {any} value */
export function isOdd(value) {
  const plain = (/** @type {any} */ item) => item === null || item === undefined || typeof item !== "object";
  return Array.isArray(value) ? !value.every(plain) : !plain(value);
}

/**
 * The code of what is wrong with a value that is not empty, or null.
 * @param {string} kind the question's type @param {any} value
 */
export function typeError(kind, value) {
  const names = Array.isArray(value) ? value : [value];
  const texts = names.every((name) => typeof name === "string");
  if (["integer", "decimal", "range"].includes(kind)) return numberError(kind, value);
  if (kind === "select_multiple" || kind === "rank") return texts ? null : "not-a-choice";
  if (kind === "image" || kind === "file") return texts ? null : "not-a-file";
  if (kind === "acknowledge") return value === true || value === "OK" || value === "true" ? null : "constraint";
  if (kind === "geopoint") return isPoint(value) ? null : "not-a-point";
  if (typeof value === "number" && ["select_one", "text", "barcode"].includes(kind)) return "not-a-text";
  if (typeof value !== "string" && !(typeof value === "boolean" && kind === "hidden")) return "not-a-text";
  return typeof value === "string" && Array.from(value).length > MOST_TEXT ? "too-long" : dateError(kind, value);
}

/** @param {string} kind @param {any} value */
function numberError(kind, value) {
  if (typeof value === "boolean" || (typeof value === "string" && !NUMBER.test(value))) return "not-a-number";
  const number = typeof value === "number" || typeof value === "string" ? asNumber(value) : null;
  if (number === null) return "not-a-number";
  return kind === "integer" && !Number.isInteger(number) ? "not-integer" : null;
}

/** @param {string} kind @param {any} value */
function dateError(kind, value) {
  if (kind === "date" && !(DATE.test(value) && dayOf(value) !== null)) return "not-a-date";
  if (kind === "dateTime" && (instantOf(value) === null || DATE.test(value))) return "not-a-date";
  return kind === "time" && !TIME.test(value) ? "not-a-date" : null;
}

/** @param {any} value */
function isPoint(value) {
  const parts = typeof value === "string" ? value.split(" ") : [];
  if (parts.length < 2 || parts.length > 4 || !parts.every((part) => NUMBER.test(part))) return false;
  return Math.abs(Number(parts[0])) <= 90 && Math.abs(Number(parts[1])) <= 180;
}

/** Equal as answers: numbers by value, empty equals empty. @param {any} sent @param {any} computed */
export function sameAnswer(sent, computed) {
  if (isEmpty(sent) || isEmpty(computed)) return isEmpty(sent) && isEmpty(computed);
  if (typeof sent === "boolean" || typeof computed === "boolean") return sent === computed;
  if (typeof computed === "number") return asNumber(sent) === computed;
  return JSON.stringify(sent) === JSON.stringify(computed);
}
