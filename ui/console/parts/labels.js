// @ts-check
// A firm's own tags, each with a dot: eight colours that are told apart by all kinds of eyes (Okabe and Ito), chosen
// by the word, so that one word has one colour everywhere. The word always stands beside it.
import { h } from "./dom.js";
import { words } from "../words.js";

const DOTS = 8;

/** @param {string} name */
export function dotOf(name) {
    let sum = 0;
    for (const letter of name.trim().toLowerCase()) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
    return sum % DOTS;
}

/** "vat, Year end,vat" → ["vat", "Year end"]. @param {string} text @returns {string[]} */
export function tagsOf(text) {
    /** @type {Map<string, string>} */
    const found = new Map();
    for (const one of text.split(",").map((part) => part.trim().replace(/\s+/g, " "))) {
        if (one && !found.has(one.toLowerCase())) found.set(one.toLowerCase(), one);
    }
    return [...found.values()];
}

/** @param {string[] | undefined} tags @param {string} [priority] */
export function labels(tags, priority = "normal") {
    const special = priority && priority !== "normal" ? words.request.priorities[priority] : "";
    if (!special && !tags?.length) return null;
    return h(
        "span",
        { class: "gh-labels" },
        special && h("strong", { class: priority === "low" ? "gh-muted" : "gh-late" }, special),
        (tags ?? []).map((one) => h("span", { class: "gh-label", "data-dot": dotOf(one) }, h("bdi", {}, one))),
    );
}
