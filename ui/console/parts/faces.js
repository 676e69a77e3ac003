// @ts-check
// The faces that every screen shares: loading, empty, refused.
import { h } from "./dom.js";
import { words } from "../words.js";
import { address, START } from "./routes.js";
import { Problem } from "./api.js";

/** Grey lines; CSS shows them only after 300 ms, so that a fast answer does not flicker. @param {number} [lines] */
export function skeleton(lines = 6) {
    return h(
        "div",
        { class: "gh-skeleton", "aria-busy": "true" },
        h("p", { class: "gh-silent" }, words.app.loading),
        Array.from({ length: lines }, () => h("div", { class: "gh-bone" })),
    );
}

/** @param {string} text @param {...import("./dom.js").Child} offers */
export function empty(text, ...offers) {
    return h("div", { class: "gh-empty" }, h("p", {}, text), offers);
}

/** @param {unknown} err @param {() => void} again */
export function refused(err, again) {
    const problem = err instanceof Problem ? err : null;
    if (problem?.status === 404) {
        return empty(words.app.gone, h("a", { class: "gh-btn gh-second", href: address(START) }, words.app.toQueue));
    }
    return h(
        "div",
        { class: "gh-empty", role: "alert" },
        h("p", {}, h("strong", {}, words.app.failed)),
        h("p", {}, problem ? problem.message : words.app.unknownError),
        h("button", { type: "button", class: "gh-btn gh-second", onclick: again }, words.app.retry),
    );
}

/** Why somebody may only look. @param {{role: string}} me */
export function readOnlyBar(me) {
    return me.role === "viewer" && h("p", { class: "gh-bar gh-todo" }, words.roles.viewer);
}

/** @param {unknown} err whether a load was only cut off by leaving the page */
export function left(err) {
    return err instanceof DOMException && err.name === "AbortError";
}
