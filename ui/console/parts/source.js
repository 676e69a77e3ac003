// @ts-check
// A definition's source with line numbers: to edit, or to read.
import { h } from "./dom.js";
import { words } from "../words.js";

const w = words.workflows;

/**
 * Where a line starts and ends in a text, lines counted from 1.
 * @param {string} text @param {number} line
 * @returns {[number, number]}
 */
export function spanOf(text, line) {
    const lines = text.split("\n");
    const at = Math.min(Math.max(line, 1), lines.length);
    const start = lines.slice(0, at - 1).reduce((sum, one) => sum + one.length + 1, 0);
    return [start, start + lines[at - 1].length];
}

/** @param {string} text */
const numbers = (text) =>
    text
        .split("\n")
        .map((_, i) => i + 1)
        .join("\n");

/** @param {{value: string, oninput: (text: string) => void, readOnly?: boolean}} how */
export function sourceEditor({ value, oninput, readOnly = false }) {
    const gutter = h("pre", { class: "gh-gutter", "aria-hidden": "true" }, numbers(value));
    const area = h("textarea", {
        class: "gh-source",
        name: "source",
        rows: 26,
        wrap: "off",
        spellcheck: "false",
        autocapitalize: "off",
        readonly: readOnly,
        "data-k": "source",
        "aria-label": w.source,
        value,
        oninput: () => {
            number();
            oninput(area.value);
        },
        onscroll: () => (gutter.scrollTop = area.scrollTop),
    });
    const number = () => (gutter.textContent = numbers(area.value));
    return {
        element: h("div", { class: "gh-source-box" }, gutter, area),
        area,
        /** @param {string} text */
        set(text) {
            area.value = text;
            number();
        },
        /** Marks a line and brings it into view. @param {number} line */
        show(line) {
            const [from, to] = spanOf(area.value, line);
            area.focus({ preventScroll: true });
            area.setSelectionRange(from, to);
            const height = area.scrollHeight / Math.max(1, area.value.split("\n").length);
            area.scrollTop = Math.max(0, (line - 5) * height);
            area.scrollIntoView({ block: "nearest" });
        },
    };
}
