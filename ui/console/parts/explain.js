// @ts-check
// "Who can see this?": everybody who can, each with the facts that say so. The server derives both from what enforces.
import { h } from "./dom.js";
import { openDialog } from "./dialog.js";
import { left, refused, skeleton } from "./faces.js";
import { address } from "./routes.js";
import { words } from "../words-access.js";

const w = words.explain;

/**
 * @param {import("./stage.js").Ctx} ctx
 * @param {string} collection
 * @param {string} record
 * @param {string} title
 */
export function openWho(ctx, collection, record, title) {
    const dialog = openDialog({ title: w.title(title), wide: true });
    async function load() {
        dialog.fill(skeleton(6));
        try {
            const answer = await ctx.api.get("/api/portal/access/people", { collection, record }, ctx.signal);
            dialog.fill(
                h("p", { tabindex: "-1", autofocus: true }, answer.total === 0 ? w.nobody : w.total(answer.total)),
                answer.total > answer.items.length && h("p", { class: "gh-muted" }, w.more(answer.items.length)),
                h(
                    "ul",
                    { class: "gh-plain gh-who" },
                    answer.items.map((/** @type {any} */ one) => person(one, dialog.close)),
                ),
            );
        } catch (err) {
            if (!left(err)) dialog.fill(refused(err, load));
        }
    }
    load();
}

/** @param {any} one @param {() => void} close */
function person(one, close) {
    return h(
        "li",
        {},
        h("a", { href: address("person/" + one.id), onclick: close }, h("bdi", {}, one.name)),
        " ",
        h(
            "span",
            { class: "gh-muted" },
            `${/** @type {any} */ (w.kinds)[one.kind]} · ${one.as === "face" ? w.face : w.truth}`,
        ),
        facts(one.facts),
    );
}

/** The facts as sentences. @param {any[]} list */
export function facts(list) {
    return h(
        "ul",
        { class: "gh-plain gh-factlist" },
        list.map((one) => h("li", { class: "gh-muted" }, one.text)),
    );
}
