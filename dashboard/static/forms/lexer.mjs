// Text of an expression → tokens with their columns; mirrors core/forms/lexer.py.
import { ExpressionError } from "./errors.mjs";
import { MAX_TEXT, SUGGESTIONS, isNamePart, isNameStart } from "./grammar.mjs";

/** @typedef {{kind: "number"|"string"|"ref"|"name"|"op"|"end", text: string, at: number}} Token */

const BLANK = " \t\r\n";
const SINGLE = "()+-*,=<>.";
const DIGITS = "0123456789";

/**
 * @param {string} text
 * @returns {Token[]} the last is of kind "end"
 */
export function tokensOf(text) {
  const points = Array.from(text);
  if (points.length > MAX_TEXT) throw new ExpressionError("too-complex", 1);
  /** @type {Token[]} */
  const found = [];
  let at = 0;
  while (at < points.length) {
    if (BLANK.includes(points[at])) {
      at += 1;
      continue;
    }
    const [token, next] = nextToken(points, at);
    found.push(token);
    at = next;
  }
  found.push({ kind: "end", text: "", at: points.length });
  return found;
}

/** @param {string[]} points @param {number} at @returns {[Token, number]} */
function nextToken(points, at) {
  const c = points[at];
  if (DIGITS.includes(c)) return number(points, at);
  if (c === "'" || c === '"') {
    const end = points.indexOf(c, at + 1);
    if (end < 0) throw syntax(at);
    return [{ kind: "string", text: points.slice(at + 1, end).join(""), at }, end + 1];
  }
  if (c === "$" && points[at + 1] === "{") return reference(points, at);
  if ((c === "<" || c === ">" || c === "!") && points[at + 1] === "=") return [{ kind: "op", text: c + "=", at }, at + 2];
  if (SINGLE.includes(c)) return [{ kind: "op", text: c, at }, at + 1];
  if (isNameStart(c)) {
    let end = at + 1;
    while (end < points.length && isNamePart(points[end])) end += 1;
    return [{ kind: "name", text: points.slice(at, end).join(""), at }, end];
  }
  throw unexpected(at, c);
}

/** @param {string[]} points @param {number} at @returns {[Token, number]} */
function number(points, at) {
  const isDigit = (/** @type {number} */ i) => i < points.length && DIGITS.includes(points[i]);
  let end = at;
  while (isDigit(end)) end += 1;
  if (points[end] === "." && isDigit(end + 1)) {
    end += 1;
    while (isDigit(end)) end += 1;
  }
  return [{ kind: "number", text: points.slice(at, end).join(""), at }, end];
}

/** @param {string[]} points @param {number} at @returns {[Token, number]} */
function reference(points, at) {
  const end = points.indexOf("}", at);
  const name = end > 0 ? points.slice(at + 2, end).join("").replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "") : "";
  if (!name || /[${ \t\r\n]/.test(name)) throw syntax(at);
  return [{ kind: "ref", text: name, at }, end + 1];
}

/** @param {number} at @param {Record<string, unknown>} [values] */
export function syntax(at, values) {
  return new ExpressionError("syntax", at + 1, values);
}

/** @param {number} at @param {string} text */
export function unexpected(at, text) {
  const suggestion = SUGGESTIONS.get(text);
  return syntax(at, suggestion ? { text, suggestion } : { text });
}
