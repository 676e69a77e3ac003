// @ts-check
// The picture of a workflow version in words: its states, who acts, what is in them, and where they lead.
import { h } from "./dom.js";
import { tag } from "./tag.js";
import { stepsOut } from "./picture.js";
import { words } from "../words.js";

const w = words.workflows;

/**
 * @param {any} picture
 * @param {any[]} states  what the version says of them besides: owner, median age
 */
export function statesTable(picture, states) {
    const more = new Map(states.map((one) => [one.key, one]));
    return h(
        "table",
        { class: "gh-table gh-stack gh-states" },
        h(
            "thead",
            {},
            h(
                "tr",
                {},
                Object.values(w.columns).map((text) => h("th", { scope: "col" }, text)),
            ),
        ),
        h(
            "tbody",
            {},
            picture.states.map((/** @type {any} */ state) => row(picture, state, more.get(state.key) ?? {})),
        ),
    );
}

/** @param {any} picture @param {any} state @param {any} more */
function row(picture, state, more) {
    const outs = stepsOut(picture, state.key);
    const live = state.live ?? 0;
    return h(
        "tr",
        { "data-state": state.key },
        h(
            "td",
            { "data-label": w.columns.state },
            h("strong", {}, state.label),
            h(
                "p",
                { class: "gh-muted" },
                state.client_label ? w.clientReads(state.client_label) : w.clientReadsNothing,
            ),
        ),
        h(
            "td",
            { "data-label": w.columns.acts },
            tag(state.tone, state.tag),
            more.owner && h("p", { class: "gh-muted" }, w.owner(more.owner)),
        ),
        h(
            "td",
            { class: "gh-num gh-nowrap", "data-label": w.columns.live },
            String(live),
            state.overdue > 0 && h("span", { class: "gh-late" }, ` · ${w.late(state.overdue)}`),
        ),
        h(
            "td",
            { class: "gh-num gh-nowrap", "data-label": w.columns.oldest },
            live > 0 ? w.days(state.oldest_days) : words.app.none,
        ),
        h(
            "td",
            { class: "gh-num gh-nowrap", "data-label": w.columns.median },
            live > 0 && typeof more.median_age_hours === "number" ? age(more.median_age_hours) : words.app.none,
        ),
        h(
            "td",
            { "data-label": w.columns.out },
            outs.length === 0
                ? h("span", { class: "gh-muted" }, w.noStepsOut)
                : h(
                      "ul",
                      { class: "gh-plain" },
                      outs.map((text) => h("li", {}, text)),
                  ),
        ),
    );
}

/** @param {number} hours */
export const age = (hours) => (hours < 48 ? w.hours(Math.round(hours)) : w.days(Math.round(hours / 24)));
