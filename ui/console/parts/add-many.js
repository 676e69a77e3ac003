// @ts-check
// Many items at once, pasted from a spreadsheet or from a CSV file; looked at first, line by line.
import { h } from "./dom.js";
import { openDialog } from "./dialog.js";
import { field, mark } from "./field.js";
import { tag } from "./tag.js";
import { say } from "./say.js";
import { kindName } from "./wishes.js";
import { words } from "../words.js";

const w = words.request;

/** @param {import("../pages/request.js").Desk} desk @param {any} section */
export function addMany(desk, section) {
    const dialog = openDialog({ title: w.addManyTitle, wide: true });
    const path = `/api/portal/requests/${desk.view.id}/items`;
    const kind = h(
        "select",
        { name: "template" },
        section.templates.map((/** @type {any} */ one) => h("option", { value: one.key }, kindName(one))),
    );
    const lines = h("textarea", { name: "csv", rows: 8, wrap: "off" });
    const file = h("input", { type: "file", accept: ".csv,.tsv,.txt,text/csv" });
    file.addEventListener("change", async () => {
        const [one] = file.files ?? [];
        if (one) lines.value = await one.text();
    });
    const body = () => ({ section: section.key, template: kind.value, csv: lines.value });

    function ask() {
        dialog.fill(
            h(
                "form",
                {
                    class: "gh-form",
                    novalidate: true,
                    onsubmit: async (/** @type {SubmitEvent} */ event) => {
                        event.preventDefault();
                        if (!lines.value.trim()) return (mark(lines, w.rowsEmpty), lines.focus());
                        try {
                            const answer = await desk.ctx.api.post(path, { ...body(), preview: true });
                            look(answer.rows ?? []);
                        } catch (err) {
                            mark(lines, /** @type {Error} */ (err).message);
                        }
                    },
                },
                field({ label: w.addKind, input: kind }),
                field({ label: w.rowsLabel, hint: w.rowsHint, input: lines }),
                field({ label: w.rowsFile, input: file, optional: true }),
                h("div", {}, h("button", { type: "submit", class: "gh-btn gh-first" }, w.rowsCheck)),
            ),
        );
    }

    /** @param {{title: string, ok: boolean, message: string}[]} rows */
    function look(rows) {
        const good = rows.filter((row) => row.ok).length;
        const bad = rows.length - good;
        const error = h("p", { class: "gh-error", role: "alert", hidden: true });
        dialog.fill(
            h("p", { role: "status" }, bad > 0 ? w.rowsBad(bad) : w.rowsOk(good)),
            h(
                "ol",
                { class: "gh-plain gh-rows", tabindex: "0", "aria-label": w.rowsLabel },
                rows.map((row) =>
                    h(
                        "li",
                        {},
                        tag(row.ok ? "ok" : "bad", row.ok ? words.app.yes : words.app.no, row.ok ? "check" : "close"),
                        h("span", {}, h("strong", {}, row.title), row.message && ` ${row.message}`),
                    ),
                ),
            ),
            error,
            h(
                "div",
                { class: "gh-row" },
                good > 0 &&
                    bad === 0 &&
                    h(
                        "button",
                        { type: "button", class: "gh-btn gh-first", onclick: () => add(good, error) },
                        w.rowsAdd(good),
                    ),
                h("button", { type: "button", class: "gh-btn gh-second", onclick: ask }, w.rowsBack),
            ),
        );
    }

    /** @param {number} n @param {HTMLElement} error */
    async function add(n, error) {
        try {
            const view = await desk.command(() => desk.ctx.api.post(path, body()));
            dialog.close();
            desk.take(view);
            say(w.rowsAdded(n));
        } catch (err) {
            error.textContent = /** @type {Error} */ (err).message;
            error.hidden = false;
        }
    }

    ask();
}
