// @ts-check
// The workspace of one request: who acts, the steps on, the items with what was sent, and the talk beside it.
import { h, paint, find } from "../parts/dom.js";
import { skeleton, refused, left, readOnlyBar } from "../parts/faces.js";
import { bindKeys, keysButton } from "../parts/keys.js";
import { address, queueAddress } from "../parts/routes.js";
import { say } from "../parts/say.js";
import { Problem } from "../parts/api.js";
import { requestHead } from "../parts/request-head.js";
import { moveOn } from "../parts/move-on.js";
import { itemList } from "../parts/item-list.js";
import { makeItemPane } from "../parts/item-pane.js";
import { makeSide } from "../parts/side.js";
import { DATA, firstToCheck, itemsOf, nextItem } from "../parts/request-logic.js";
import { words } from "../words.js";

const w = words.request;
const KEYS = ["j", "k", "a", "r", "n", "m", "i", "Escape"];

/**
 * What the parts of the workspace share.
 * @typedef {object} Desk
 * @property {import("../parts/stage.js").Ctx} ctx
 * @property {any} view                     the newest view from the server
 * @property {string} chosen                id of the item in the middle, or DATA
 * @property {(id: string, focus?: boolean) => void} choose
 * @property {(target: import("../parts/request-logic.js").Target) => void} show  leads to what stands in the way
 * @property {(view: any) => void} take     a new view came back from a command
 * @property {(work: () => Promise<any>) => Promise<any>} command  runs a write and explains a 409
 * @property {() => Promise<void>} reload
 * @property {Map<string, import("../parts/merge.js").Conflict>} conflicts  values that two people changed
 * @property {Map<string, {value: any, was: any}>} typing  fields that are being typed in
 * @property {() => void} redraw             the item in the middle, although the server says the same
 */

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageRequest(ctx) {
    const { api, host, live, signal, ready } = ctx;
    const id = ctx.route.params.id;
    const path = `/api/portal/requests/${encodeURIComponent(id)}`;

    const head = h("header", { class: "gh-request-head" });
    const bar = h("section", { class: "gh-moves", "aria-label": w.moveOn });
    const list = h("div", { class: "gh-items" });
    const stale = h("div", { role: "alert" });

    /** @type {Desk} */
    const desk = {
        ctx,
        view: null,
        chosen: ctx.route.query.get("item") ?? "",
        choose,
        show: lead,
        take,
        command,
        reload,
        conflicts: new Map(),
        typing: new Map(),
        redraw: () => pane.draw(true),
    };
    const pane = makeItemPane(desk);
    const side = makeSide(desk, ctx.route.query.get("tab") ?? "conversation");
    const workspace = h(
        "div",
        { class: "gh-workspace" },
        head,
        readOnlyBar(ctx.me),
        side.banner,
        stale,
        bar,
        h("div", { class: "gh-three" }, list, pane.element, side.element),
        h("p", { class: "gh-hints" }, keysButton(KEYS)),
    );
    const main = h("div", { class: "gh-main" });

    /** @param {boolean} [quiet] */
    async function load(quiet = false) {
        if (!quiet) paint(main, skeleton(10));
        try {
            const [view] = await Promise.all([api.get(path, {}, signal), ready]);
            show(view);
        } catch (err) {
            if (left(err) || (quiet && !(err instanceof Problem && err.status === 404))) return;
            paint(
                main,
                h("h1", { class: "gh-silent" }, w.back),
                refused(err, () => load()),
            );
        }
    }

    /** @param {any} view */
    function show(view) {
        const first = desk.view === null;
        desk.view = view;
        if (!itemsOf(view).some((item) => item.id === desk.chosen) && desk.chosen !== DATA) {
            desk.chosen = firstToCheck(view) ?? (itemsOf(view)[0]?.id || (view.fields.length ? DATA : ""));
        }
        host.title([view.title, view.number]);
        if (!workspace.isConnected) paint(main, workspace);
        draw();
        side.refresh(first);
        if (first) focusTitle();
    }

    function focusTitle() {
        const title = main.querySelector("h1");
        title?.setAttribute("tabindex", "-1");
        if (!main.contains(document.activeElement) || document.activeElement?.tagName === "H1")
            title?.focus({ preventScroll: true });
    }

    function draw() {
        paint(head, requestHead(desk));
        paint(bar, moveOn(desk));
        paint(list, itemList(desk));
        pane.draw();
    }

    /** @param {any} view */
    function take(view) {
        stale.replaceChildren();
        show(view);
    }

    async function reload() {
        await load(true);
    }

    /**
     * When somebody was faster, the new state is shown and said; what was typed stays, the caller may try again.
     * @param {() => Promise<any>} work
     */
    async function command(work) {
        try {
            return await work();
        } catch (err) {
            if (err instanceof Problem && err.stale) {
                await reload();
                const text = w.stale(err.changedBy);
                paint(stale, h("p", { class: "gh-bar gh-bad" }, h("strong", {}, w.staleTitle), " ", text));
                throw new Problem(409, { message: text });
            }
            throw err;
        }
    }

    /** @param {string} item @param {boolean} [focus] */
    function choose(item, focus = false) {
        desk.chosen = item;
        history.replaceState(null, "", address("request/" + encodeURIComponent(id), { item }));
        draw();
        if (focus) {
            const title = find(pane.element, "pane-title");
            title?.focus({ preventScroll: true });
            title?.scrollIntoView({ block: "nearest" });
        }
    }

    /** @param {import("../parts/request-logic.js").Target} target */
    function lead(target) {
        if (target.tab) return side.open(target.tab, true);
        if (target.client) return void (location.hash = address("client/" + desk.view.organization));
        if (target.item) choose(target.item, true);
        const spot = target.at ? find(main, target.at) : null;
        spot?.scrollIntoView({ block: "center" });
        spot?.focus({ preventScroll: true });
    }

    /** @param {number} by */
    function move(by) {
        const all = itemsOf(desk.view);
        const at = all.findIndex((item) => item.id === desk.chosen);
        const to = all[Math.min(all.length - 1, Math.max(0, at + by))];
        if (to) choose(to.id);
    }

    /** @param {() => void} act */
    const when = (act) => () => desk.view && act();
    bindKeys(
        {
            j: when(() => move(1)),
            k: when(() => move(-1)),
            a: when(() => pane.accept()),
            r: when(() => pane.sendBack()),
            n: when(() => choose(nextItem(desk.view, desk.chosen), true)),
            m: when(() => side.write("conversation")),
            i: when(() => side.write("notes")),
            Escape: () => (location.hash = queueAddress()),
        },
        signal,
    );

    let pause = 0;
    live.listen((change) => {
        if (change.request && change.request !== id) return;
        if (change.revision && change.revision <= (desk.view?.revision ?? 0)) return side.refresh(false);
        clearTimeout(pause);
        pause = Number(
            setTimeout(async () => {
                const before = desk.view?.revision;
                await load(true);
                if (before !== undefined && desk.view?.revision !== before) say(w.changed);
            }, 300),
        );
    }, signal);

    load();
    return h("div", { class: "page gh gh-page gh-request" }, main);
}
