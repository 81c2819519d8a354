// The rules for the browser's own modules: what is wrong, never how it is spaced.
import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  eqeqeq: ["error", "always", { null: "ignore" }],
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-self-compare": "error",
  "no-shadow-restricted-names": "error",
  "no-throw-literal": "error",
  "no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "none" }],
  "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
  "no-var": "error",
  "prefer-const": "error",
};

const module = { ecmaVersion: 2024, sourceType: "module" };

export default [
  { ignores: ["static/vendor/**", "node_modules/**", "outside/static/vendor/**"] },
  { files: ["**/*.mjs"], languageOptions: { ...module, globals: globals.browser }, rules },
  { files: ["**/sw.js", "**/*-worker.js"], languageOptions: { ecmaVersion: 2024, sourceType: "script", globals: { ...globals.serviceworker, ...globals.worker, __SHELL__: "readonly", __LATER__: "readonly", __VERSION__: "readonly" } }, rules },
  { files: ["static/ui/loader.js", "static/ui/first_look.js"], languageOptions: { ecmaVersion: 2024, sourceType: "script", globals: globals.browser }, rules: { ...rules, "no-var": "off" } },
  { files: ["lint/*.mjs", "tests/**/*.mjs"], languageOptions: { ...module, globals: globals.node }, rules },
];
