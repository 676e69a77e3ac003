// @ts-check
// Single keys: only while nobody types, and each person can turn them off (WCAG 2.1.4).
import { h } from "./dom.js";
import { words } from "../words.js";
import { openDialog } from "./dialog.js";

const OFF = "gh-keys-off";

export function keysOn() {
    return globalThis.localStorage?.getItem(OFF) !== "yes";
}

/** @param {boolean} on */
function setKeys(on) {
    if (on) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
}

/**
 * Whether a key press may act as a shortcut. Pure, so that it can be tested.
 * @param {{key: string, ctrlKey?: boolean, metaKey?: boolean, altKey?: boolean, defaultPrevented?: boolean,
 *   target?: any}} event
 * @param {{on: boolean, dialog: boolean}} state
 */
export function mayAct(event, state) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (state.dialog) return false;
    if (!state.on && event.key !== "?") return false;
    return !typing(event.target, event.key);
}

/** @param {any} target @param {string} key */
function typing(target, key) {
    if (!target?.tagName) return false;
    const tag = target.tagName.toLowerCase();
    if (target.isContentEditable || tag === "textarea" || tag === "select") return true;
    if (tag === "input") return !["checkbox", "radio", "button", "submit"].includes(target.type);
    // Enter on a link or button is that link's or button's own.
    return key === "Enter" && (tag === "a" || tag === "button" || tag === "summary");
}

/**
 * @param {Record<string, () => void>} actions  by key
 * @param {AbortSignal} until
 */
export function bindKeys(actions, until) {
    const all = { ...actions, "?": () => showKeys(Object.keys(actions)) };
    const listen = (/** @type {KeyboardEvent} */ event) => {
        const act = /** @type {Record<string, () => void>} */ (all)[event.key];
        const dialog = document.querySelector("dialog[open]") !== null;
        if (!act || !mayAct(event, { on: keysOn(), dialog })) return;
        event.preventDefault();
        act();
    };
    document.addEventListener("keydown", listen, { signal: until });
}

/** The list of keys of this page, and the switch. @param {string[]} keys */
export function showKeys(keys) {
    const dialog = openDialog({ title: words.keys.title });
    const draw = () => {
        dialog.fill(
            h("p", {}, keysOn() ? words.keys.on : words.keys.off),
            h(
                "dl",
                { class: "gh-keylist" },
                [...keys, "?"].map((key) => [
                    h("dt", {}, h("kbd", { class: "gh-kbd" }, key === "Escape" ? "Esc" : key)),
                    h("dd", {}, words.keys.what[key]),
                ]),
            ),
            h(
                "button",
                {
                    type: "button",
                    class: "gh-btn gh-second",
                    "data-k": "keys-switch",
                    onclick: () => {
                        setKeys(!keysOn());
                        draw();
                    },
                },
                keysOn() ? words.keys.turnOff : words.keys.turnOn,
            ),
        );
    };
    draw();
}

/** The button that opens the list, beside the hints. @param {string[]} keys */
export function keysButton(keys) {
    return h(
        "button",
        { type: "button", class: "gh-link gh-keysbutton", onclick: () => showKeys(keys) },
        h("kbd", { class: "gh-kbd" }, "?"),
        " ",
        words.queue.keysHint.all,
    );
}
