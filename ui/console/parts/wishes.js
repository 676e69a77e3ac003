// @ts-check
// What a new request asks for, before it is sent: kinds, order, and the shape for the server. Pure.
import { words } from "../words.js";

/**
 * A kind of thing that may be asked for, and the section that takes it.
 * @typedef {{section: string, template: string, title: string, kind: string}} Kind
 * @typedef {{n: number, kind: Kind, title: string, hint: string, required: boolean, answer: string,
 *   choices: string}} Wish
 */

/** The words for a template: its own title, unless that is only a place for the item's. @param {any} template */
export function kindName(template) {
    const known = /** @type {Record<string, string>} */ (words.create.kinds)[template.key];
    const own = template.title && !template.title.includes("{") ? template.title : "";
    return known ?? (own || template.key);
}

/** What a workflow's open sections take, as one list. @param {any} workflow @returns {Kind[]} */
export function kindsOf(workflow) {
    return (workflow?.sections ?? []).flatMap((/** @type {any} */ section) =>
        section.templates.map((/** @type {any} */ one) => ({
            section: section.key,
            template: one.key,
            title: kindName(one),
            kind: one.kind,
        })),
    );
}

/**
 * Moves an entry by one place; both ends hold.
 * @template T
 * @param {T[]} list
 * @param {number} at
 * @param {number} by
 */
export function moved(list, at, by) {
    const to = at + by;
    if (to < 0 || to >= list.length) return list;
    const copy = [...list];
    [copy[at], copy[to]] = [copy[to], copy[at]];
    return copy;
}

/** One choice on each line. @param {string} text */
export function choicesOf(text) {
    return text
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean);
}

/** Which part of a wish is missing, as the name of its field; "" when it is complete. @param {Wish} wish */
export function missingIn(wish) {
    if (!wish.title.trim()) return "title";
    const asksChoice = wish.kind.kind === "answer" && wish.answer === "choice";
    return asksChoice && choicesOf(wish.choices).length < 2 ? "choices" : "";
}

/** @param {Wish} wish */
export function toItem(wish) {
    const choices = wish.answer === "choice" ? { choices: choicesOf(wish.choices) } : {};
    return {
        section: wish.kind.section,
        template: wish.kind.template,
        title: wish.title.trim(),
        hint: wish.hint.trim(),
        required: wish.required,
        options: wish.kind.kind === "answer" ? { answer_type: wish.answer, ...choices } : undefined,
    };
}
