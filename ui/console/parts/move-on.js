// @ts-check
// "Move on": every step that the server names. What may be done is a button; what may not says why, and leads there.
import { h } from "./dom.js";
import { openMove } from "./move-dialog.js";
import { mainStep, reasonsSent, targetOf } from "./request-logic.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.request;

/** @param {import("../pages/request.js").Desk} desk */
export function moveOn(desk) {
    const { view } = desk;
    const ours = view.actions.filter((/** @type {any} */ one) => one.by.includes("staff"));
    const others = view.actions.filter((/** @type {any} */ one) => !one.by.includes("staff"));
    const allowed = ours.filter((/** @type {any} */ one) => one.allowed);
    const blocked = ours.filter((/** @type {any} */ one) => !one.allowed);
    const main = mainStep(allowed, view);
    return [
        h("h2", { class: "gh-moves-title" }, w.moveOn),
        ours.length === 0 && h("p", { class: "gh-muted" }, w.noMoves),
        allowed.length > 0 &&
            h(
                "div",
                { class: "gh-row" },
                allowed.map((/** @type {any} */ action) => moveButton(desk, action, action === main)),
            ),
        blocked.length > 0 &&
            h(
                "ul",
                { class: "gh-plain gh-blocked" },
                blocked.map((/** @type {any} */ one) => blockedStep(desk, one, true)),
            ),
        others.length > 0 &&
            h(
                "details",
                { class: "gh-others" },
                h("summary", {}, w.others(others.length)),
                h(
                    "ul",
                    { class: "gh-plain gh-blocked" },
                    others.map((/** @type {any} */ one) => blockedStep(desk, one)),
                ),
            ),
    ];
}

/** @param {import("../pages/request.js").Desk} desk @param {any} action @param {boolean} main */
function moveButton(desk, action, main) {
    const n = reasonsSent(action, desk.view);
    return h(
        "button",
        {
            type: "button",
            class: `gh-btn ${main ? "gh-first" : "gh-second"}`,
            "data-k": "move-" + action.key,
            onclick: (/** @type {MouseEvent} */ event) =>
                openMove(desk, action, /** @type {HTMLElement} */ (event.currentTarget)),
        },
        n > 0 ? words.move.withCount(action.label, n) : action.label,
        action.confirm && "…",
    );
}

/** @param {import("../pages/request.js").Desk} desk @param {any} action @param {boolean} [ours] may be pressed */
function blockedStep(desk, action, ours = false) {
    return h(
        "li",
        {},
        ours ? pressed(desk, action) : h("strong", {}, action.label),
        " ",
        h("span", { class: "gh-need-ink" }, w.notYet),
        " ",
        (action.blockers ?? []).map((/** @type {any} */ blocker, /** @type {number} */ i) => [
            i > 0 && " ",
            reason(desk, blocker, `${action.key}-${i}`),
        ]),
    );
}

/**
 * A step that cannot be taken yet stays a button: pressed, it says all that is in the way and leads to the first.
 * @param {import("../pages/request.js").Desk} desk @param {any} action
 */
function pressed(desk, action) {
    const blockers = action.blockers ?? [];
    return h(
        "button",
        {
            type: "button",
            class: "gh-btn gh-second",
            "data-k": "move-" + action.key,
            onclick: () => {
                const target = blockers.length > 0 && targetOf(blockers[0], desk.view);
                if (target) desk.show(target);
                const why = blockers.map((/** @type {any} */ one) => one.message).join(" ");
                say(w.notYetBecause(action.label, blockers.length, why));
            },
        },
        action.label,
    );
}

/** @param {import("../pages/request.js").Desk} desk @param {any} blocker @param {string} key */
function reason(desk, blocker, key) {
    const target = targetOf(blocker, desk.view);
    if (!target) return blocker.message;
    return h(
        "button",
        {
            type: "button",
            class: "gh-link gh-reason",
            "data-k": "why-" + key,
            title: w.show,
            onclick: () => desk.show(target),
        },
        blocker.message,
    );
}
