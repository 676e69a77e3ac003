// @ts-check
// The rows of a list of requests: a table, or cards on a phone.
import { h } from "./dom.js";
import { turnTag, turnText } from "./tag.js";
import { labels } from "./labels.js";
import { date, exact, initials, waiting } from "./format.js";
import { address } from "./routes.js";
import { words } from "../words.js";

const w = words.queue;

/**
 * @typedef {{has: (id: string) => boolean, toggle: (id: string) => void, toggleAll: () => void, size: () => number}} Picks
 * @param {any[]} rows
 * @param {{narrow: boolean, choose?: (id: string) => void, open: (id: string) => void, picks?: Picks | null}} how
 *   picks: many rows may be chosen
 */
export function queueRows(rows, how) {
    return how.narrow ? cards(rows, how.picks) : table(rows, how);
}

/** @param {any[]} rows @param {{choose?: (id: string) => void, open: (id: string) => void, picks?: Picks | null}} how */
function table(rows, { choose, open, picks }) {
    const previews = () => choose && matchMedia("(min-width: 1101px)").matches;
    return h(
        "table",
        { class: "gh-table" },
        h(
            "thead",
            {},
            h(
                "tr",
                {},
                picks && h("th", { scope: "col", class: "gh-pickcell" }, pickAll(rows, picks)),
                Object.values(w.columns).map((text) => h("th", { scope: "col" }, text)),
            ),
        ),
        h(
            "tbody",
            {},
            rows.map((row) =>
                h(
                    "tr",
                    {
                        "data-row": row.id,
                        onclick: (/** @type {MouseEvent} */ event) => {
                            // The title is a real link and goes its own way, also to a new tab.
                            if (/** @type {Element} */ (event.target).closest("a, label")) return;
                            if (previews()) choose?.(row.id);
                            else open(row.id);
                        },
                    },
                    picks && h("td", { class: "gh-pickcell" }, pick(row, picks)),
                    h("td", {}, turnTag(row)),
                    h("td", { class: "gh-cell-main" }, titleOf(row), nextStep(row)),
                    h("td", {}, owner(row)),
                    h(
                        "td",
                        { class: "gh-num gh-nowrap" },
                        h("span", { title: exact(row.state_since) }, waiting(row.state_since)),
                    ),
                    h("td", { class: "gh-nowrap" }, due(row)),
                ),
            ),
        ),
    );
}

/** @param {any[]} rows @param {Picks | null} [picks] @param {string} [said] the tag that the place says already */
export function cards(rows, picks, said = "") {
    return h(
        "ul",
        { class: "gh-plain gh-cards" },
        rows.map((row) =>
            h(
                "li",
                { class: "gh-card", "data-row": row.id },
                h(
                    "div",
                    { class: "gh-card-top" },
                    picks && pick(row, picks),
                    turnText(row) !== said && turnTag(row),
                    h("span", { class: "gh-num" }, waiting(row.state_since)),
                    h("span", { class: "gh-card-due" }, due(row)),
                ),
                titleOf(row),
                nextStep(row),
            ),
        ),
    );
}

/** @param {any} row */
function titleOf(row) {
    return h(
        "p",
        {},
        h("a", { class: "gh-title", href: address("request/" + row.id), "data-k": "row-" + row.id }, row.title),
        " ",
        h(
            "span",
            { class: "gh-muted gh-sub" },
            h("bdi", {}, row.organization_name),
            " · ",
            h("bdi", { class: "gh-number" }, row.number),
        ),
        " ",
        labels(row.tags, row.priority),
    );
}

/** What comes next, or what keeps the request from going on with the way to put it right. @param {any} row */
export function nextStep(row) {
    const its = row.blocked;
    if (!its) return h("p", {}, row.next_step);
    /** @type {Record<string, string>} */
    const places = {
        request: address("request/" + row.id),
        item: address("request/" + row.id, { item: its.id }),
        firm: address("firm"),
        client: address("client/" + its.id),
    };
    return h(
        "p",
        {},
        row.next_step,
        " ",
        h(
            "a",
            {
                class: "gh-link",
                href: places[its.cure],
                "aria-label": w.cureOf(w.cures[its.cure], row.title),
                "data-k": "cure-" + row.id,
            },
            w.cures[its.cure],
        ),
    );
}

/** @param {any} row @param {Picks} picks */
function pick(row, picks) {
    const box = h("input", {
        type: "checkbox",
        checked: picks.has(row.id),
        "aria-label": words.bulk.select(row.title),
        "data-k": "pick-" + row.id,
        onchange: () => picks.toggle(row.id),
    });
    return h("label", { class: "gh-pickbox" }, box);
}

/** @param {any[]} rows @param {Picks} picks */
function pickAll(rows, picks) {
    const box = h("input", {
        type: "checkbox",
        checked: picks.size() === rows.length,
        "aria-label": words.bulk.selectAll,
        "data-k": "pick-all",
        onchange: () => picks.toggleAll(),
    });
    box.indeterminate = picks.size() > 0 && picks.size() < rows.length;
    return h("label", { class: "gh-pickbox" }, box);
}

/** @param {any} row */
function owner(row) {
    if (!row.assignee) return h("span", { class: row.category === "done" ? "gh-muted" : "gh-late" }, w.nobody);
    return [
        h("span", { "aria-hidden": "true", title: row.assignee_name }, initials(row.assignee_name)),
        h("span", { class: "gh-silent" }, row.assignee_name),
    ];
}

/** @param {any} row */
export function due(row) {
    if (!row.due) return words.app.none;
    if (!row.overdue) return h("span", { title: exact(row.due) }, date(row.due));
    return h("span", { class: "gh-late", title: exact(row.due) }, `${date(row.due)} ${w.late}`);
}
