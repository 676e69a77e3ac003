import js from "@eslint/js";
import globals from "globals";

export default [
    js.configs.recommended,
    {
        languageOptions: { globals: globals.browser },
        rules: {
            eqeqeq: ["error", "always"],
            "no-var": "error",
            "prefer-const": "error",
            // Text goes in as text nodes only.
            "no-restricted-properties": [
                "error",
                { property: "innerHTML", message: "Build nodes with h()." },
                { property: "outerHTML", message: "Build nodes with h()." },
                { property: "insertAdjacentHTML", message: "Build nodes with h()." },
            ],
        },
    },
    {
        // The dashboard's globals belong to its two adapters.
        files: ["main.js"],
        languageOptions: { globals: { app: "readonly", watch: "readonly" } },
    },
    { files: ["test/**", "eslint.config.js"], languageOptions: { globals: globals.node } },
];
