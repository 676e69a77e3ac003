// @ts-check
// Beside the queue, on wide screens: the chosen request's next steps with what blocks them, and what happened.
import { h, paint } from "./dom.js";
import { skeleton, refused, left } from "./faces.js";
import { address } from "./routes.js";
import { moment, exact, waiting } from "./format.js";
import { words } from "../words.js";

const w = words.queue;

/** @param {import("./stage.js").Ctx} ctx */
export function makePreview({ api, signal }) {
    const element = h("aside", { class: "gh-preview", "aria-label": w.nextSteps });
    const wide = matchMedia("(min-width: 1101px)");
    /** @type {Map<string, {view: any, timeline: any}>} */
    const known = new Map();
    let wanted = "";
    let timer = 0;
    /** @type {any} */
    let shown = null;

    /** @param {any} row */
    function show(row) {
        shown = row;
        clearTimeout(timer);
        if (!row || !wide.matches) {
            wanted = "";
            paint(element, row ? null : h("p", { class: "gh-muted" }, w.chooseRow));
            return;
        }
        const key = `${row.id}@${row.revision}`;
        if (key === wanted) return;
        wanted = key;
        const ready = known.get(key);
        if (ready) return draw(row, ready);
        paint(element, headOf(row), skeleton(4));
        // Moving through the list with j and k should not ask the server for every row passed.
        timer = Number(setTimeout(() => load(row, key), 150));
    }

    /** @param {any} row @param {string} key */
    async function load(row, key) {
        try {
            const path = `/api/portal/requests/${row.id}`;
            const [view, timeline] = await Promise.all([
                api.get(path, {}, signal),
                api.get(path + "/timeline", { perPage: 5 }, signal),
            ]);
            known.set(key, { view, timeline });
            if (key === wanted) draw(row, { view, timeline });
        } catch (err) {
            if (!left(err) && key === wanted)
                paint(
                    element,
                    headOf(row),
                    refused(err, () => load(row, key)),
                );
        }
    }

    /** @param {any} row @param {{view: any, timeline: any}} data */
    function draw(row, { view, timeline }) {
        const events = (timeline.items ?? []).filter((/** @type {any} */ one) => one.kind !== "summary").slice(0, 4);
        const toCheck = view.progress?.to_check ?? 0;
        const reviews =
            toCheck > 0 &&
            view.sections.some((/** @type {any} */ s) => s.items.some((/** @type {any} */ i) => i.can_review));
        const path = address("request/" + row.id);
        paint(
            element,
            headOf(row),
            h(
                "p",
                { class: "gh-row" },
                reviews && h("a", { class: "gh-btn gh-first", href: path }, w.openReview(toCheck)),
                h("a", { class: `gh-btn ${reviews ? "gh-second" : "gh-first"}`, href: path }, w.open),
            ),
            h("h3", {}, w.nextSteps),
            steps(view.actions),
            h("h3", {}, w.happened),
            events.length === 0
                ? h("p", { class: "gh-muted" }, w.quiet)
                : h(
                      "ol",
                      { class: "gh-plain gh-events" },
                      events.map((/** @type {any} */ event) =>
                          h(
                              "li",
                              {},
                              h("time", { datetime: event.at, title: exact(event.at) }, moment(event.at)),
                              " ",
                              h("strong", {}, event.text),
                              event.detail && h("p", { class: "gh-muted" }, event.detail),
                          ),
                      ),
                  ),
        );
    }

    wide.addEventListener("change", () => show(shown), { signal });
    return { element, show };
}

/** @param {any} row */
function headOf(row) {
    return [
        h("h2", {}, row.title),
        h(
            "p",
            { class: "gh-muted" },
            h("bdi", {}, row.organization_name),
            " · ",
            h("bdi", { class: "gh-number" }, row.number),
            " · ",
            w.since(row.label, waiting(row.state_since)),
        ),
    ];
}

/** @param {any[]} actions */
function steps(actions) {
    const ours = actions.filter((action) => action.by.includes("staff"));
    if (ours.length === 0) return h("p", { class: "gh-muted" }, w.noSteps);
    return h(
        "ul",
        { class: "gh-plain gh-steps" },
        ours.map((action) =>
            h(
                "li",
                { class: `gh-step ${action.allowed ? "gh-ok" : "gh-need"}` },
                h("strong", {}, action.label),
                h(
                    "p",
                    {},
                    action.allowed
                        ? [w.possible, " ", action.consequence]
                        : [
                              words.request.notYet,
                              " ",
                              (action.blockers ?? []).map((/** @type {any} */ b) => b.message).join(" "),
                          ],
                ),
            ),
        ),
    );
}
