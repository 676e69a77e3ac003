// @ts-check
// Making a program: what it may do, for which clients, from where and until when. Its token is shown once.
import { h } from "./dom.js";
import { formDialog, openDialog } from "./dialog.js";
import { field, mark } from "./field.js";
import { left } from "./faces.js";
import { say } from "./say.js";
import { words } from "../words-access.js";

const w = words.program;

/** @param {import("./stage.js").Ctx} ctx @param {() => void} done */
export async function makeProgram(ctx, done) {
    const { api, signal } = ctx;
    /** @type {any[]} */
    let clients;
    /** @type {string[]} */
    let duties;
    try {
        const [page, mine] = await Promise.all([
            api.get("/api/portal/clients", { perPage: 200 }, signal),
            api.get("/api/portal/programs", {}, signal),
        ]);
        clients = page.items;
        duties = mine.duties;
    } catch (err) {
        if (!left(err)) say(err instanceof Error ? err.message : String(err));
        return;
    }
    const name = h("input", { type: "text", name: "name", autocomplete: "off", maxlength: "80", autofocus: true });
    const role = h(
        "select",
        { name: "role" },
        Object.entries(w.roles).map(([value, text]) => h("option", { value }, text)),
    );
    const where = h(
        "select",
        { name: "organizations", multiple: true, size: "5" },
        clients.map((one) => h("option", { value: one.id }, one.name)),
    );
    where.selectedIndex = -1; // the first option was chosen before there could be several
    const plays = duties.map((duty) => h("input", { type: "checkbox", name: "duty", value: duty }));
    const expires = h("input", { type: "date", name: "expires", value: day(90), min: day(0), max: day(364) });
    const networks = h("textarea", { name: "networks", rows: "2" });
    const dryRun = h("input", { type: "checkbox", name: "dry_run" });
    formDialog({
        title: w.add,
        action: w.make,
        fields: [
            field({ label: w.name, hint: w.nameHint, input: name }),
            field({ label: w.columns.may, input: role }),
            plays.length > 0 &&
                h(
                    "fieldset",
                    { class: "gh-field" },
                    h("legend", {}, w.duties),
                    plays.map((box) => h("label", { class: "gh-check" }, box, " ", h("span", {}, box.value))),
                ),
            field({ label: w.columns.clients, hint: w.clientsHint, input: where, optional: true }),
            field({ label: w.expires, hint: w.expiresHint, input: expires }),
            field({ label: w.networks, hint: w.networksHint, input: networks, optional: true }),
            h("label", { class: "gh-check" }, dryRun, " ", h("span", {}, w.dryRunLabel)),
        ],
        async submit() {
            if (!name.value.trim()) return (mark(name, w.needName), name.focus(), false);
            if (!expires.value) return (mark(expires, w.needExpires), expires.focus(), false);
            const made = await api.post("/api/portal/programs", {
                name: name.value.trim(),
                role: role.value,
                duties: plays.filter((box) => box.checked).map((box) => box.value),
                organizations: [...where.selectedOptions].map((one) => one.value),
                networks: networks.value.split(/[\s,]+/).filter(Boolean),
                expires: new Date(expires.value + "T23:59:59").toISOString(),
                dry_run: dryRun.checked,
            });
            done();
            showToken(made.program.name, made.token);
        },
    });
}

/** A day from today, as a date field has it. @param {number} days */
function day(days) {
    const at = new Date();
    at.setDate(at.getDate() + days);
    return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
}

/** @param {string} name @param {string} token */
function showToken(name, token) {
    const dialog = openDialog({ title: w.tokenTitle(name) });
    const input = h("input", { type: "text", name: "token", readonly: true, value: token, autofocus: true });
    const copy = h(
        "button",
        {
            type: "button",
            class: "gh-btn gh-first",
            "data-k": "copy",
            async onclick() {
                input.select();
                try {
                    await navigator.clipboard.writeText(token);
                    say(w.copied);
                } catch {
                    say(w.copyYourself);
                }
            },
        },
        w.copy,
    );
    dialog.fill(
        h("p", {}, w.tokenText),
        field({ label: w.token, input }),
        h("p", { class: "gh-muted" }, w.tokenUse, " ", h("code", {}, "Authorization: Bearer …")),
        h(
            "div",
            { class: "gh-row gh-dialog-foot" },
            copy,
            h(
                "button",
                { type: "button", class: "gh-btn gh-second", "data-k": "kept", onclick: () => dialog.close() },
                w.kept,
            ),
        ),
    );
}
