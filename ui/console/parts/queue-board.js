// @ts-check
// The queue as a board: the same view and filter, its requests in columns by who acts. Nothing is dragged: what may
// happen to a request are its steps, and they stand on its own page.
import { h } from "./dom.js";
import { cards } from "./queue-rows.js";
import { address } from "./routes.js";
import { words } from "../words.js";

const w = words.queue;

export const COLUMNS = ["us", "client", "system", "blocked"];

/** The tag that each column's title says already. @type {Record<string, string>} */
const said = {
    us: words.turn.staff,
    client: words.turn.client,
    system: words.turn.system,
    blocked: words.turn.blocked,
};

/**
 * @typedef {{rows: any[], next: string}} Column
 * @param {Record<string, Column>} columns
 * @param {{picks: import("./queue-rows.js").Picks | null, more: (column: string) => void}} how
 */
export function queueBoard(columns, { picks, more }) {
    return h(
        "div",
        { class: "gh-board" },
        COLUMNS.map((key) => {
            const { rows, next } = columns[key] ?? { rows: [], next: "" };
            const title = `gh-board-${key}`;
            return h(
                "section",
                { class: "gh-board-column", "aria-labelledby": title },
                h(
                    "h2",
                    { class: "gh-board-title", id: title },
                    w.board_columns[key],
                    " ",
                    h("span", { class: "gh-num gh-muted" }, w.inColumn(rows.length, !!next)),
                ),
                rows.length === 0 ? h("p", { class: "gh-muted" }, w.emptyColumn) : cards(rows, picks, said[key]),
                next &&
                    h(
                        "button",
                        {
                            type: "button",
                            class: "gh-btn gh-second",
                            "data-k": "more-" + key,
                            "aria-label": `${words.app.more}: ${w.board_columns[key]}`,
                            onclick: () => more(key),
                        },
                        words.app.more,
                    ),
            );
        }),
    );
}

/** List or board, as addresses, so that either can be kept and sent. @param {{view: string, q: string, as: string, sort: string}} state */
export function shapeSwitch({ view, q, as, sort }) {
    return h(
        "nav",
        { class: "gh-row gh-shape", "aria-label": w.shape },
        ["list", "board"].map((shape) =>
            h(
                "a",
                {
                    class: "gh-link",
                    href: address("queue", { view, q, as: shape === "board" ? shape : "", sort }),
                    "aria-current": (as || "list") === shape ? "true" : null,
                    "data-k": "shape-" + shape,
                },
                shape === "board" ? w.board : w.list,
            ),
        ),
    );
}

/** The order, as addresses too. @param {{view: string, q: string, as: string, sort: string}} state */
export function sortSwitch({ view, q, as, sort }) {
    return h(
        "nav",
        { class: "gh-row gh-shape", "aria-label": w.sort },
        h("span", { "aria-hidden": "true" }, w.sort),
        Object.entries(w.sorts).map(([key, name]) =>
            h(
                "a",
                {
                    class: "gh-link",
                    href: address("queue", { view, q, as, sort: key === "due" ? "" : key }),
                    "aria-current": (sort || "due") === key ? "true" : null,
                    "data-k": "sort-" + key,
                },
                name,
            ),
        ),
    );
}
