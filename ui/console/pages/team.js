// @ts-check
// The firm's own people: who may do what, who plays which part, who has left; and the walls around some of them.
import { h, paint } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { skeleton, refused, left } from "../parts/faces.js";
import { wallsSection } from "../parts/walls.js";
import { changeColleague, addColleague, seeOff, letIn } from "../parts/colleague.js";
import { address } from "../parts/routes.js";
import { words } from "../words-access.js";

const w = words.staff;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageTeam(ctx) {
    const { api, host, me, ready, signal } = ctx;
    host.title([w.title]);
    const people = h("div", {}, skeleton());
    const owner = me.role === "owner";

    async function load() {
        try {
            const [list] = await Promise.all([api.get("/api/portal/staff", {}, signal), ready]);
            draw(list);
        } catch (err) {
            if (!left(err)) paint(people, refused(err, load));
        }
    }

    /** @param {any[]} list */
    function draw(list) {
        paint(
            people,
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
                h(
                    "tbody",
                    {},
                    list.map((one) => row(one, list)),
                ),
            ),
            !owner && h("p", { class: "gh-muted" }, w.onlyOwners),
        );
    }

    /** @param {any} one @param {any[]} list */
    function row(one, list) {
        /** @param {string} text @param {string} key @param {() => void} onclick */
        const act = (text, key, onclick) => [
            h(
                "button",
                {
                    type: "button",
                    class: "gh-link",
                    "data-k": `${key}-${one.id}`,
                    "aria-label": `${text}: ${one.name}`,
                    onclick,
                },
                text,
            ),
            " ",
        ];
        return h(
            "tr",
            {},
            h(
                "td",
                { class: "gh-cell-main" },
                me.role === "viewer"
                    ? h("strong", {}, h("bdi", {}, one.name))
                    : h("a", { href: address("person/" + one.id) }, h("bdi", {}, one.name)),
                " ",
                h("span", { class: "gh-muted gh-sub" }, h("bdi", {}, one.email)),
            ),
            h("td", { class: "gh-nowrap", "data-label": w.columns.role }, /** @type {any} */ (w.short)[one.role]),
            h("td", { "data-label": w.columns.duties }, (one.duties ?? []).join(", ") || w.none),
            h("td", { "data-label": w.columns.status }, one.active ? w.active : w.left),
            h(
                "td",
                {},
                owner && act(w.change, "change", () => changeColleague(ctx, one, load)),
                owner && one.active && one.id !== me.id && act(w.leave, "leave", () => seeOff(ctx, one, list, load)),
                owner && !one.active && act(w.back, "back", () => letIn(ctx, one, load)),
            ),
        );
    }

    load();
    return h(
        "div",
        { class: "page gh gh-page" },
        h(
            "div",
            { class: "gh-main" },
            h(
                "header",
                { class: "gh-head" },
                h("h1", { tabindex: "-1" }, w.title),
                h("p", { class: "gh-muted" }, w.text),
                owner && h("a", { class: "gh-link", href: address("firm/backups"), "data-k": "backups" }, w.backups),
                owner &&
                    h(
                        "button",
                        {
                            type: "button",
                            class: "gh-btn gh-first gh-end",
                            "data-k": "add",
                            onclick: () => addColleague(ctx, load),
                        },
                        icon("plus"),
                        h("span", {}, w.add),
                    ),
            ),
            people,
            (me.role === "manager" || owner) &&
                h(
                    "p",
                    {},
                    h("a", { href: address("programs"), "data-k": "programs" }, words.program.title),
                    ": ",
                    words.program.short,
                ),
            (me.role === "manager" || owner) && wallsSection(ctx),
        ),
    );
}
