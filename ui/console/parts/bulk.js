// @ts-check
// Many requests at once: choose them, say what, see what would happen to each, then do it, with ten seconds to undo.
import { h, paint } from "./dom.js";
import { address } from "./routes.js";
import { alike, stepsOf, stillShown } from "./bulk-logic.js";
import { askBulk } from "./bulk-dialog.js";
import { prioritySelect } from "./request-head.js";
import { field, mark } from "./field.js";
import { tagsOf } from "./labels.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.bulk;
const r = words.request;

/**
 * @param {import("./stage.js").Ctx} ctx
 * @param {() => any[]} rows      what the list shows
 * @param {() => void} redraw     the choice is another
 */
export function makeBulk(ctx, rows, redraw) {
    /** @type {Set<string>} */
    let picked = new Set();
    const bar = h("div", { role: "region", "aria-label": w.bar });

    /** @param {string} id */
    function toggle(id) {
        if (!id) return;
        if (!picked.delete(id)) picked.add(id);
        redraw();
    }

    function toggleAll() {
        picked = picked.size === rows().length ? new Set() : new Set(rows().map((row) => row.id));
        redraw();
    }

    function clear() {
        picked = new Set();
        redraw();
    }

    /** To be called whenever the list was drawn. */
    function draw() {
        picked = stillShown(picked, rows());
        /** @param {string} text @param {string} key @param {() => void} act @param {string} [look] */
        const button = (text, key, act, look = "gh-second") =>
            h(
                "button",
                { type: "button", class: `gh-btn gh-small ${look}`, "data-k": "bulk-" + key, onclick: act },
                text,
            );
        paint(
            bar,
            picked.size > 0 &&
                h(
                    "div",
                    { class: "gh-bulk" },
                    h("strong", { role: "status" }, w.chosen(picked.size)),
                    button(w.assign, "assign", assign),
                    button(w.move, "move", move),
                    button(w.priority, "priority", priority),
                    button(w.tags, "tags", tags),
                    button(w.clear, "clear", clear, "gh-plainbtn"),
                ),
        );
    }

    const chosen = () => rows().filter((row) => picked.has(row.id));

    /** @param {string} title @param {import("./dom.js").Child[]} fields @param {() => any} read */
    function ask(title, fields, read) {
        askBulk(ctx, {
            title,
            fields,
            read: () => {
                const body = read();
                return body && { ...body, requests: chosen().map((row) => row.id) };
            },
            started,
        });
    }

    /** @param {any} run */
    function started(run) {
        clear();
        const undo = async () => {
            try {
                await ctx.api.post(`/api/portal/runs/${run.id}/cancel`);
                say(w.undone);
            } catch (err) {
                say(/** @type {Error} */ (err).message);
            }
        };
        say(w.started(run.total), { label: r.undo, act: undo }, { label: w.see, href: address("run/" + run.id) });
    }

    async function assign() {
        try {
            const team = await ctx.api.get("/api/portal/staff");
            const people = team.filter((/** @type {any} */ one) => one.active !== false && one.role !== "viewer");
            const select = h(
                "select",
                { name: "assignee" },
                people.map((/** @type {any} */ one) =>
                    h("option", { value: one.id, selected: one.id === ctx.me.id }, one.name),
                ),
                h("option", { value: "" }, r.unassign),
            );
            ask(w.assignTitle, [field({ label: r.owner, input: select })], () => ({
                action: "assign",
                assignee: select.value,
            }));
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
    }

    async function move() {
        try {
            const groups = await Promise.all(
                alike(chosen()).map(async (group) => ({
                    rows: group,
                    actions: await ctx.api.get(`/api/portal/requests/${group[0].id}/actions`, {}, ctx.signal),
                })),
            );
            const steps = stepsOf(groups);
            if (steps.length === 0) return say(w.noSteps);
            askMove(steps);
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
    }

    /** @param {ReturnType<typeof stepsOf>} steps */
    function askMove(steps) {
        const all = picked.size;
        const select = h(
            "select",
            { name: "transition", onchange: () => drawTexts() },
            steps.map((one) => h("option", { value: one.key }, w.stepOf(one.label, one.n, all))),
        );
        const texts = h("div", { class: "gh-form" });
        const wanted = () => steps.find((one) => one.key === select.value)?.requires ?? [];
        const drawTexts = () =>
            paint(
                texts,
                wanted().map((one) => field({ label: one.label, input: h("textarea", { name: one.key, rows: 3 }) })),
            );
        drawTexts();
        ask(w.moveTitle, [field({ label: w.step, input: select }), texts], () => {
            /** @type {Record<string, string>} */
            const input = {};
            for (const area of texts.querySelectorAll("textarea")) {
                if (!area.value.trim()) {
                    mark(area, words.move.needText);
                    return void area.focus();
                }
                input[area.name] = area.value.trim();
            }
            return { action: "transition", transition: select.value, ...input };
        });
    }

    function priority() {
        const select = prioritySelect("normal");
        ask(w.priorityTitle, [field({ label: r.priority, input: select })], () => ({
            action: "priority",
            priority: select.value,
        }));
    }

    function tags() {
        const add = h("input", { type: "text", name: "tags" });
        const remove = h("input", { type: "text", name: "remove_tags" });
        ask(
            w.tagsTitle,
            [
                field({ label: w.addTags, hint: r.tagsHint, input: add, optional: true }),
                field({ label: w.removeTags, input: remove, optional: true }),
            ],
            () => {
                const body = { action: "tags", tags: tagsOf(add.value), remove_tags: tagsOf(remove.value) };
                if (body.tags.length + body.remove_tags.length > 0) return body;
                mark(add, w.needTags);
                return void add.focus();
            },
        );
    }

    return { bar, draw, toggle, toggleAll, has: (/** @type {string} */ id) => picked.has(id), size: () => picked.size };
}
