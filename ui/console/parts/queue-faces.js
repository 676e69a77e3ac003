// @ts-check
// What stands around the rows of the queue: the empty view and the hints.
import { h } from "./dom.js";
import { empty } from "./faces.js";
import { keysButton } from "./keys.js";
import { address } from "./routes.js";
import { words } from "../words.js";

const w = words.queue;

/** Nothing to show, and where to look instead. @param {{view: string, q: string, as: string, sort: string}} state */
export function noRequests(state) {
    if (state.q) {
        return empty(
            w.empty.filtered(state.q),
            h(
                "a",
                {
                    class: "gh-btn gh-second",
                    href: address("queue", { view: state.view, as: state.as, sort: state.sort }),
                },
                w.clearFilter,
            ),
        );
    }
    if (state.view !== "mine") return empty(w.empty.other);
    return empty(
        w.empty.mine,
        h(
            "a",
            {
                class: "gh-btn gh-second",
                href: address("queue", { view: "waiting_on_us", as: state.as, sort: state.sort }),
            },
            w.showUs,
        ),
    );
}

/** The most used keys, where there is room, and the way to all of them. @param {string[]} keys */
export function queueHints(keys) {
    /** @param {string} key */
    const kbd = (key) => h("kbd", { class: "gh-kbd" }, key);
    return h(
        "p",
        { class: "gh-hints" },
        h(
            "span",
            { class: "gh-wide-only" },
            kbd("j"),
            " ",
            kbd("k"),
            ` ${w.keysHint.move} `,
            kbd("Enter"),
            ` ${w.keysHint.open}`,
        ),
        keysButton(keys),
    );
}
