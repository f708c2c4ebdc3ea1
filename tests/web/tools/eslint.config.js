// Lint rules of the page's scripts. Run from the root of the repository.
import js from "@eslint/js";
import globals from "globals";

export default [
  {
    files: ["web/static/js/**/*.js"],
    languageOptions: { ecmaVersion: 2025, sourceType: "module", globals: globals.browser },
    rules: {
      ...js.configs.recommended.rules,
      eqeqeq: "error",
      "no-implicit-globals": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
