// @ts-check
// One run: what it was asked, how far it is, and what became of each request.
import { h } from "../parts/dom.js";
import { address } from "../parts/routes.js";
import { makeRunView } from "../parts/run-view.js";
import { words } from "../words.js";

const w = words.run;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageRun(ctx) {
    ctx.host.title([w.title]);
    const heading = h("h1", { "data-focus": true, tabindex: "-1" }, w.title);
    const view = makeRunView(ctx, {
        id: ctx.route.params.id,
        onload(run) {
            heading.textContent = w.kind[run.kind] ?? w.kind.bulk;
            ctx.host.title([heading.textContent ?? "", w.title]);
        },
    });
    return h(
        "div",
        { class: "page gh gh-page" },
        h(
            "div",
            { class: "gh-main" },
            h("header", { class: "gh-head" }, h("a", { class: "gh-crumb", href: address("runs") }, w.title), heading),
            view.element,
        ),
    );
}
