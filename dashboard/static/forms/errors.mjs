// What can be wrong with an expression: `code` as in core/forms/errors.py, `column` 1-based in code points.

export class ExpressionError extends Error {
  /**
   * @param {string} code syntax, unknown-function, unknown-reference, ambiguous-reference, unknown-column, arity,
   *   repeat-as-value, type-error or too-complex
   * @param {number} column
   * @param {Record<string, unknown>} [values] name, suggestion …, for the sentence shown
   */
  constructor(code, column, values = {}) {
    super(`${code} at column ${column}`);
    this.code = code;
    this.column = column;
    this.values = values;
  }
}
