// One expression: parsed once, checked against the form's names, evaluated often.  Never eval; mirrors core/forms.
import { instantOf } from "./dates.mjs";
import { ExpressionError } from "./errors.mjs";
import { TABLE, choiceLabel } from "./functions.mjs";
import { checkCalls, childrenOf, parseTree } from "./parser.mjs";
import { asNumber, asText, finite, isEmpty, truth } from "./values.mjs";

/** @typedef {import("./scope.mjs").Scope} Scope */
/** @typedef {(scope: Scope) => any} Run */
/** @typedef {{values: Set<string>, repeats?: Set<string>, ambiguous?: Set<string>, columns?: Set<string>}} Names */

const OF_REPEATS = new Set(["count", "count-non-empty", "sum", "min", "max"]);

export class Expression {
  /** @param {any[]} tree */
  constructor(tree) {
    this.tree = tree;
    this.run = compileTree(tree);
  }

  /** @param {Scope} scope @returns {any} null, boolean, number, text or list */
  evaluate(scope) {
    return this.run(scope) ?? null;
  }

  /** @param {Scope} scope */
  truth(scope) {
    return truth(this.run(scope));
  }

  /** The names after $. @returns {Set<string>} */
  references() {
    /** @type {Set<string>} */
    const found = new Set();
    const walk = (/** @type {any[]} */ node) => {
      if (node[0] === "ref") found.add(node[1]);
      childrenOf(node).forEach(walk);
    };
    walk(this.tree);
    return found;
  }

  /** Throws the first reference that `names` does not allow. @param {Names} names */
  check(names) {
    checkReferences(this.tree, names, false);
  }
}

/**
 * @param {string} text
 * @param {{columns?: boolean}} [options] columns: for choice filters
 * @returns {Expression}
 */
export function parse(text, options) {
  const tree = parseTree(text, options);
  checkCalls(tree);
  return new Expression(tree);
}

/** @param {any[]} node @param {Names} names @param {boolean} counted */
function checkReferences(node, names, counted) {
  if (node[0] === "ref") checkReference(node, names, counted);
  if (node[0] === "col" && !names.columns?.has(node[1])) throw new ExpressionError("unknown-column", node[2], { name: node[1] });
  const inner = node[0] === "call" && OF_REPEATS.has(node[1]);
  for (const child of childrenOf(node)) checkReferences(child, names, inner);
}

/** @param {any[]} node @param {Names} names @param {boolean} counted */
function checkReference([, name, column], names, counted) {
  if (names.ambiguous?.has(name)) throw new ExpressionError("ambiguous-reference", column, { name });
  if (names.repeats?.has(name)) {
    if (!counted) throw new ExpressionError("repeat-as-value", column, { name });
  } else if (!names.values.has(name)) throw new ExpressionError("unknown-reference", column, { name });
}

/** @param {any} a @param {any} b */
export function equal(a, b) {
  if (isEmpty(a) || isEmpty(b)) return isEmpty(a) && isEmpty(b);
  if (typeof a === "boolean" || typeof b === "boolean") return truth(a) === truth(b);
  if (typeof a === "number" || typeof b === "number") {
    const x = asNumber(a);
    return x !== null && x === asNumber(b);
  }
  return asText(a) === asText(b);
}

/** @param {string} operator @param {any} a @param {any} b */
function ordered(operator, a, b) {
  let [x, y] = [instantOf(a), instantOf(b)];
  if (x === null || y === null) [x, y] = [asNumber(a), asNumber(b)];
  if (x === null || y === null) return false;
  if (operator === "<") return x < y;
  if (operator === "<=") return x <= y;
  return operator === ">" ? x > y : x >= y;
}

/** @param {string} operator @param {any} a @param {any} b */
function arithmetic(operator, a, b) {
  const [x, y] = [asNumber(a), asNumber(b)];
  if (x === null || y === null) return null;
  if (operator === "+") return finite(x + y);
  if (operator === "-") return finite(x - y);
  if (operator === "*") return finite(x * y);
  if (y === 0) return null;
  return finite(operator === "div" ? x / y : x % y);
}

/** @param {any[]} node @returns {Run} */
export function compileTree(node) {
  switch (node[0]) {
    case "num":
    case "str":
      return () => node[1];
    case "ref":
      return (scope) => scope.lookup(node[1]);
    case "col":
      return (scope) => scope.column(node[1]);
    case "dot":
      return (scope) => scope.dot;
    case "neg": {
      const inner = compileTree(node[1]);
      return (scope) => {
        const number = asNumber(inner(scope));
        return number === null ? null : finite(-number);
      };
    }
    case "chain":
      return compileChain(node);
    default:
      return compileCall(node);
  }
}

/** @param {any[]} node @returns {Run} */
function compileChain(node) {
  const first = compileTree(node[1]);
  const rest = node[2].map((/** @type {[string, any[]]} */ [operator, part]) => [operator, compileTree(part)]);
  if (rest[0][0] === "and" || rest[0][0] === "or") {
    const stop = rest[0][0] === "or";
    const parts = [first, ...rest.map((/** @type {[string, Run]} */ part) => part[1])];
    return (scope) => (parts.some((part) => truth(part(scope)) === stop) ? stop : !stop);
  }
  return (scope) => {
    let value = first(scope);
    for (const [operator, part] of rest) value = two(operator, value, part(scope));
    return value;
  };
}

/** @param {string} operator @param {any} a @param {any} b */
function two(operator, a, b) {
  if (operator === "=") return equal(a, b);
  if (operator === "!=") return !equal(a, b);
  return operator[0] === "<" || operator[0] === ">" ? ordered(operator, a, b) : arithmetic(operator, a, b);
}

/** @param {any[]} node @returns {Run} */
function compileCall([, name, parts, column]) {
  /** @type {Run[]} */
  const given = parts.map(compileTree);
  if (name === "if") return (scope) => (truth(given[0](scope)) ? given[1](scope) : given[2](scope));
  if (name === "coalesce") return (scope) => coalesce(given, scope);
  if (name === "choice-label") {
    const last = parts[parts.length - 1];
    return (scope) => choiceLabel(scope, last[0] === "ref" ? last[1] : null, given[0](scope));
  }
  const call = TABLE.get(name);
  if (!call) throw new ExpressionError("unknown-function", column, { name });
  return (scope) => {
    try {
      return call(scope, ...given.map((run) => run(scope) ?? null));
    } catch (error) {
      if (error instanceof ExpressionError && error.column === 1) throw new ExpressionError(error.code, column, error.values);
      throw error;
    }
  };
}

/** @param {Run[]} given @param {Scope} scope */
function coalesce(given, scope) {
  for (const run of given) {
    const value = run(scope);
    if (!isEmpty(value)) return value;
  }
  return null;
}
