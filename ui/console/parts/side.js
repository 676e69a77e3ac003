// @ts-check
// Beside the item: the conversation with the client, the notes among colleagues, and what happened.
// The two composers look and read differently, so that nobody tells a client what was meant for a colleague.
import { h, paint, find } from "./dom.js";
import { icon } from "./icons.js";
import { left } from "./faces.js";
import { mark } from "./field.js";
import { keepDraft, readDraft } from "./drafts.js";
import { moment, exact } from "./format.js";
import { makeHistory } from "./history.js";
import { makePlan } from "./plan.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.side;

/** @typedef {"conversation" | "notes" | "plan" | "history"} Tab */

const kinds = {
    conversation: {
        path: "/api/collections/messages/records",
        look: "gh-us",
        shape: /** @type {import("./icons.js").IconName} */ ("person"),
        who: w.clientSees,
        label: w.message,
        button: w.send,
        done: w.sent,
        empty: w.noMessages,
    },
    notes: {
        path: "/api/collections/internal_notes/records",
        look: "gh-note",
        shape: /** @type {import("./icons.js").IconName} */ ("lock"),
        who: w.staffOnly,
        label: w.note,
        button: w.addNote,
        done: w.noted,
        empty: w.noNotes,
    },
};

/** @param {import("../pages/request.js").Desk} desk @param {string} start */
export function makeSide(desk, start) {
    const { api, signal, me } = desk.ctx;
    /** @type {Tab} */
    let tab = start in w.tabs ? /** @type {Tab} */ (start) : "conversation";
    /** @type {Record<string, any[] | null>} */
    const lists = { conversation: null, notes: null };
    const history = makeHistory(desk);
    const plan = makePlan(desk);
    const tabs = h("div", { class: "gh-tabs", role: "tablist", "aria-label": w.label, onkeydown: arrows });
    const panel = h("div", { class: "gh-panel", role: "tabpanel", id: "gh-side-panel" });
    const element = h("aside", { class: "gh-aside", "aria-label": w.label }, tabs, panel);

    /** @param {Tab} name @param {boolean} [focus] */
    function open(name, focus = false) {
        tab = name;
        draw();
        refresh(false);
        if (!focus) return;
        find(tabs, "tab-" + name)?.focus({ preventScroll: true });
        element.scrollIntoView({ block: "nearest" });
    }

    /** @param {KeyboardEvent} event */
    function arrows(event) {
        const names = /** @type {Tab[]} */ (Object.keys(w.tabs));
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!by) return;
        event.preventDefault();
        open(names[(names.indexOf(tab) + by + names.length) % names.length]);
        find(tabs, "tab-" + tab)?.focus();
    }

    function draw() {
        paint(
            tabs,
            Object.entries(w.tabs).map(([name, text]) =>
                h(
                    "button",
                    {
                        type: "button",
                        role: "tab",
                        id: "gh-tab-" + name,
                        class: "gh-tab",
                        "aria-selected": String(name === tab),
                        "aria-controls": "gh-side-panel",
                        tabindex: name === tab ? "0" : "-1",
                        "data-k": "tab-" + name,
                        onclick: () => open(/** @type {Tab} */ (name)),
                    },
                    text,
                ),
            ),
        );
        panel.setAttribute("aria-labelledby", "gh-tab-" + tab);
        panel.dataset.tab = tab;
        paint(panel, tab === "history" ? history.element : tab === "plan" ? plan.element : talk(tab));
    }

    /** @param {"conversation" | "notes"} name */
    function talk(name) {
        const kind = kinds[name];
        const list = lists[name];
        return h(
            "div",
            { class: `gh-talk ${kind.look}` },
            h("p", { class: "gh-talk-who" }, icon(kind.shape), h("strong", {}, kind.who)),
            list === null
                ? h("p", { class: "gh-muted" }, words.app.loading)
                : list.length === 0
                  ? h("p", { class: "gh-muted" }, kind.empty)
                  : h("ol", { class: "gh-plain gh-messages" }, list.map(message)),
            me.role !== "viewer" && composer(name),
        );
    }

    /** @param {"conversation" | "notes"} name */
    function composer(name) {
        const kind = kinds[name];
        const draft = `${name}:${desk.view.id}`;
        const text = h("textarea", {
            rows: 3,
            "aria-label": kind.label,
            placeholder: kind.label,
            "data-k": "write-" + name,
            value: readDraft(draft),
            oninput: () => keepDraft(draft, text.value),
            onkeydown: (/** @type {KeyboardEvent} */ event) => {
                if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
            },
        });
        const button = h(
            "button",
            { type: "submit", class: "gh-btn gh-second", "data-k": "post-" + name },
            kind.button,
        );
        const form = h(
            "form",
            {
                class: "gh-form",
                novalidate: true,
                onsubmit: async (/** @type {SubmitEvent} */ event) => {
                    event.preventDefault();
                    const body = text.value.trim();
                    if (!body) return (mark(text, w.empty), text.focus());
                    if (button.getAttribute("aria-busy")) return;
                    button.setAttribute("aria-busy", "true");
                    try {
                        await api.post(kind.path, { request: desk.view.id, body });
                        keepDraft(draft, "");
                        text.value = "";
                        say(kind.done);
                        await refresh(false);
                    } catch (err) {
                        mark(text, /** @type {Error} */ (err).message);
                    } finally {
                        button.removeAttribute("aria-busy");
                    }
                },
            },
            text,
            button,
        );
        return form;
    }

    /** Loads what the open tab shows; the others load when they are opened. @param {boolean} first */
    async function refresh(first) {
        if (first) draw();
        // Always: a pause stands over the whole page.
        plan.load();
        if (tab === "history") return history.load();
        if (tab === "plan") return;
        const name = tab;
        try {
            const query = { filter: `request="${desk.view.id}"`, sort: "-created", perPage: 100, skipTotal: 1 };
            const answer = await api.get(kinds[name].path, query, signal);
            const list = answer.items.reverse();
            if (JSON.stringify(list) === JSON.stringify(lists[name])) return;
            lists[name] = list;
            if (tab === name) draw();
        } catch (err) {
            if (left(err) || lists[name]) return;
            paint(panel, h("p", { class: "gh-error", role: "alert" }, /** @type {Error} */ (err).message));
        }
    }

    return {
        element,
        banner: plan.banner,
        refresh,
        open,
        /** @param {"conversation" | "notes"} name */
        write(name) {
            open(name);
            find(panel, "write-" + name)?.focus();
        },
    };
}

/** @param {any} one */
function message(one) {
    const files = one.documents?.length ?? 0;
    return h(
        "li",
        { class: one.author_user ? "gh-theirs" : "gh-ours" },
        h(
            "p",
            { class: "gh-muted" },
            h("strong", {}, one.author_name),
            " · ",
            h("time", { datetime: one.created, title: exact(one.created) }, moment(one.created)),
        ),
        h("p", { class: "gh-text" }, one.body),
        files > 0 && h("p", { class: "gh-muted" }, w.attachments(files)),
    );
}
