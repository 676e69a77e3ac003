// @ts-check
// The dates of a request that is not there yet: what would come in each state, and when each thing would be due.
import { h } from "./dom.js";
import { planned } from "./plan.js";
import { date, exact } from "./format.js";
import { words } from "../words.js";

const w = words.forecast;

/** @param {{stages: any[], items: any[], note: string}} forecast */
export function forecastView({ stages, items, note }) {
    return h(
        "div",
        { class: "gh-forecast" },
        stages.map((stage, n) => [
            h("h3", {}, n === 0 ? w.opened(stage.label) : w.sent(stage.label)),
            stage.items.length === 0
                ? h("p", { class: "gh-muted" }, w.nothing)
                : h("ol", { class: "gh-plain gh-events" }, stage.items.map(planned)),
        ]),
        note && h("p", { class: "gh-muted" }, w.note(note)),
        items.length > 0 && [
            h("h3", {}, w.items),
            h(
                "ul",
                { class: "gh-plain gh-events" },
                items.map((one) =>
                    h(
                        "li",
                        {},
                        `${one.title}: `,
                        h("time", { datetime: one.due, title: exact(one.due) }, date(one.due)),
                    ),
                ),
            ),
        ],
    );
}
