// @ts-check
// "What happened to this request?": one list, newest first; the top line sums up where it stands.
import { h, paint } from "./dom.js";
import { left } from "./faces.js";
import { moment, exact } from "./format.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.side;
const PAGE = 30;

/** @param {import("../pages/request.js").Desk} desk */
export function makeHistory(desk) {
    const element = h("div", { class: "gh-history" });
    /** @type {any[]} */
    let entries = [];
    let summary = "";
    let pages = 0;
    let total = 0;

    async function load() {
        pages = 0;
        await more();
    }

    async function more() {
        try {
            const query = { page: pages + 1, perPage: PAGE };
            const answer = await desk.ctx.api.get(
                `/api/portal/requests/${desk.view.id}/timeline`,
                query,
                desk.ctx.signal,
            );
            const plain = answer.items.filter((/** @type {any} */ one) => one.kind !== "summary");
            const top = answer.items.find((/** @type {any} */ one) => one.kind === "summary");
            entries = pages === 0 ? plain : [...entries, ...plain];
            if (pages === 0) summary = top?.text || answer.summary || "";
            pages += 1;
            total = answer.totalItems ?? entries.length;
            draw(answer.items.length === PAGE || pages * PAGE < total);
        } catch (err) {
            if (!left(err))
                paint(element, h("p", { class: "gh-error", role: "alert" }, /** @type {Error} */ (err).message));
        }
    }

    /** @param {boolean} further */
    function draw(further) {
        paint(
            element,
            summary && h("p", { class: "gh-strong" }, summary),
            entries.length === 0 && h("p", { class: "gh-muted" }, w.noHistory),
            entries.length > 0 && h("ol", { class: "gh-plain gh-events" }, entries.map(event)),
            h(
                "div",
                { class: "gh-row" },
                further &&
                    pages * PAGE < total &&
                    h(
                        "button",
                        { type: "button", class: "gh-btn gh-second", "data-k": "older", onclick: more },
                        w.loadMore,
                    ),
                entries.length > 0 &&
                    h("button", { type: "button", class: "gh-link", "data-k": "copy", onclick: copy }, w.copy),
            ),
        );
    }

    async function copy() {
        const lines = entries.map((one) =>
            [moment(one.at), actor(one), one.text, one.detail].filter(Boolean).join("  "),
        );
        await navigator.clipboard.writeText([summary, ...lines].filter(Boolean).join("\n"));
        say(words.app.copied);
    }

    return { element, load };
}

/** @param {any} one */
function actor(one) {
    if (!one.actor_name) return "";
    return one.on_behalf_of ? w.onBehalf(one.actor_name, one.on_behalf_of) : one.actor_name;
}

/** @param {any} one */
function event(one) {
    return h(
        "li",
        { "data-kind": one.kind },
        h("time", { datetime: one.at, title: exact(one.at), class: "gh-muted" }, moment(one.at)),
        // Most sentences name who acted; where one does not, or somebody acted for another, it stands beside the time.
        actor(one) && !one.text.includes(actor(one)) && h("span", { class: "gh-muted" }, " · ", actor(one)),
        h("p", { class: "gh-strong" }, one.text),
        one.detail && h("p", { class: "gh-muted" }, one.detail),
    );
}
