// @ts-check
// Moving open requests to a version: which ones, where states that are gone go on, a dry run, then the run.
import { h, paint } from "../parts/dom.js";
import { skeleton, empty, refused, left } from "../parts/faces.js";
import { field, mark } from "../parts/field.js";
import { address } from "../parts/routes.js";
import { goneStates } from "../parts/mapping.js";
import { makeRunView } from "../parts/run-view.js";
import { changes } from "../parts/run-logic.js";
import { manages } from "../parts/workflow-words.js";
import { say } from "../parts/say.js";
import { words } from "../words.js";

const w = words.migrate;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageWorkflowMove(ctx) {
    const { api, host, ready, signal } = ctx;
    const id = ctx.route.params.id;
    const path = "/api/portal/definitions/";
    const main = h("div", { class: "gh-main" });
    const gone = h("div", { class: "gh-form" });
    const result = h("section", { class: "gh-section", "aria-live": "off" });
    /** @type {any} */
    let target = null;
    /** @type {any[]} versions with open requests */
    let sources = [];
    /** @type {Map<string, HTMLSelectElement>} */
    const selects = new Map();

    async function load() {
        paint(main, skeleton());
        try {
            const [version, list] = await Promise.all([
                api.get(path + encodeURIComponent(id), {}, signal),
                api.get("/api/portal/definitions", {}, signal),
                ready,
            ]);
            target = version;
            const its = (list.items ?? []).find((/** @type {any} */ one) => one.key === version.key);
            const others = (its?.versions ?? []).filter(
                (/** @type {any} */ one) => one.id !== version.id && one.live > 0,
            );
            sources = await Promise.all(
                others.map(async (/** @type {any} */ one) => ({
                    ...one,
                    states: (await api.get(path + one.id, {}, signal)).states ?? [],
                })),
            );
            draw();
        } catch (err) {
            if (!left(err)) paint(main, h("h1", { class: "gh-silent" }, words.workflows.moveHere), refused(err, load));
        }
    }

    function draw() {
        const title = w.title(target.title, target.version);
        host.title([title]);
        paint(
            main,
            h(
                "header",
                { class: "gh-head" },
                h("a", { class: "gh-crumb", href: address("workflow/" + target.id) }, w.crumb(target.version)),
                h("h1", { "data-focus": true, tabindex: "-1" }, title),
            ),
            !manages(ctx.me)
                ? h("p", { class: "gh-bar gh-todo" }, words.workflows.onlyManagers)
                : sources.length === 0
                  ? empty(w.none)
                  : [form(), result],
        );
    }

    const from = h("select", { name: "from", "data-k": "from", onchange: () => drawGone() });

    function form() {
        paint(
            from,
            h("option", { value: "" }, w.fromAll),
            sources.map((one) => h("option", { value: one.id }, w.fromOne(one.version, one.live))),
        );
        drawGone();
        return h(
            "form",
            {
                class: "gh-form gh-narrow",
                novalidate: true,
                onsubmit: (/** @type {SubmitEvent} */ event) => {
                    event.preventDefault();
                    run(true);
                },
            },
            field({ label: w.from, input: from }),
            gone,
            h("p", { class: "gh-hint" }, w.dryText),
            h("div", {}, h("button", { type: "submit", class: "gh-btn gh-first", "data-k": "dry" }, w.dryRun)),
        );
    }

    function drawGone() {
        const chosen = sources.filter((one) => !from.value || one.id === from.value);
        const missing = goneStates(chosen, target);
        selects.clear();
        result.replaceChildren();
        paint(
            gone,
            missing.length > 0 && [h("h2", {}, w.gone), h("p", { class: "gh-hint" }, w.goneText)],
            missing.map((state) => {
                const select = h(
                    "select",
                    { name: state.key, "data-k": "state-" + state.key, onchange: () => result.replaceChildren() },
                    h("option", { value: "" }, w.choose),
                    target.states.map((/** @type {any} */ one) =>
                        h("option", { value: one.key, selected: one.key === state.guess }, one.label),
                    ),
                );
                selects.set(state.key, select);
                return field({ label: w.goesTo(state.label, state.live), input: select });
            }),
        );
    }

    /** @param {boolean} dry */
    async function run(dry) {
        const empty = [...selects.values()].find((one) => !one.value);
        if (empty) return (mark(empty, w.needStates), empty.focus());
        const states = Object.fromEntries([...selects].map(([key, one]) => [key, one.value]));
        const body = { from: from.value || undefined, states, dry_run: dry };
        try {
            const started = await api.post(`${path}${encodeURIComponent(id)}/migrate`, body);
            if (!dry) location.hash = address("run/" + started.id);
            else show(started.id);
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
    }

    /** @param {string} runId */
    function show(runId) {
        const foot = h("div", { class: "gh-row" });
        const view = makeRunView(ctx, {
            id: runId,
            ondone(its) {
                const n = changes(its);
                paint(
                    foot,
                    n > 0
                        ? h(
                              "button",
                              { type: "button", class: "gh-btn gh-first", "data-k": "move", onclick: () => run(false) },
                              w.move(n),
                          )
                        : h("p", {}, w.nothing),
                );
            },
        });
        const title = h("h2", { tabindex: "-1", "data-k": "result" }, w.result);
        paint(result, title, view.element, foot);
        title.focus({ preventScroll: true });
        title.scrollIntoView({ block: "nearest" });
    }

    load();
    return h("div", { class: "page gh gh-page" }, main);
}
