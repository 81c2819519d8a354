// Patterns for regex(): the automaton of core/forms/pattern.py, matched against the whole text in linear time.

export class PatternError extends Error {}

const MAX_STATES = 3000;
const MAX_COUNT = 1000;
const MAX_MATCHED = 1000;
const LAST = 0x10ffff;
const ANY_BUT_NEWLINE = [[0, 9], [11, LAST]];

/** @typedef {number[][]} Ranges */
/** @typedef {any[]} Instruction ["set", ranges] · ["split", a, b] · ["jump", a] · ["match"] */

/** @type {Map<string, Instruction[]>} */
const kept = new Map();

/** @param {string} pattern @param {string} text */
export function matches(pattern, text) {
  const points = Array.from(text, (c) => /** @type {number} */ (c.codePointAt(0)));
  if (points.length > MAX_MATCHED) return false;
  const program = compilePattern(pattern);
  let states = closure(program, [0]);
  for (const point of points) {
    const following = [];
    for (const state of states) {
      const step = program[state];
      if (step[0] === "set" && step[1].some((/** @type {number[]} */ r) => r[0] <= point && point <= r[1])) following.push(state + 1);
    }
    if (!following.length) return false;
    states = closure(program, following);
  }
  for (const state of states) if (program[state][0] === "match") return true;
  return false;
}

/** @param {Instruction[]} program @param {number[]} start */
function closure(program, start) {
  /** @type {Set<number>} */
  const seen = new Set();
  const stack = [...start];
  while (stack.length) {
    const state = /** @type {number} */ (stack.pop());
    if (seen.has(state)) continue;
    seen.add(state);
    const step = program[state];
    if (step[0] === "split" || step[0] === "jump") stack.push(...step.slice(1));
  }
  return seen;
}

/** @param {string} pattern @returns {Instruction[]} */
export function compilePattern(pattern) {
  const known = kept.get(pattern);
  if (known) return known;
  const tree = new Reader(pattern).whole();
  /** @type {Instruction[]} */
  const program = [];
  emit(tree, program);
  program.push(["match"]);
  if (kept.size > 500) kept.clear();
  kept.set(pattern, program);
  return program;
}

class Reader {
  /** @param {string} pattern */
  constructor(pattern) {
    let text = pattern.startsWith("^") ? pattern.slice(1) : pattern;
    const slashes = /** @type {RegExpMatchArray} */ (text.slice(0, -1).match(/\\*$/))[0].length;
    if (text.endsWith("$") && slashes % 2 === 0) text = text.slice(0, -1);
    this.text = Array.from(text);
    this.at = 0;
    this.depth = 0;
  }

  whole() {
    const tree = this.alternatives();
    if (this.at < this.text.length) throw new PatternError("a ) has no (");
    return tree;
  }

  peek() {
    return this.text[this.at] ?? "";
  }

  /** @returns {any[]} */
  alternatives() {
    this.depth += 1;
    if (this.depth > 20) throw new PatternError("too deep");
    const options = [this.sequence()];
    while (this.peek() === "|") {
      this.at += 1;
      options.push(this.sequence());
    }
    this.depth -= 1;
    return options.length === 1 ? options[0] : ["alt", options];
  }

  sequence() {
    const parts = [];
    while (!["", "|", ")"].includes(this.peek())) parts.push(this.counted(this.atom()));
    return ["cat", parts];
  }

  /** @returns {any[]} */
  atom() {
    const c = this.peek();
    this.at += 1;
    if (c === "(") {
      if (this.peek() === "?") {
        if (this.text[this.at + 1] !== ":") throw new PatternError("look-around");
        this.at += 2;
      }
      const tree = this.alternatives();
      if (this.peek() !== ")") throw new PatternError("a ( is not closed");
      this.at += 1;
      return tree;
    }
    if (c === "[") return ["set", this.charClass()];
    if (c === ".") return ["set", ANY_BUT_NEWLINE];
    if (c === "\\") return ["set", one(this.escaped())];
    if ("*+?{}^$]".includes(c)) throw new PatternError(`${c} may not stand here`);
    return ["set", one(c)];
  }

  escaped() {
    const c = this.peek();
    this.at += 1;
    if (!c || c > "\x7f" || /[A-Za-z0-9_\n]/.test(c)) throw new PatternError("escape");
    return c;
  }

  /** @returns {Ranges} */
  charClass() {
    const negative = this.peek() === "^";
    if (negative) this.at += 1;
    /** @type {Ranges} */
    const ranges = [];
    while (this.peek() !== "]") {
      const low = this.member();
      let high = low;
      const after = this.text[this.at + 1] ?? "";
      if (this.peek() === "-" && after !== "]" && after !== "") {
        this.at += 1;
        high = this.member();
      }
      if (code(high) < code(low)) throw new PatternError("upside down");
      ranges.push([code(low), code(high)]);
    }
    this.at += 1;
    if (!ranges.length) throw new PatternError("a class is empty");
    return negative ? inverse(ranges) : ranges;
  }

  member() {
    const c = this.peek();
    if (!c) throw new PatternError("a [ is not closed");
    if (c === "[") throw new PatternError("[ in a class");
    this.at += 1;
    return c === "\\" ? this.escaped() : c;
  }

  /** @param {any[]} tree */
  counted(tree) {
    const c = this.peek();
    /** @type {(number|null)[]|undefined} */
    let bounds;
    if (c === "{") bounds = this.bounds();
    else if (c === "*" || c === "+" || c === "?") {
      bounds = c === "*" ? [0, null] : c === "+" ? [1, null] : [0, 1];
      this.at += 1;
    }
    if (!bounds) return tree;
    if (this.peek() && "*+?{".includes(this.peek())) throw new PatternError("two quantifiers");
    return ["rep", tree, ...bounds];
  }

  bounds() {
    const end = this.text.indexOf("}", this.at);
    const found = end > 0 ? this.text.slice(this.at + 1, end).join("").match(/^([0-9]{1,4})(?:(,)([0-9]{0,4}))?$/) : null;
    if (!found) throw new PatternError("{");
    const least = Number(found[1]);
    const most = !found[2] ? least : found[3] ? Number(found[3]) : null;
    if ((most !== null && most < least) || Math.max(least, most ?? 0) > MAX_COUNT) throw new PatternError("count");
    this.at = end + 1;
    return [least, most];
  }
}

/** @param {string} c */
function code(c) {
  return /** @type {number} */ (c.codePointAt(0));
}

/** @param {string} c @returns {Ranges} */
function one(c) {
  return [[code(c), code(c)]];
}

/** @param {Ranges} ranges @returns {Ranges} */
function inverse(ranges) {
  const result = [];
  let position = 0;
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (low > position) result.push([position, low - 1]);
    position = Math.max(position, high + 1);
  }
  if (position <= LAST) result.push([position, LAST]);
  return result;
}

/** @param {any[]} tree @param {Instruction[]} program */
function emit(tree, program) {
  if (program.length > MAX_STATES) throw new PatternError("too large");
  if (tree[0] === "set") program.push(tree);
  else if (tree[0] === "cat") for (const part of tree[1]) emit(part, program);
  else if (tree[0] === "alt") emitAlternatives(tree[1], program);
  else emitRepeated(tree, program);
}

/** @param {any[][]} options @param {Instruction[]} program */
function emitAlternatives(options, program) {
  /** @type {number[]} */
  const ends = [];
  for (const option of options.slice(0, -1)) {
    const split = program.length;
    program.push(["split"]);
    emit(option, program);
    ends.push(program.length);
    program.push(["jump"]);
    program[split] = ["split", split + 1, program.length];
  }
  emit(options[options.length - 1], program);
  for (const end of ends) program[end] = ["jump", program.length];
}

/** @param {any[]} tree @param {Instruction[]} program */
function emitRepeated([, inner, least, most], program) {
  for (let i = 0; i < least; i += 1) {
    const before = program.length;
    emit(inner, program);
    if (program.length === before) break;
  }
  const splits = [];
  const times = most === null ? 1 : most - least;
  for (let i = 0; i < times; i += 1) {
    splits.push(program.length);
    program.push(["split"]);
    emit(inner, program);
    if (program.length > MAX_STATES) throw new PatternError("too large");
  }
  if (most === null) program.push(["jump", splits[0]]);
  for (const split of splits) program[split] = ["split", split + 1, program.length];
}
