// @ts-check
// The list of views beside the queue, each with its count.
import { h } from "./dom.js";
import { counted } from "./queue-logic.js";
import { address } from "./routes.js";
import { words } from "../words.js";

const w = words.queue;
const groups = [
    { title: w.groups.us, views: ["mine", "unassigned", "waiting_on_us", "overdue"] },
    { title: w.groups.client, views: ["waiting_on_client"] },
    { title: w.groups.stuck, views: ["blocked"] },
    { title: w.groups.all, views: ["all"] },
];

/** @param {string} view */
export const viewName = (view) => w.views[view] ?? w.views.mine;

/** @param {{view: string, q: string, as: string, sort: string, counts: Record<string, number>, most: number}} state */
export function queueSide({ view, as, sort, counts, most }) {
    return h(
        "nav",
        { "aria-label": w.viewsLabel },
        groups.map((group) => [
            h("h2", { class: "gh-side-title" }, group.title),
            h(
                "ul",
                { class: "gh-plain" },
                group.views.map((key) =>
                    h(
                        "li",
                        {},
                        h(
                            "a",
                            {
                                class: "gh-side-link",
                                href: address("queue", { view: key, as, sort }),
                                "aria-current": key === view ? "page" : null,
                                "data-k": "view-" + key,
                            },
                            h("span", {}, viewName(key)),
                            h("span", { class: "gh-num" }, counted(counts[key], most)),
                        ),
                    ),
                ),
            ),
        ]),
    );
}
