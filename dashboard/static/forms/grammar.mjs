// The words of the expression language: the same tables as core/forms/grammar.py (a test compares them).

export const MAX_DEPTH = 32;
export const MAX_NODES = 500;
export const MAX_TEXT = 8000;
export const MANY = 100;

/** @type {Map<string, [number, number]>} name → fewest and most arguments */
export const FUNCTIONS = new Map([
  ["if", [3, 3]], ["coalesce", [1, MANY]], ["not", [1, 1]], ["true", [0, 0]], ["false", [0, 0]],
  ["selected", [2, 2]], ["count-selected", [1, 1]],
  ["count", [1, 1]], ["count-non-empty", [1, 1]], ["sum", [1, MANY]], ["min", [1, MANY]], ["max", [1, MANY]],
  ["round", [1, 2]], ["int", [1, 1]], ["abs", [1, 1]], ["number", [1, 1]],
  ["string", [1, 1]], ["string-length", [1, 1]], ["concat", [1, MANY]], ["substr", [2, 3]],
  ["contains", [2, 2]], ["starts-with", [2, 2]], ["ends-with", [2, 2]], ["regex", [2, 2]],
  ["today", [0, 0]], ["days-between", [2, 2]], ["workdays-between", [2, 2]], ["add-workdays", [2, 2]], ["age-on", [1, 2]],
  ["id-valid", [1, 1]], ["uscc-valid", [1, 1]], ["choice-label", [1, 2]],
]);

/** @type {Map<string, string>} what people type → what the language has */
export const SUGGESTIONS = new Map([
  ["（", "("], ["）", ")"], ["，", ","], ["、", ","], ["“", '"'], ["”", '"'], ["‘", "'"], ["’", "'"], ["＝", "="], ["＞", ">"],
  ["＜", "<"], ["≥", ">="], ["≤", "<="], ["≠", "!="], ["×", "*"], ["÷", "div"], ["＋", "+"], ["－", "-"], ["—", "-"],
  ["–", "-"], ["．", "."], ["\u3000", " "], ["\u00a0", " "], ["＄", "$"], ["｛", "{"], ["｝", "}"], ["%", "mod"],
  ["/", "div"], ["&", "and"], ["|", "or"], ["!", "not(…)"],
]);

const NAME_RANGES = [[0xc0, 0x24f], [0x370, 0x1fff], [0x3005, 0x3007], [0x3400, 0x9fff], [0xf900, 0xfaff], [0x20000, 0x3ffff]];

/** @param {string} c one code point */
export function isNameStart(c) {
  const point = /** @type {number} */ (c.codePointAt(0));
  if (point < 128) return /[A-Za-z_]/.test(c);
  return NAME_RANGES.some(([low, high]) => low <= point && point <= high);
}

/** @param {string} c one code point */
export function isNamePart(c) {
  return isNameStart(c) || /^[0-9.:-]$/.test(c);
}
