// @ts-check
// The dialog for many requests: what to do, then a dry run that says for each what would happen, then the run.
import { h, paint } from "./dom.js";
import { openDialog } from "./dialog.js";
import { Problem } from "./api.js";
import { makeRunView } from "./run-view.js";
import { changes } from "./run-logic.js";
import { words } from "../words.js";

const w = words.bulk;

/**
 * @param {import("./stage.js").Ctx} ctx
 * @param {object} what
 * @param {string} what.title
 * @param {import("./dom.js").Child[]} what.fields
 * @param {() => any} what.read           the body for the server; nothing where something is missing
 * @param {(run: any) => void} what.started
 */
export function askBulk(ctx, { title, fields, read, started }) {
    const over = new AbortController();
    const dialog = openDialog({ title, wide: true, onclose: () => over.abort() });
    const its = { ...ctx, signal: AbortSignal.any([ctx.signal, over.signal]) };
    const error = h("p", { class: "gh-error", role: "alert", hidden: true });
    /** @type {any} */
    let body = null;

    /** @param {any} err */
    function fail(err) {
        const missing = err instanceof Problem && err.status === 404;
        error.textContent = missing ? w.missing : err.message;
        error.hidden = false;
    }

    const form = h(
        "form",
        {
            class: "gh-form",
            novalidate: true,
            onsubmit: async (/** @type {SubmitEvent} */ event) => {
                event.preventDefault();
                error.hidden = true;
                body = read();
                if (!body) return;
                try {
                    preview(await ctx.api.post("/api/portal/bulk", { ...body, dry_run: true }));
                } catch (err) {
                    fail(err);
                }
            },
        },
        fields,
        error,
        h("div", {}, h("button", { type: "submit", class: "gh-btn gh-first", "data-k": "bulk-preview" }, w.preview)),
    );

    /** @param {any} run */
    function preview(run) {
        const foot = h("div", { class: "gh-row" });
        const back = h(
            "button",
            { type: "button", class: "gh-btn gh-second", onclick: () => dialog.fill(form) },
            w.back,
        );
        const view = makeRunView(its, {
            id: run.id,
            ondone(done) {
                const n = changes(done);
                paint(
                    foot,
                    n > 0
                        ? h(
                              "button",
                              { type: "button", class: "gh-btn gh-first", "data-k": "bulk-go", onclick: go },
                              w.go(n),
                          )
                        : h("p", {}, w.nothing),
                    back,
                );
            },
        });
        paint(foot, back);
        dialog.fill(view.element, error, foot);
    }

    async function go() {
        try {
            const run = await ctx.api.post("/api/portal/bulk", { ...body, dry_run: false });
            dialog.close();
            started(run);
        } catch (err) {
            fail(err);
        }
    }

    dialog.fill(form);
}
