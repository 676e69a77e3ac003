// @ts-check
// A tag: tone, icon and word together, because a colour alone says nothing to many people.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { words } from "../words.js";

/** @typedef {"need" | "us" | "ok" | "bad" | "block" | "todo"} Tone */

/** @type {Record<Tone, import("./icons.js").IconName>} */
const icons = { need: "person", us: "eye", ok: "check", bad: "back", block: "bang", todo: "circle" };

/**
 * @param {string} tone
 * @param {string} text
 * @param {import("./icons.js").IconName} [shape]
 */
export function tag(tone, text, shape) {
    const known = /** @type {Tone} */ (tone in icons ? tone : "todo");
    return h("span", { class: `gh-tag gh-${known}` }, icon(shape ?? icons[known]), h("span", {}, text));
}

/**
 * Who acts next on a request, in the console's words.
 * @param {{tag: string, tone: string, turn: string, category: string, assignee: string}} row
 */
export function turnTag(row) {
    if (ownerless(row)) return tag("bad", words.turn.nobody, "question");
    return tag(row.tone, row.tag);
}

/** What turnTag says, as text. @param {Parameters<typeof turnTag>[0]} row */
export const turnText = (row) => (ownerless(row) ? words.turn.nobody : row.tag);

/** @param {Parameters<typeof turnTag>[0]} row */
function ownerless({ turn, assignee, category }) {
    return turn === "staff" && !assignee && category !== "done" && category !== "blocked";
}

/** @type {Record<string, Tone>} */
const itemTones = {
    missing: "todo",
    provided: "us",
    accepted: "ok",
    rejected: "bad",
    more_needed: "need",
    waived: "todo",
    not_applicable: "todo",
    expired: "bad",
};

/** @param {{status: string, label: string}} item */
export function itemTag(item) {
    const text = item.label || words.status[item.status] || item.status;
    return tag(itemTones[item.status] ?? "todo", text, item.status === "more_needed" ? "back" : undefined);
}

/** Who acts on an opened request: the same rule for its head. @param {any} view */
export function viewTag(view) {
    const { category, turn, outcome } = view;
    if (category === "blocked") return tag("block", words.turn.blocked);
    if (category === "done" && outcome === "void") return tag("bad", words.turn.closed);
    if (category === "done") return tag("ok", words.turn.done);
    if (turn === "client") return tag("need", words.turn.client);
    if (turn === "system") return tag("us", words.turn.system);
    if (turn === "staff" && !view.assignee) return tag("bad", words.turn.nobody, "question");
    return tag("us", words.turn.staff);
}
