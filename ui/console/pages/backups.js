// @ts-check
// The backups of the portal: whether it is safe, what there is, one more now, a trial, and back to one of them.
import { h, paint } from "../parts/dom.js";
import { skeleton, empty, refused, left } from "../parts/faces.js";
import { Problem } from "../parts/api.js";
import { formDialog } from "../parts/dialog.js";
import { say } from "../parts/say.js";
import { tag } from "../parts/tag.js";
import { field, mark } from "../parts/field.js";
import { moment, exact, size } from "../parts/format.js";
import { address } from "../parts/routes.js";
import { words as all } from "../words.js";
import { words } from "../words-access.js";

const w = words.backups;

/** How often the page looks while something goes on, and while a restored portal starts, in ms. */
const LOOK = 1000;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageBackups(ctx) {
    const { api, host, firm, ready, signal } = ctx;
    host.title([w.title]);
    const region = h("div", {}, skeleton());
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    signal.addEventListener("abort", () => clearTimeout(timer));

    async function load() {
        clearTimeout(timer);
        try {
            const [answer] = await Promise.all([api.get("/api/portal/backups", {}, signal), ready]);
            draw(answer);
            if (answer.working) timer = setTimeout(load, LOOK);
        } catch (err) {
            if (left(err)) return;
            const role = err instanceof Problem && (err.status === 400 || err.status === 403);
            paint(region, role ? empty(w.onlyOwners) : refused(err, load));
        }
    }

    /** @param {any} it */
    function draw(it) {
        const busy = it.working !== "";
        paint(
            region,
            h(
                "p",
                { class: `gh-bar ${it.worry ? "gh-bad" : "gh-ok"}`, role: "status" },
                busy ? /** @type {any} */ (w.working)[it.working] : it.worry || w.fine,
            ),
            h(
                "div",
                { class: "gh-row" },
                h(
                    "button",
                    {
                        type: "button",
                        class: "gh-btn gh-first",
                        "data-k": "make",
                        disabled: busy,
                        onclick: () => begin("/api/portal/backups"),
                    },
                    w.make,
                ),
                h("p", { class: "gh-muted" }, w.rule(it.rule)),
            ),
            it.items.length === 0 ? empty(w.none) : table(it.items, busy),
            h("p", { class: "gh-muted" }, w.where(it.folder)),
        );
    }

    /** @param {any[]} items @param {boolean} busy */
    function table(items, busy) {
        return h(
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
                items.map((one) => row(one, busy)),
            ),
        );
    }

    /** @param {any} one @param {boolean} busy */
    function row(one, busy) {
        /** @param {string} text @param {string} key @param {() => void} onclick */
        const act = (text, key, onclick) => [
            h(
                "button",
                {
                    type: "button",
                    class: "gh-link",
                    disabled: busy,
                    "data-k": `${key}-${one.name}`,
                    "aria-label": `${text}: ${moment(one.made)}`,
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
                h("time", { datetime: one.made, title: exact(one.made) }, moment(one.made)),
            ),
            h("td", { class: "gh-nowrap", "data-label": w.columns.size }, size(one.size)),
            h("td", { "data-label": w.columns.proved }, proof(one)),
            h(
                "td",
                {},
                act(w.prove, "prove", () => begin(`/api/portal/backups/${one.name}/prove`)),
                act(w.restore, "restore", () => restore(one)),
            ),
        );
    }

    /** @param {any} one */
    function proof(one) {
        if (!one.proved) return h("span", { class: "gh-muted" }, w.untried);
        if (one.faults.length === 0) return [tag("ok", w.good, "check"), " ", w.tried(moment(one.proved))];
        return [
            tag("bad", w.bad, "bang"),
            h(
                "ul",
                {},
                one.faults.map((/** @type {string} */ text) => h("li", {}, text)),
            ),
        ];
    }

    /** @param {string} path */
    async function begin(path) {
        try {
            await api.send(path, { method: "POST" });
        } catch (err) {
            if (!left(err)) say(err instanceof Problem ? err.message : all.app.unknownError);
        }
        load();
    }

    /** @param {any} one */
    function restore(one) {
        const name = h("input", { type: "text", name: "firm", autocomplete: "off", autofocus: true });
        formDialog({
            title: w.restoreTitle(moment(one.made)),
            action: w.restore,
            danger: true,
            fields: [
                h("p", {}, w.restoreText),
                h("p", {}, w.restoreKept),
                field({ label: w.typeName(firm.name), input: name }),
            ],
            async submit() {
                if (name.value.trim() !== firm.name) {
                    mark(name, w.wrongName);
                    name.focus();
                    return false;
                }
                const { wait } = await api.send(`/api/portal/backups/${one.name}/restore`, { method: "POST" });
                paint(region, h("p", { class: "gh-bar gh-note", role: "status" }, w.restoring));
                timer = setTimeout(() => untilBack(wait), 2 * LOOK);
            },
        });
    }

    /** The restored portal may know another password, or none of this sign-in: the page begins anew. @param {string} path */
    async function untilBack(path) {
        const answer = await fetch(path).catch(() => null);
        if (answer?.ok) location.reload();
        else timer = setTimeout(() => untilBack(path), LOOK);
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
                h("a", { class: "gh-crumb", href: address("firm") }, words.staff.title),
                h("h1", { tabindex: "-1" }, w.title),
                h("p", { class: "gh-muted" }, w.text),
            ),
            region,
        ),
    );
}
