// @ts-check
// A labelled field: label above, hint and error bound to it.
import { h, uid } from "./dom.js";
import { words } from "../words.js";

/**
 * @param {object} what
 * @param {string} what.label
 * @param {string} [what.hint]
 * @param {boolean} [what.optional] says so beside the label
 * @param {HTMLElement} what.input
 */
export function field({ label, hint, optional = false, input }) {
    const id = input.id || uid("field");
    const hintId = `${id}-hint`;
    input.id = id;
    if (hint) input.setAttribute("aria-describedby", hintId);
    return h(
        "div",
        { class: "gh-field" },
        h("label", { for: id }, label, optional && h("span", { class: "gh-muted" }, ` (${words.app.optional})`)),
        hint && h("p", { class: "gh-hint", id: hintId }, hint),
        input,
    );
}

/**
 * Marks a field as wrong, says why, and takes the mark away at the next change.
 * @param {HTMLElement} input
 * @param {string} text
 */
export function mark(input, text) {
    clear(input);
    const id = `${input.id || (input.id = uid("field"))}-error`;
    input.after(h("p", { class: "gh-error", id }, text));
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-errormessage", id);
    const done = () => clear(input);
    input.addEventListener("input", done, { once: true });
    input.addEventListener("change", done, { once: true });
}

/** @param {HTMLElement} input */
function clear(input) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-errormessage");
    document.getElementById(`${input.id}-error`)?.remove();
}
