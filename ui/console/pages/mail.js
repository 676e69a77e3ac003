// @ts-check
// Every mail that was made, with whether it went out and why. Managers and owners read it.
import { h, paint } from "../parts/dom.js";
import { skeleton, empty, refused, left } from "../parts/faces.js";
import { Problem } from "../parts/api.js";
import { tag } from "../parts/tag.js";
import { mailPane } from "../parts/mail-pane.js";
import { moment, exact } from "../parts/format.js";
import { address } from "../parts/routes.js";
import { words } from "../words.js";

const w = words.mail;

/** @type {Record<string, import("../parts/tag.js").Tone>} */
const tones = { sent: "ok", waiting: "us", kept: "todo", failed: "bad" };

/** @param {string} status */
export const mailTag = (status) =>
    tag(tones[status] ?? "todo", w.status[status] ?? status, status === "failed" ? "bang" : "mail");

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageMail(ctx) {
    const { api, host, firm, ready, signal } = ctx;
    host.title([w.title]);
    const state = { status: "", /** @type {any[]} */ items: [], next: "", chosen: "" };
    let asked = 0;
    const filters = h("nav", { class: "gh-row gh-filters", "aria-label": w.columns.status });
    const list = h("div", { class: "gh-queue-list" });
    const pane = mailPane(ctx);
    const notice = h("div", {});

    /** @param {import("../parts/routes.js").Route} route */
    function follow(route) {
        const status = route.query.get("status") ?? "";
        const mail = route.query.get("mail") ?? "";
        const same = status === state.status && state.items.length > 0;
        Object.assign(state, { status, chosen: mail });
        if (same) draw();
        else load();
        pane.show(mail);
    }

    /** @param {string} [after] */
    async function load(after = "") {
        const mine = ++asked;
        if (!after) paint(list, skeleton());
        try {
            const [answer] = await Promise.all([
                api.get("/api/portal/mails", { status: state.status, after }, signal),
                ready,
            ]);
            if (mine !== asked) return;
            state.items = after ? [...state.items, ...answer.items] : answer.items;
            state.next = answer.next ?? "";
            draw();
        } catch (err) {
            if (left(err) || mine !== asked) return;
            const forbidden = err instanceof Problem && err.status === 403;
            if (forbidden) filters.remove();
            paint(list, forbidden ? empty(words.roles.mail) : refused(err, () => load()));
        }
    }

    function draw() {
        paint(notice, firm.mail === "none" && h("p", { class: "gh-bar gh-note" }, w.noMail));
        paint(
            filters,
            Object.entries({ "": w.all, ...w.status }).map(([status, text]) => {
                return h(
                    "a",
                    {
                        class: "gh-pill",
                        href: address("mail", { status }),
                        "aria-current": status === state.status ? "true" : null,
                        "data-k": "f-" + status,
                    },
                    text,
                );
            }),
        );
        paint(
            list,
            state.items.length === 0 ? empty(state.status ? w.emptyFilter : w.empty) : table(),
            state.next &&
                h(
                    "button",
                    {
                        type: "button",
                        class: "gh-btn gh-second gh-more",
                        "data-k": "more",
                        onclick: () => load(state.next),
                    },
                    words.app.more,
                ),
        );
    }

    function table() {
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
            h("tbody", {}, state.items.map(row)),
        );
    }

    /** @param {any} one */
    function row(one) {
        const href = address("mail", { status: state.status, mail: one.id });
        return h(
            "tr",
            { "data-row": one.id, "aria-current": one.id === state.chosen ? "true" : null },
            h(
                "td",
                { class: "gh-cell-main" },
                h("a", { class: "gh-title", href, "data-k": "mail-" + one.id }, one.subject),
                one.why && h("p", { class: "gh-muted" }, w.because(one.why)),
            ),
            h("td", { "data-label": w.columns.to }, h("bdi", {}, one.to_name || one.to)),
            h("td", { "data-label": w.columns.status }, mailTag(one.status)),
            h(
                "td",
                { "data-label": w.columns.at, class: "gh-nowrap" },
                h("span", { title: exact(one.sent_at || one.created) }, moment(one.sent_at || one.created)),
            ),
        );
    }

    /** @type {import("../parts/stage.js").PageElement} */
    const page = h(
        "div",
        { class: "page gh gh-page" },
        h(
            "div",
            { class: "gh-main" },
            h("header", { class: "gh-head" }, h("h1", {}, w.title)),
            notice,
            filters,
            h("div", { class: "gh-split gh-split-mail" }, list, pane.element),
        ),
    );
    page.onroute = follow;
    follow(ctx.route);
    return page;
}
