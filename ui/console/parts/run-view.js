// @ts-check
// A run while it goes and when it is done: progress, what it did, and each request with a sentence.
import { h, paint } from "./dom.js";
import { tag } from "./tag.js";
import { left, refused, skeleton } from "./faces.js";
import { address } from "./routes.js";
import { isOpen, outcomes, startsIn } from "./run-logic.js";
import { announce, say } from "./say.js";
import { words } from "../words.js";

const w = words.run;
const EVERY = 700;

/** @type {Record<string, import("./tag.js").Tone>} */
const tones = { ok: "ok", skipped: "need", failed: "bad", waiting: "us" };
/** @type {Record<string, import("./tag.js").Tone>} */
const runTones = { waiting: "us", running: "us", done: "ok", cancelled: "todo", failed: "bad" };

/** @param {{status: string}} run */
export const runTag = (run) => tag(runTones[run.status] ?? "todo", w.status[run.status] ?? run.status);

/**
 * @param {import("./stage.js").Ctx} ctx
 * @param {{id: string, onload?: (run: any) => void, ondone?: (run: any) => void}} what
 */
export function makeRunView({ api, signal, me }, { id, onload, ondone }) {
    const path = `/api/portal/runs/${encodeURIComponent(id)}`;
    const top = h("div", { class: "gh-pane" });
    const filters = h("div", { class: "gh-row gh-filters", role: "group", "aria-label": w.filter });
    const list = h("div", {});
    const element = h("div", { class: "gh-pane gh-run" }, top, filters, list);
    let status = "";
    /** @type {any} */
    let run = null;
    /** @type {any[]} */
    let items = [];
    let timer = 0;
    signal.addEventListener("abort", () => clearTimeout(timer));

    async function load() {
        if (!run) paint(top, skeleton(3));
        try {
            const answer = await api.get(path, { status }, signal);
            const wasOpen = run === null || isOpen(run);
            run = answer;
            items = answer.items ?? [];
            draw();
            onload?.(run);
            if (isOpen(run)) timer = Number(setTimeout(load, EVERY));
            else if (wasOpen) {
                announce((run.summary ?? []).join(" ") || w.status[run.status]);
                ondone?.(run);
            }
        } catch (err) {
            if (!left(err)) paint(top, refused(err, load));
        }
    }

    async function more() {
        try {
            const answer = await api.get(path, { status, after: run.next }, signal);
            items = [...items, ...(answer.items ?? [])];
            run.next = answer.next;
            draw();
        } catch (err) {
            if (!left(err)) say(/** @type {Error} */ (err).message);
        }
    }

    async function cancel() {
        clearTimeout(timer);
        try {
            await api.post(path + "/cancel");
            say(w.cancelled);
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
        await load();
    }

    function draw() {
        const seconds = startsIn(run, Date.now());
        paint(
            top,
            h(
                "div",
                { class: "gh-row" },
                runTag(run),
                run.dry_run && h("span", { class: "gh-muted" }, w.dry),
                h("span", { class: "gh-num" }, w.progress(run.done, run.total)),
                seconds > 0 && h("span", {}, w.startsIn(seconds)),
                isOpen(run) &&
                    me.role !== "viewer" &&
                    h(
                        "button",
                        { type: "button", class: "gh-btn gh-second gh-small", "data-k": "cancel", onclick: cancel },
                        run.status === "waiting" ? w.undo : w.cancel,
                    ),
            ),
            h("progress", { max: Math.max(1, run.total), value: run.done, "aria-label": w.progressName }),
            (run.summary ?? []).length > 0 &&
                h(
                    "ul",
                    { class: "gh-plain" },
                    run.summary.map((/** @type {string} */ text) => h("li", {}, text)),
                ),
        );
        const found = outcomes(run);
        const names = run.dry_run ? w.item : w.itemDone;
        paint(
            filters,
            found.length > 1 && [["", run.done], ...found].map(([key, n]) => filter(key, key ? names[key] : w.all, n)),
        );
        paint(
            list,
            items.length === 0 ? !isOpen(run) && h("p", { class: "gh-muted" }, w.noItems) : table(items, names),
            run.next &&
                h(
                    "button",
                    { type: "button", class: "gh-btn gh-second gh-more", "data-k": "more", onclick: more },
                    words.app.more,
                ),
        );
    }

    /** @param {any} key @param {string} text @param {any} n */
    function filter(key, text, n) {
        return h(
            "button",
            {
                type: "button",
                class: "gh-pill",
                "aria-pressed": String(status === key),
                "data-k": "filter-" + key,
                onclick: () => {
                    status = key;
                    clearTimeout(timer);
                    load();
                },
            },
            w.filterCount(text, n),
        );
    }

    load();
    return { element };
}

/** @param {any[]} items @param {Record<string, string>} names */
function table(items, names) {
    return h(
        "table",
        { class: "gh-table gh-stack" },
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
            items.map((one) =>
                h(
                    "tr",
                    { "data-outcome": one.status },
                    h(
                        "td",
                        { "data-label": w.columns.request },
                        h("a", { class: "gh-title", href: address("request/" + one.request) }, one.title || one.number),
                        " ",
                        h(
                            "span",
                            { class: "gh-muted gh-sub" },
                            h("bdi", {}, one.organization_name),
                            " · ",
                            h("bdi", { class: "gh-number" }, one.number),
                        ),
                    ),
                    h(
                        "td",
                        { "data-label": w.columns.status },
                        tag(tones[one.status] ?? "todo", names[one.status] ?? one.status),
                    ),
                    h("td", { "data-label": w.columns.text }, one.text),
                ),
            ),
        ),
    );
}
