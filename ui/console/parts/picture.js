// @ts-check
// A workflow as a drawing. The server lays it out; here it is only put on the page. Every drawing has a twin in
// words beside it, so for screen readers it is one image with one sentence.
import { h } from "./dom.js";
import { words } from "../words.js";

const w = words.workflows;
const SVG = "http://www.w3.org/2000/svg";
const LINE = 17;
const SIGN = 15;
// As small as it is still read; what is wider than its place then scrolls.
const SMALLEST = 0.75;

/** @param {string} tag @param {Record<string, any>} [attrs] @param {...(Node | string | null | false)} children */
function s(tag, attrs = {}, ...children) {
    const el = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attrs)) el.setAttribute(name, String(value));
    for (const child of children) if (child) el.append(child);
    return el;
}

/**
 * @param {any} picture
 * @param {{label: string, here?: string, path?: {key: string, from: string, to: string}[]}} how
 */
export function drawPicture(picture, { label, here = "", path = [] }) {
    const taken = takenSteps(path);
    const name = `gh-head-${serial++}`;
    const svg = s(
        "svg",
        {
            class: "gh-picture-svg",
            viewBox: `0 0 ${picture.width} ${picture.height}`,
            role: "img",
            "aria-label": label,
        },
        s("defs", {}, head(name, ""), head(`${name}-taken`, "gh-pic-taken")),
        ...picture.steps.map((/** @type {any} */ step) => line(step, taken.has(stepId(step)), name)),
        ...picture.steps.filter((/** @type {any} */ step) => step.sign).map(sign),
        ...picture.states.map((/** @type {any} */ state) => box(state, state.key === here)),
    );
    const style = /** @type {SVGElement} */ (svg).style;
    style.inlineSize = `max(min(100%, ${picture.width}px), ${Math.round(picture.width * SMALLEST)}px)`;
    return h("div", { class: "gh-picture", tabindex: "0", role: "group", "aria-label": w.picture }, svg);
}

let serial = 1;

/** @param {{key: string, from: string, to: string}} step */
const stepId = (step) => `${step.key}|${step.from}|${step.to}`;

/** The steps of a path, whichever came how often. @param {{key: string, from: string, to: string}[]} path */
export const takenSteps = (path) => new Set(path.map(stepId));

/** @param {string} id @param {string} look */
function head(id, look) {
    const marker = {
        id,
        viewBox: "0 0 10 10",
        refX: 9,
        refY: 5,
        markerWidth: 11,
        markerHeight: 11,
        markerUnits: "userSpaceOnUse",
    };
    return s(
        "marker",
        { ...marker, orient: "auto-start-reverse", class: `gh-pic-head ${look}` },
        s("path", { d: "M0 0L10 5L0 10z" }),
    );
}

/** @param {any} step @param {boolean} taken @param {string} name */
function line(step, taken, name) {
    if (step.points.length === 0) return null;
    const look = ["gh-pic-line", step.automatic && "gh-pic-auto", taken && "gh-pic-taken"].filter(Boolean).join(" ");
    return s("path", { class: look, d: curve(step.points), "marker-end": `url(#${taken ? `${name}-taken` : name})` });
}

/** Straight down a layer, bent between two. @param {[number, number][]} points */
export function curve(points) {
    return points
        .map(([x, y], i) => {
            if (i === 0) return `M${x} ${y}`;
            const [fromX, fromY] = points[i - 1];
            if (fromX === x) return `V${y}`;
            const middle = Math.trunc((fromY + y) / 2);
            return `C${fromX} ${middle} ${x} ${middle} ${x} ${y}`;
        })
        .join("");
}

/** @param {any} step */
function sign({ sign: it, by }) {
    const byLines = it.lines.length - labelLines(it.lines, by);
    return s(
        "g",
        {},
        s("rect", { class: "gh-pic-ground", x: it.x, y: it.y, width: it.w, height: it.h }),
        ...it.lines.map((/** @type {string} */ text, /** @type {number} */ i) =>
            s(
                "text",
                { class: i < byLines ? "gh-pic-sign" : "gh-pic-by", x: it.x + it.w / 2, y: it.y + SIGN * (i + 1) },
                text,
            ),
        ),
    );
}

/** How many of the last lines say who. @param {string[]} lines @param {string} by */
function labelLines(lines, by) {
    for (let n = 1; n < lines.length; n++) if (lines.slice(-n).join(" ") === by) return n;
    return 0;
}

/** @param {any} state @param {boolean} here */
function box(state, here) {
    const round = state.initial || state.terminal;
    const x = state.x + state.w / 2;
    const y = (/** @type {number} */ n) => state.y + 6 + LINE * n;
    return s(
        "g",
        { class: `gh-pic-box gh-pic-${state.tone} ${here ? "gh-pic-here" : ""}` },
        s("rect", { x: state.x, y: state.y, width: state.w, height: state.h, rx: round ? 20 : 8 }),
        ...state.lines.map((/** @type {string} */ text, /** @type {number} */ i) =>
            s("text", { class: "gh-pic-label", x, y: y(i + 1) }, text),
        ),
        s("text", { class: "gh-pic-tag", x, y: y(state.lines.length + 1) }, state.tag),
        typeof state.live === "number" &&
            s(
                "text",
                { class: state.overdue > 0 ? "gh-pic-late" : "gh-pic-tag", x, y: y(state.lines.length + 2) },
                w.boxLive(state.live, state.overdue, state.oldest_days),
            ),
        here &&
            s(
                "g",
                { class: "gh-pic-pin" },
                s("rect", { x: state.x - 6, y: state.y - 10, width: 48, height: 20, rx: 10 }),
                s("text", { x: state.x + 18, y: state.y + 4 }, words.where.here),
            ),
    );
}

/** What leads out of a state, in words. @param {any} picture @param {string} key @returns {string[]} */
export function stepsOut(picture, key) {
    const label = new Map(picture.states.map((/** @type {any} */ state) => [state.key, state.label]));
    return picture.steps
        .filter((/** @type {any} */ step) => step.from === key)
        .map((/** @type {any} */ step) => w.stepOut(step.label, label.get(step.to) ?? step.to, step.by));
}
