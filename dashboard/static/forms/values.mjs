// Values of answers and how they turn into numbers, text and truth: the same rules as core/forms/values.py.
import { ExpressionError } from "./errors.mjs";

/** @typedef {null|undefined|boolean|number|string|any[]} Value */

const EXACT = 1e15;

/** @param {any} value */
export function isEmpty(value) {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

/** 15 significant digits, half away from zero; null for what is not a number; never −0. @param {number} value */
export function finite(value) {
  if (!Number.isFinite(value)) return null;
  if (Number.isInteger(value) && Math.abs(value) < EXACT) return value === 0 ? 0 : value;
  return Number(value.toPrecision(15));
}

/** @param {any} value @returns {number|null} */
export function asNumber(value) {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  const text = Array.isArray(value) ? asText(value) : value;
  if (typeof text !== "string") return null;
  const trimmed = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  if (!/^-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/.test(trimmed)) return null;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : null;
}

/** @param {any} value @returns {string} */
export function asText(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "number") return numberText(value);
  if (Array.isArray(value)) return value.filter((item) => !isEmpty(item)).map(asText).join(" ");
  throw new ExpressionError("repeat-as-value", 1);
}

/** The shortest plain digits, never an exponent. @param {number} value */
export function numberText(value) {
  if (!Number.isFinite(value)) return "";
  const { negative, digits, point } = decimal(value);
  if (!digits) return "0";
  const sign = negative ? "-" : "";
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + "0".repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** @param {any} value */
export function truth(value) {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0 && !Number.isNaN(value);
  return !isEmpty(value);
}

/**
 * Rounded on the decimal digits shown (2.675 → 2.68), half away from zero.
 * @param {number} value @param {number} places may be negative
 */
export function roundHalfAway(value, places) {
  const to = Math.max(-300, Math.min(300, places));
  const { negative, digits, point } = decimal(value);
  const keep = point + to; // digits that stay
  if (!digits || keep >= digits.length) return finite(value);
  if (keep < 0) return 0;
  let kept = digits.slice(0, keep);
  let at = point;
  if (digits[keep] >= "5") {
    const up = increment(kept);
    if (up.length > kept.length) at += 1;
    kept = up;
  }
  if (!kept) return 0;
  return finite(Number(`${negative ? "-" : ""}0.${kept}e${at}`));
}

/** @param {string} digits */
function increment(digits) {
  let at = digits.length - 1;
  while (at >= 0 && digits[at] === "9") at -= 1;
  const zeros = "0".repeat(digits.length - 1 - at);
  return at < 0 ? "1" + zeros : digits.slice(0, at) + String(Number(digits[at]) + 1) + zeros;
}

/** The shortest digits of `value` as 0.digits × 10^point. @param {number} value */
function decimal(value) {
  const [mantissa, exponent] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "").replace(/0+$/, "");
  return { negative: value < 0, digits, point: Number(exponent) + 1 };
}
