// @ts-check
// An item that more than one person decides on: how many are needed, who voted how, and an open veto.
import { h } from "./dom.js";
import { tag } from "./tag.js";
import { exact, moment } from "./format.js";
import { words } from "../words.js";

const w = words.request;

/** @type {Record<string, import("./tag.js").Tone>} */
const tones = { accepted: "ok", rejected: "bad", more_needed: "need", abstained: "todo" };

/** @param {any} item */
export function votesOf(item) {
    const { review } = item;
    if (!review) return null;
    return h(
        "section",
        { class: "gh-votes", "aria-label": w.votes },
        h("p", {}, h("strong", {}, w.votes), ": ", review.needed),
        review.veto_open && h("p", { class: "gh-bar gh-bad" }, w.vetoOpen),
        (review.votes ?? []).length > 0 &&
            h(
                "ul",
                { class: "gh-plain gh-events" },
                review.votes.map((/** @type {any} */ vote) =>
                    h(
                        "li",
                        {},
                        h(
                            "div",
                            { class: "gh-row" },
                            tag(tones[vote.status] ?? "todo", w.vote[vote.status] ?? vote.status),
                            h("strong", {}, vote.name),
                            vote.role && h("span", { class: "gh-muted" }, vote.role),
                            vote.at &&
                                h(
                                    "time",
                                    { datetime: vote.at, title: exact(vote.at), class: "gh-muted" },
                                    moment(vote.at),
                                ),
                        ),
                        vote.comment && h("p", {}, vote.comment),
                    ),
                ),
            ),
    );
}
