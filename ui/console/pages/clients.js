// @ts-check
// All clients, with what is open for each.
import { h, paint } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { skeleton, empty, refused, left, readOnlyBar } from "../parts/faces.js";
import { formDialog } from "../parts/dialog.js";
import { field, mark } from "../parts/field.js";
import { bindKeys, keysButton } from "../parts/keys.js";
import { date, exact } from "../parts/format.js";
import { announce } from "../parts/say.js";
import { address } from "../parts/routes.js";
import { words } from "../words.js";

const w = words.clients;

/** @param {{role: string}} me */
export const manages = (me) => me.role === "manager" || me.role === "owner";

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageClients(ctx) {
    const { api, host, me, ready, signal } = ctx;
    host.title([w.title]);
    const state = { q: ctx.route.query.get("q") ?? "", /** @type {any[]} */ items: [], next: "" };
    let asked = 0;
    let timer = 0;
    const list = h("div", {});
    const foot = h("p", { class: "gh-foot gh-muted" });
    const search = h("input", {
        type: "search",
        class: "gh-filter",
        placeholder: w.search,
        "aria-label": w.search,
        value: state.q,
        oninput: () => {
            clearTimeout(timer);
            timer = Number(
                setTimeout(() => {
                    state.q = search.value.trim();
                    history.replaceState(null, "", address("clients", { q: state.q }));
                    load();
                }, 250),
            );
        },
    });

    /** @param {string} [after] */
    async function load(after = "") {
        const mine = ++asked;
        if (!after && state.items.length === 0) paint(list, skeleton());
        try {
            const [answer] = await Promise.all([api.get("/api/portal/clients", { q: state.q, after }, signal), ready]);
            if (mine !== asked) return;
            state.items = after ? [...state.items, ...answer.items] : answer.items;
            state.next = answer.next ?? "";
            draw();
            announce(foot.textContent ?? "");
        } catch (err) {
            if (!left(err) && mine === asked)
                paint(
                    list,
                    refused(err, () => load()),
                );
        }
    }

    function draw() {
        foot.textContent = w.counted(state.items.length, !!state.next);
        paint(
            list,
            state.items.length === 0 ? empty(state.q ? w.notFound(state.q) : w.empty) : table(state.items),
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

    bindKeys({ "/": () => search.focus() }, signal);
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
                h("h1", {}, w.title),
                search,
                manages(me) &&
                    h(
                        "button",
                        {
                            type: "button",
                            class: "gh-btn gh-first gh-new",
                            "data-k": "add-client",
                            onclick: () => addClient(ctx),
                        },
                        icon("plus"),
                        h("span", {}, w.add),
                    ),
            ),
            readOnlyBar(me),
            !manages(me) && me.role !== "viewer" && h("p", { class: "gh-muted" }, w.onlyManagers),
            list,
            foot,
            h("p", { class: "gh-hints" }, keysButton(["/"])),
        ),
    );
}

/** @param {any[]} items */
function table(items) {
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
        h(
            "tbody",
            {},
            items.map((one) =>
                h(
                    "tr",
                    {},
                    h(
                        "td",
                        { class: "gh-cell-main" },
                        h("a", { class: "gh-title", href: address("client/" + one.id) }, h("bdi", {}, one.name)),
                        " ",
                        h(
                            "span",
                            { class: "gh-muted gh-sub" },
                            [one.code, one.parent_name, one.status !== "active" && w.status[one.status]]
                                .filter(Boolean)
                                .join(" · "),
                        ),
                    ),
                    cell(w.columns.open, one.open),
                    cell(w.columns.overdue, one.overdue > 0 ? h("span", { class: "gh-late" }, one.overdue) : 0),
                    cell(w.columns.people, one.people),
                    cell(
                        w.columns.last,
                        one.last_activity
                            ? h("span", { title: exact(one.last_activity) }, date(one.last_activity))
                            : words.app.none,
                    ),
                ),
            ),
        ),
    );
}

/** On a phone the column's name stands before its value. @param {string} label @param {import("../parts/dom.js").Child} value */
function cell(label, value) {
    return h("td", { class: "gh-num", "data-label": label }, value);
}

/** @param {import("../parts/stage.js").Ctx} ctx */
function addClient({ api }) {
    const name = h("input", { type: "text", name: "name", autofocus: true, autocomplete: "off" });
    const code = h("input", { type: "text", name: "code", autocomplete: "off" });
    formDialog({
        title: w.addTitle,
        action: w.save,
        fields: [
            field({ label: w.name, input: name }),
            field({ label: w.code, hint: w.codeHint, input: code, optional: true }),
        ],
        async submit() {
            if (!name.value.trim()) return (mark(name, w.needName), name.focus(), false);
            const body = { name: name.value.trim(), code: code.value.trim() || undefined };
            const made = await api.post("/api/collections/organizations/records", body);
            location.hash = address("client/" + made.id);
        },
    });
}
