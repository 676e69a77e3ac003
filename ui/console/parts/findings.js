// @ts-check
// What the checker says of a definition: each finding with its place, and the path that shows it.
import { h } from "./dom.js";
import { tag } from "./tag.js";
import { words } from "../words.js";

const w = words.workflows;

/** @typedef {{level: string, code: string, path?: string, line: number, column: number, message: string, trace?: (string | Record<string, any>)[]}} Finding */

/** @param {Finding[]} findings @param {string} level */
export const countOf = (findings, level) => findings.filter((one) => one.level === level).length;

/** Errors first, then in the order of the source. @param {Finding[]} findings */
export function sorted(findings) {
    const rank = (/** @type {Finding} */ one) => (one.level === "error" ? 0 : one.level === "warning" ? 1 : 2);
    return [...findings].sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
}

/**
 * @param {Finding[]} findings
 * @param {(finding: Finding) => void} [go]  leads to its line
 */
export function findingsList(findings, go) {
    if (findings.length === 0) return h("p", { class: "gh-muted" }, w.noFindings);
    return [
        h("p", { class: "gh-muted" }, w.counted(countOf(findings, "error"), countOf(findings, "warning"))),
        h(
            "ol",
            { class: "gh-plain gh-findings" },
            sorted(findings).map((one, i) =>
                h(
                    "li",
                    { "data-code": one.code },
                    h("div", { class: "gh-row" }, levelTag(one.level), placeOf(one, i, go)),
                    h("p", {}, one.message),
                    traceOf(one.trace ?? []),
                ),
            ),
        ),
    ];
}

/** @param {string} level */
function levelTag(level) {
    const tone = level === "error" ? "bad" : level === "warning" ? "need" : "todo";
    return tag(tone, w.level[level] ?? level, level === "error" || level === "warning" ? "bang" : "circle");
}

/** @param {Finding} one @param {number} i @param {((finding: Finding) => void) | undefined} go */
function placeOf(one, i, go) {
    if (!one.line) return null;
    const text = w.place(one.line, one.column);
    if (!go) return h("span", { class: "gh-muted" }, text);
    return h("button", { type: "button", class: "gh-link", "data-k": `finding-${i}`, onclick: () => go(one) }, text);
}

/** @param {(string | Record<string, any>)[]} trace */
function traceOf(trace) {
    if (trace.length === 0) return null;
    return h(
        "details",
        { open: true },
        h("summary", {}, w.trace),
        h(
            "ol",
            { class: "gh-trace" },
            trace.map((one) => h("li", {}, stepWords(one))),
        ),
    );
}

/** A step of a trace, as a line. @param {string | Record<string, any>} one */
export function stepWords(one) {
    if (typeof one === "string") return one;
    const act = [one.step || one.note, one.by && w.traceBy(one.by)].filter(Boolean).join(" ");
    return act ? w.traceStep(one.state, act) : one.state;
}
