// @ts-check
// What was done to many requests at once, newest first.
import { h, paint } from "../parts/dom.js";
import { skeleton, empty, refused, left } from "../parts/faces.js";
import { address } from "../parts/routes.js";
import { exact, moment } from "../parts/format.js";
import { runTag } from "../parts/run-view.js";
import { words } from "../words.js";

const w = words.run;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageRuns(ctx) {
    const { api, host, ready, signal } = ctx;
    host.title([w.title, words.workflows.title]);
    const body = h("div", {});
    /** @type {any[]} */
    let items = [];

    /** @param {string} [after] */
    async function load(after = "") {
        if (!after) paint(body, skeleton());
        try {
            const [answer] = await Promise.all([api.get("/api/portal/runs", { after }, signal), ready]);
            items = after ? [...items, ...answer.items] : answer.items;
            paint(
                body,
                items.length === 0 ? empty(w.none) : table(items),
                answer.next &&
                    h(
                        "button",
                        {
                            type: "button",
                            class: "gh-btn gh-second gh-more",
                            "data-k": "more",
                            onclick: () => load(answer.next),
                        },
                        words.app.more,
                    ),
            );
        } catch (err) {
            if (!left(err))
                paint(
                    body,
                    refused(err, () => load()),
                );
        }
    }

    load();
    return h(
        "div",
        { class: "page gh gh-page" },
        h(
            "div",
            { class: "gh-main" },
            h(
                "header",
                { class: "gh-head" },
                h("a", { class: "gh-crumb", href: address("workflows") }, words.workflows.title),
                h("h1", { "data-focus": true, tabindex: "-1" }, w.title),
            ),
            body,
        ),
    );
}

/** @param {any[]} items */
function table(items) {
    return h(
        "table",
        { class: "gh-table gh-stack" },
        h(
            "thead",
            {},
            h(
                "tr",
                {},
                Object.values(w.columnsList).map((text) => h("th", { scope: "col" }, text)),
            ),
        ),
        h(
            "tbody",
            {},
            items.map((run) =>
                h(
                    "tr",
                    {},
                    h(
                        "td",
                        { "data-label": w.columnsList.what },
                        h("a", { class: "gh-title", href: address("run/" + run.id) }, w.kind[run.kind] ?? w.kind.bulk),
                        run.dry_run && h("span", { class: "gh-muted" }, ` (${w.dry})`),
                    ),
                    h("td", { "data-label": w.columnsList.status }, runTag(run)),
                    h("td", { class: "gh-num", "data-label": w.columnsList.done }, w.progress(run.done, run.total)),
                    h(
                        "td",
                        { "data-label": w.columnsList.by, title: exact(run.created) },
                        w.by(run.by_name, moment(run.created)),
                    ),
                ),
            ),
        ),
    );
}
