// @ts-check
// Every workflow of the firm with its versions, and the library of those that it does not have yet.
import { h, paint } from "../parts/dom.js";
import { skeleton, empty, refused, left } from "../parts/faces.js";
import { address } from "../parts/routes.js";
import { date } from "../parts/format.js";
import { say } from "../parts/say.js";
import { findingsTag, manages, statusTag } from "../parts/workflow-words.js";
import { words } from "../words.js";

const w = words.workflows;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageWorkflows(ctx) {
    const { api, host, ready, signal } = ctx;
    const mayChange = manages(ctx.me);
    host.title([w.title]);
    const body = h("div", {});

    async function load() {
        paint(body, skeleton());
        try {
            const [list] = await Promise.all([api.get("/api/portal/definitions", {}, signal), ready]);
            paint(body, workflows(list.items ?? []), library(list.library ?? []));
        } catch (err) {
            if (!left(err)) paint(body, refused(err, load));
        }
    }

    /** @param {any[]} items */
    function workflows(items) {
        if (items.length === 0) return empty(w.empty);
        return h(
            "ul",
            { class: "gh-plain gh-cards" },
            items.map((one) => h("li", { class: "gh-card", "data-workflow": one.key }, card(one))),
        );
    }

    /** @param {any} one */
    function card(one) {
        const { shown, older } = split(one.versions);
        return [
            h(
                "div",
                { class: "gh-row" },
                h("h2", {}, one.title),
                h("span", { class: "gh-muted" }, [one.key, one.vertical].filter(Boolean).join(" · ")),
            ),
            h("ul", { class: "gh-plain gh-versions" }, shown.map(version)),
            older.length > 0 &&
                h(
                    "details",
                    {},
                    h("summary", {}, w.older(older.length)),
                    h("ul", { class: "gh-plain gh-versions" }, older.map(version)),
                ),
        ];
    }

    /** @param {any[]} entries */
    function library(entries) {
        const missing = entries.filter((one) => !one.installed);
        if (missing.length === 0) return null;
        return h(
            "section",
            { class: "gh-section" },
            h("h2", {}, w.library),
            h("p", { class: "gh-muted" }, w.libraryText),
            h(
                "ul",
                { class: "gh-plain gh-cards" },
                missing.map((one) =>
                    h(
                        "li",
                        { class: "gh-card gh-card-row", "data-file": one.file },
                        h(
                            "div",
                            {},
                            h("h3", {}, one.title),
                            h("p", { class: "gh-muted" }, `${one.key} · ${w.version(one.version)}`),
                        ),
                        mayChange &&
                            h(
                                "button",
                                {
                                    type: "button",
                                    class: "gh-btn gh-second",
                                    "data-k": "install-" + one.file,
                                    "aria-label": `${w.install}: ${one.title}`,
                                    onclick: () => install(one),
                                },
                                w.install,
                            ),
                    ),
                ),
            ),
        );
    }

    /** @param {any} one */
    async function install(one) {
        try {
            await api.post("/api/portal/definitions/library", { file: one.file });
            say(w.installed(one.title));
            await load();
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
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
                h("h1", { "data-focus": true, tabindex: "-1" }, w.title),
                h(
                    "div",
                    { class: "gh-row gh-end" },
                    h("a", { class: "gh-btn gh-second", href: address("runs") }, w.runs),
                    mayChange && h("a", { class: "gh-btn gh-first", href: address("workflows/import") }, w.import),
                ),
            ),
            !mayChange && h("p", { class: "gh-bar gh-todo" }, words.roles.workflows),
            body,
        ),
    );
}

/**
 * The versions that matter: the newest published, drafts, and whatever still has open requests; the rest is older.
 * @param {any[]} versions newest first
 */
export function split(versions) {
    const sorted = [...versions].sort((a, b) => b.version - a.version);
    const newest = sorted.find((one) => one.status === "published");
    const matters = (/** @type {any} */ one) => one === newest || one.status === "draft" || one.live > 0;
    return { shown: sorted.filter(matters), older: sorted.filter((one) => !matters(one)) };
}

/** @param {any} one */
function version(one) {
    return h(
        "li",
        { class: "gh-row" },
        h(
            "a",
            { class: "gh-title", href: address("workflow/" + one.id), "data-k": "version-" + one.id },
            w.version(one.version),
        ),
        statusTag(one.status),
        one.published_at && h("span", { class: "gh-muted" }, w.publishedAt(date(one.published_at))),
        h("span", { class: "gh-num" }, w.live(one.live)),
        findingsTag(one),
    );
}
