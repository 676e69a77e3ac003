// @ts-check
// The firm's programs: other software that works with a token, what each may do, when it was used last, and its end.
import { h, paint } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { empty, skeleton, refused, left } from "../parts/faces.js";
import { formDialog } from "../parts/dialog.js";
import { date, exact, moment } from "../parts/format.js";
import { makeProgram } from "../parts/program.js";
import { address } from "../parts/routes.js";
import { say } from "../parts/say.js";
import { words } from "../words-access.js";

const w = words.program;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pagePrograms(ctx) {
    const { api, host, me, ready, signal } = ctx;
    host.title([words.staff.title, w.title]);
    const box = h("div", {}, skeleton());
    const mayMake = me.role === "manager" || me.role === "owner";

    async function load() {
        try {
            const [answer] = await Promise.all([api.get("/api/portal/programs", {}, signal), ready]);
            paint(box, answer.items.length === 0 ? empty(w.none) : table(answer.items));
        } catch (err) {
            if (!left(err)) paint(box, refused(err, load));
        }
    }

    /** @param {any[]} items */
    const table = (items) =>
        h(
            "table",
            { class: "gh-table gh-stack" },
            h(
                "thead",
                {},
                h(
                    "tr",
                    {},
                    Object.entries(w.columns).map(([key, text]) =>
                        h("th", { scope: "col" }, key === "act" ? h("span", { class: "gh-silent" }, text) : text),
                    ),
                ),
            ),
            h("tbody", {}, items.map(row)),
        );

    /** @param {any} one */
    function row(one) {
        return h(
            "tr",
            { "data-state": one.state },
            h(
                "td",
                { class: "gh-cell-main" },
                h("strong", {}, h("bdi", {}, one.name)),
                " ",
                h("span", { class: "gh-muted gh-sub" }, w.made(one.maker_name, date(one.created))),
            ),
            h(
                "td",
                { "data-label": w.columns.may },
                w.roles[/** @type {keyof typeof w.roles} */ (one.role)],
                one.dry_run && h("span", { class: "gh-muted gh-sub" }, " ", w.dryRun),
                one.duties.length > 0 && h("span", { class: "gh-muted gh-sub" }, " ", w.as(one.duties.join(", "))),
            ),
            h(
                "td",
                { "data-label": w.columns.clients },
                one.organizations.length === 0
                    ? w.allClients
                    : one.organizations.map((/** @type {any} */ o) => o.name || w.hidden).join(", "),
            ),
            h(
                "td",
                { "data-label": w.columns.used },
                one.last_used
                    ? h("span", { title: exact(one.last_used) }, w.used(moment(one.last_used), one.last_ip))
                    : w.neverUsed,
            ),
            h(
                "td",
                { "data-label": w.columns.state },
                one.state === "active"
                    ? w.until(date(one.expires))
                    : w.states[/** @type {keyof typeof w.states} */ (one.state)],
                h("span", { class: "gh-muted" }, " · ", w.hint(one.hint)),
            ),
            h(
                "td",
                { class: "gh-nowrap" },
                one.state === "active" &&
                    h(
                        "button",
                        {
                            type: "button",
                            class: "gh-link",
                            "data-k": "revoke-" + one.id,
                            "aria-label": `${w.revoke}: ${one.name}`,
                            onclick: () => revoke(one),
                        },
                        w.revoke,
                    ),
            ),
        );
    }

    /** @param {any} one */
    function revoke(one) {
        formDialog({
            title: w.revokeTitle(one.name),
            action: w.revoke,
            danger: true,
            fields: [h("p", {}, w.revokeText)],
            async submit() {
                await api.post(`/api/portal/programs/${one.id}/revoke`);
                say(w.revoked(one.name));
                load();
            },
        });
    }

    load();
    return h(
        "div",
        { class: "page gh gh-page" },
        h(
            "div",
            { class: "gh-main" },
            h("p", {}, h("a", { href: address("firm") }, words.staff.title)),
            h(
                "header",
                { class: "gh-head" },
                h("h1", { tabindex: "-1" }, w.title),
                h("p", { class: "gh-muted" }, w.text),
                mayMake &&
                    h(
                        "button",
                        {
                            type: "button",
                            class: "gh-btn gh-first gh-end",
                            "data-k": "add",
                            onclick: () => makeProgram(ctx, load),
                        },
                        icon("plus"),
                        h("span", {}, w.add),
                    ),
            ),
            box,
        ),
    );
}
