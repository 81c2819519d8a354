// Tokens → the tree that core/forms/parser.py describes.
import { ExpressionError } from "./errors.mjs";
import { FUNCTIONS, MAX_DEPTH, MAX_NODES } from "./grammar.mjs";
import { syntax, tokensOf, unexpected } from "./lexer.mjs";
import { PatternError, compilePattern } from "./pattern.mjs";

/** @typedef {any[]} Node */

const LEVELS = [["or"], ["and"], ["=", "!="], ["<", "<=", ">", ">="], ["+", "-"], ["*", "div", "mod"]];
const WORDS = new Set(["or", "and", "div", "mod"]);

/**
 * @param {string} text
 * @param {{columns?: boolean}} [options] columns: bare names are columns of the choices (choice filters)
 * @returns {Node}
 */
export function parseTree(text, options = {}) {
  return new Parser(tokensOf(text), options.columns ?? false).whole();
}

class Parser {
  /** @param {import("./lexer.mjs").Token[]} tokens @param {boolean} columns */
  constructor(tokens, columns) {
    this.tokens = tokens;
    this.columns = columns;
    this.index = 0;
    this.nodes = 0;
    this.depth = 0;
  }

  whole() {
    if (this.now.text === "" && this.tokens.length === 1) throw syntax(0);
    const node = this.level(0);
    if (this.now.kind !== "end") throw this.unexpected();
    return node;
  }

  /** @returns {import("./lexer.mjs").Token} */
  get now() {
    return this.tokens[this.index];
  }

  unexpected() {
    const token = this.now;
    if (token.kind === "op" || token.kind === "end") {
      if (token.text === "=" && this.tokens[this.index - 1]?.text === "=") return syntax(token.at, { text: "==", suggestion: "=" });
      return unexpected(token.at, token.text);
    }
    return syntax(token.at, token.kind === "name" ? { text: token.text, suggestion: "${" + token.text + "}" } : { text: token.text });
  }

  /** @param {Node} node */
  made(node) {
    this.nodes += 1;
    if (this.nodes > MAX_NODES) throw new ExpressionError("too-complex", this.now.at + 1);
    return node;
  }

  /** @param {number} level */
  isOperator(level) {
    const token = this.now;
    return token.kind === (WORDS.has(token.text) ? "name" : "op") && LEVELS[level].includes(token.text);
  }

  /** @param {number} level @returns {Node} */
  level(level) {
    if (level === LEVELS.length) return this.unary();
    const first = this.level(level + 1);
    const rest = [];
    while (this.isOperator(level)) {
      const operator = this.now.text;
      this.index += 1;
      rest.push([operator, this.level(level + 1)]);
    }
    return rest.length ? this.made(["chain", first, rest]) : first;
  }

  /** @returns {Node} */
  unary() {
    if (this.now.kind === "op" && this.now.text === "-") {
      this.index += 1;
      this.deeper();
      const node = this.made(["neg", this.unary()]);
      this.depth -= 1;
      return node;
    }
    return this.primary();
  }

  deeper() {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw new ExpressionError("too-complex", this.now.at + 1);
  }

  /** @returns {Node} */
  primary() {
    const token = this.now;
    if (token.kind === "number" || token.kind === "string" || token.kind === "ref") {
      this.index += 1;
      if (token.kind === "ref") return this.made(["ref", token.text, token.at + 1]);
      return this.made(token.kind === "string" ? ["str", token.text] : ["num", literal(token)]);
    }
    if (token.kind === "name" && !WORDS.has(token.text)) {
      const next = this.tokens[this.index + 1];
      if (next.kind === "op" && next.text === "(") return this.call();
      if (this.columns) {
        this.index += 1;
        return this.made(["col", token.text, token.at + 1]);
      }
    }
    if (token.kind === "op" && token.text === ".") {
      this.index += 1;
      return this.made(["dot"]);
    }
    if (token.kind === "op" && token.text === "(") {
      this.index += 1;
      this.deeper();
      const node = this.level(0);
      this.close();
      return node;
    }
    throw this.unexpected();
  }

  close() {
    if (this.now.kind !== "op" || this.now.text !== ")") throw this.unexpected();
    this.index += 1;
    this.depth -= 1;
  }

  call() {
    const name = this.now;
    this.index += 2;
    this.deeper();
    /** @type {Node[]} */
    const parts = [];
    if (!(this.now.kind === "op" && this.now.text === ")")) {
      parts.push(this.level(0));
      while (this.now.kind === "op" && this.now.text === ",") {
        this.index += 1;
        parts.push(this.level(0));
      }
    }
    this.close();
    return this.made(["call", name.text, parts, name.at + 1]);
  }
}

/** @param {import("./lexer.mjs").Token} token */
function literal(token) {
  const value = Number(token.text);
  if (!Number.isFinite(value)) throw syntax(token.at);
  return value;
}

/**
 * Throws the first unknown function, wrong number of arguments or bad pattern, in the order of the text.
 * @param {Node} node
 */
export function checkCalls(node) {
  if (node[0] === "call") {
    const [, name, parts, column] = node;
    const arity = FUNCTIONS.get(name);
    if (!arity) throw new ExpressionError("unknown-function", column, { name });
    if (parts.length < arity[0] || parts.length > arity[1]) throw new ExpressionError("arity", column, { name });
    if (name === "regex" && parts[1][0] === "str") checkPattern(parts[1][1], column);
  }
  for (const child of childrenOf(node)) checkCalls(child);
}

/** @param {string} pattern @param {number} column */
function checkPattern(pattern, column) {
  try {
    compilePattern(pattern);
  } catch (error) {
    if (error instanceof PatternError) throw syntax(column - 1, { pattern });
    throw error;
  }
}

/** @param {Node} node @returns {Node[]} */
export function childrenOf(node) {
  if (node[0] === "neg") return [node[1]];
  if (node[0] === "chain") return [node[1], ...node[2].map((/** @type {[string, Node]} */ part) => part[1])];
  return node[0] === "call" ? node[2] : [];
}
