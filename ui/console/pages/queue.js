// @ts-check
// The work queue: what waits, on whom, since when, and what the next step is.
import { h, paint } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { skeleton, refused, left, readOnlyBar } from "../parts/faces.js";
import { bindKeys } from "../parts/keys.js";
import { address, rememberQueue } from "../parts/routes.js";
import { announce } from "../parts/say.js";
import { makeBulk } from "../parts/bulk.js";
import { makePreview } from "../parts/queue-preview.js";
import { queueSide, viewName } from "../parts/queue-side.js";
import { queueRows } from "../parts/queue-rows.js";
import { COLUMNS, queueBoard, shapeSwitch, sortSwitch } from "../parts/queue-board.js";
import { noRequests, queueHints } from "../parts/queue-faces.js";
import { merge, step } from "../parts/queue-logic.js";
import { words } from "../words.js";

const w = words.queue;
const KEYS = ["j", "k", "Enter", "x", "/"];
const PAGE = 50;
const COLUMN_PAGE = 20;

/** @param {{view: string, q: string, as: string, sort: string}} state */
const addressOf = ({ view, q, as, sort }) => address("queue", { view, q, as, sort });

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageQueue(ctx) {
    const { api, host, live, ready, signal } = ctx;
    const state = {
        view: "mine",
        q: "",
        as: "",
        sort: "",
        /** @type {any[]} */ rows: [],
        /** @type {Record<string, import("../parts/queue-board.js").Column>} */ columns: {},
        /** @type {any[]} */ fresh: [],
        /** @type {Record<string, number>} */ counts: {},
        most: 0,
        next: "",
        chosen: "",
        loading: true,
        /** @type {unknown} */ failure: null,
    };
    let asked = 0;
    const narrow = matchMedia("(max-width: 699px)");
    const preview = makePreview(ctx);
    const mayChange = ctx.me.role !== "viewer";
    const bulk = makeBulk(
        ctx,
        () => state.rows,
        () => draw(),
    );

    const side = h("aside", { class: "gh-side", "aria-label": w.viewsLabel });
    const heading = h("h1", { "data-focus": true, tabindex: "-1" });
    const list = h("div", { class: "gh-queue-list" });
    const foot = h("p", { class: "gh-foot gh-muted" });
    const news = h("div", {});
    const order = h("p", {});
    const shapes = h("div", { class: "gh-row" });
    const filter = h("input", {
        type: "search",
        class: "gh-filter",
        placeholder: w.filter,
        "aria-label": w.filter,
        oninput: () => later(),
    });
    const toggle = h(
        "button",
        {
            type: "button",
            class: "gh-iconbtn gh-side-toggle",
            "aria-label": w.views_button,
            "aria-expanded": "false",
            onclick: () => openSide(side.dataset.open !== "yes"),
        },
        icon("menu"),
    );

    /** @param {boolean} open */
    function openSide(open) {
        side.dataset.open = open ? "yes" : "no";
        toggle.setAttribute("aria-expanded", String(open));
        if (open) /** @type {HTMLElement | null} */ (side.querySelector("a"))?.focus();
    }

    let timer = 0;
    function later() {
        clearTimeout(timer);
        timer = Number(
            setTimeout(() => {
                state.q = filter.value.trim();
                // The filter belongs in the address, but not each letter in the history.
                const here = addressOf(state);
                history.replaceState(null, "", here);
                rememberQueue(here);
                load();
            }, 250),
        );
    }

    /** @param {import("../parts/routes.js").Route} route */
    function follow(route) {
        state.view = route.query.get("view") ?? "mine";
        if (!(state.view in w.views)) state.view = "mine";
        state.q = route.query.get("q") ?? "";
        state.as = route.query.get("as") === "board" ? "board" : "";
        filter.value = state.q;
        state.sort = route.query.get("sort") === "turn" ? "turn" : "";
        rememberQueue(addressOf(state));
        state.rows = [];
        state.columns = {};
        state.chosen = "";
        host.title([viewName(state.view), w.title]);
        openSide(false);
        load();
    }

    /** @param {{after?: string, quiet?: boolean}} [how] quiet: a live update, what is shown stays in its place */
    async function load({ after = "", quiet = false } = {}) {
        const mine = ++asked;
        Object.assign(state, { loading: !quiet, failure: null, fresh: quiet ? state.fresh : [] });
        if (!quiet) draw();
        const perPage = quiet ? Math.max(PAGE, state.rows.length) : PAGE;
        try {
            const wanted = { view: state.view, q: state.q, sort: state.sort };
            const [answer] = await Promise.all([
                state.as ? loadBoard(wanted) : api.get("/api/portal/queue", { ...wanted, after, perPage }, signal),
                ready,
            ]);
            if (mine !== asked) return;
            if (state.as) Object.assign(state, { columns: answer.columns, rows: answer.items });
            else if (quiet) Object.assign(state, merge(state.rows, answer.items));
            else state.rows = after ? [...state.rows, ...answer.items] : answer.items;
            Object.assign(state, { counts: answer.counts ?? {}, most: answer.counts_at_most, next: answer.next ?? "" });
            state.loading = false;
            if (!quiet) announce(w.announce(state.rows.length, viewName(state.view)));
        } catch (err) {
            if (left(err) || mine !== asked) return;
            // A failed background update leaves what is shown; the next ping tries again.
            if (quiet) return;
            Object.assign(state, { loading: false, failure: err });
        }
        draw();
    }

    /** Every column, as far as it is shown, in one go. @param {{view: string, q: string, sort: string}} wanted */
    async function loadBoard(wanted) {
        const answers = await Promise.all(
            COLUMNS.map((column) => {
                const perPage = Math.max(COLUMN_PAGE, state.columns[column]?.rows.length ?? 0);
                return api.get("/api/portal/queue", { ...wanted, column, perPage }, signal);
            }),
        );
        const columns = Object.fromEntries(
            COLUMNS.map((column, i) => [column, { rows: answers[i].items, next: answers[i].next ?? "" }]),
        );
        const { counts, counts_at_most } = answers[0];
        return { columns, items: answers.flatMap((one) => one.items), counts, counts_at_most, next: "" };
    }

    /** @param {string} column */
    async function moreOf(column) {
        const { view, q, sort, columns } = state;
        try {
            const query = { view, q, sort, column, after: columns[column].next, perPage: COLUMN_PAGE };
            const answer = await api.get("/api/portal/queue", query, signal);
            if (state.columns !== columns) return;
            columns[column] = { rows: [...columns[column].rows, ...answer.items], next: answer.next ?? "" };
            state.rows = COLUMNS.flatMap((key) => columns[key].rows);
        } catch (err) {
            if (left(err)) return;
            state.failure = err;
        }
        draw();
    }

    function draw() {
        order.textContent = w.order[state.sort || "due"];
        paint(shapes, sortSwitch(state), shapeSwitch(state));
        page.dataset.as = state.as || "list";
        heading.textContent = viewName(state.view);
        paint(side, queueSide(state));
        bulk.draw();
        paint(list, body());
        paint(
            news,
            state.fresh.length > 0 &&
                h(
                    "button",
                    { type: "button", class: "gh-link", "data-k": "fresh", onclick: showFresh },
                    w.fresh(state.fresh.length),
                ),
        );
        foot.textContent =
            state.rows.length === 0 || state.failure
                ? ""
                : `${w.counted(state.rows.length, !!state.next)} · ${w.updated}`;
        choose(state.rows.some((row) => row.id === state.chosen) ? state.chosen : (state.rows[0]?.id ?? ""));
    }

    function body() {
        if (state.failure) return refused(state.failure, () => load());
        if (state.loading && state.rows.length === 0) return skeleton(8);
        if (state.rows.length === 0) return noRequests(state);
        if (state.as) return queueBoard(state.columns, { picks: mayChange ? bulk : null, more: moreOf });
        return [
            queueRows(state.rows, { narrow: narrow.matches, choose, open: openRow, picks: mayChange ? bulk : null }),
            state.next &&
                h(
                    "button",
                    {
                        type: "button",
                        class: "gh-btn gh-second gh-more",
                        "data-k": "more",
                        onclick: () => load({ after: state.next }),
                    },
                    words.app.more,
                ),
        ];
    }

    function showFresh() {
        state.rows = [...state.fresh, ...state.rows];
        state.fresh = [];
        draw();
    }

    /** @param {string} id @param {boolean} [scroll] */
    function choose(id, scroll = false) {
        state.chosen = id;
        for (const row of list.querySelectorAll("[data-row]")) {
            const on = row.getAttribute("data-row") === id;
            if (on) row.setAttribute("aria-current", "true");
            else row.removeAttribute("aria-current");
            if (on && scroll) row.scrollIntoView({ block: "nearest" });
        }
        if (!state.as) preview.show(state.rows.find((row) => row.id === id) ?? null);
    }

    /** @param {string} id */
    const openRow = (id) => id && (location.hash = address("request/" + encodeURIComponent(id)));
    /** @param {number} by */
    const move = (by) => choose(step(state.rows, state.chosen, by), true);

    bindKeys(
        {
            j: () => move(1),
            k: () => move(-1),
            Enter: () => openRow(state.chosen),
            x: () => mayChange && bulk.toggle(state.chosen),
            "/": () => filter.focus(),
        },
        signal,
    );
    let pause = 0;
    live.listen(() => {
        clearTimeout(pause);
        pause = Number(setTimeout(() => load({ quiet: true }), 400));
    }, signal);
    narrow.addEventListener("change", draw, { signal });

    /** @type {import("../parts/stage.js").PageElement} */
    const page = h(
        "div",
        { class: "page gh gh-page" },
        side,
        h(
            "div",
            { class: "gh-main" },
            h(
                "header",
                { class: "gh-head" },
                toggle,
                h("p", { class: "gh-crumb gh-wide-only" }, w.title),
                heading,
                filter,
                mayChange &&
                    h(
                        "a",
                        { class: "gh-btn gh-first gh-new", href: address("new") },
                        icon("plus"),
                        h("span", {}, w.newRequest),
                    ),
            ),
            readOnlyBar(ctx.me),
            h("div", { class: "gh-line gh-muted" }, order, shapes, news, queueHints(KEYS)),
            bulk.bar,
            h("div", { class: "gh-split" }, list, preview.element),
            foot,
        ),
    );
    page.onroute = follow;
    follow(ctx.route);
    return page;
}
