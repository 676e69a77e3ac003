// @ts-check
// The decision on an item: accept, send back, ask for more, not needed, and taking a decision back.
// Nothing reaches the client from here: that happens when the request moves on.
import { h } from "./dom.js";
import { field, mark } from "./field.js";
import { keepDraft, readDraft } from "./drafts.js";
import { nextItem } from "./request-logic.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.request;

/** @type {Record<string, {title: (t: string) => string, comment: string, button: string, done: (t: string) => string}>} */
const kinds = {
    rejected: { title: w.whyTitle, comment: w.comment, button: w.confirmBack, done: w.sentBack },
    more_needed: { title: w.moreTitle, comment: w.moreComment, button: w.confirmMore, done: w.moreAsked },
    waived: { title: w.waiveTitle, comment: w.waiveComment, button: w.confirmWaive, done: w.waived },
};

/**
 * @param {import("../pages/request.js").Desk} desk
 * @param {() => void} redraw
 */
export function makeReview(desk, redraw) {
    /** The open form, if any. @type {{id: string, status: string, reason: string} | null} */
    let open = null;

    /** @param {any} item @param {any} body */
    async function decide(item, body) {
        const path = `/api/portal/items/${item.id}`;
        const view = await desk.command(() =>
            desk.ctx.api.patch(path, { ...body, expected_revision: desk.view.revision }),
        );
        open = null;
        desk.take(view);
    }

    /** @param {any} item */
    async function accept(item) {
        if (item.status === "accepted") return;
        try {
            await decide(item, { status: "accepted" });
            say(w.accepted(item.title), { label: w.undo, act: () => takeBack(item) });
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
    }

    /** @param {any} item */
    async function takeBack(item) {
        try {
            await decide(item, { status: "provided" });
            say(w.taken(item.title));
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
    }

    /** @param {any} item @param {string} status */
    function openForm(item, status) {
        open = { id: item.id, status, reason: item.reason ?? "" };
        redraw();
        /** @type {HTMLElement | null} */ (
            document.querySelector(".gh-review-form input, .gh-review-form textarea")
        )?.focus();
    }

    /** @param {any} item */
    function bar(item) {
        if (!item.can_review) return null;
        if (open && open.id === item.id) return form(item, open);
        const decided = ["accepted", "rejected", "more_needed", "waived"].includes(item.status);
        /** @param {string} text @param {string} key @param {string} look @param {() => void} act @param {string} [shortcut] */
        const button = (text, key, look, act, shortcut) =>
            h(
                "button",
                { type: "button", class: `gh-btn ${look}`, "data-k": "review-" + key, onclick: act },
                h("span", {}, text),
                shortcut && h("kbd", { class: "gh-kbd gh-wide-only", "aria-hidden": "true" }, shortcut),
            );
        return h(
            "div",
            { class: "gh-row gh-review" },
            decided && item.held !== false && button(w.takeBack, "undo", "gh-second", () => takeBack(item)),
            item.status !== "accepted" &&
                item.status !== "missing" &&
                button(w.accept, "accept", "gh-first", () => accept(item), "a"),
            button(w.sendBack, "back", "gh-second", () => openForm(item, "rejected"), "r"),
            item.status !== "missing" && button(w.more, "more", "gh-second", () => openForm(item, "more_needed")),
            item.status !== "waived" && button(w.waive, "waive", "gh-second", () => openForm(item, "waived")),
            button(w.skip, "next", "gh-plainbtn", () => desk.choose(nextItem(desk.view, item.id), true), "n"),
        );
    }

    /** @param {any} item @param {{status: string, reason: string}} state */
    function form(item, state) {
        const kind = kinds[state.status];
        const draft = `review:${item.id}:${state.status}`;
        const reasons = state.status === "waived" ? [] : (item.ask?.reject_reasons ?? []);
        const comment = h("textarea", {
            rows: 3,
            "data-k": "review-comment",
            value: readDraft(draft) || (state.status === item.status ? item.comment : ""),
            oninput: () => keepDraft(draft, comment.value),
        });
        const error = h("p", { class: "gh-error", role: "alert", hidden: true });
        const chips = h(
            "div",
            { class: "gh-chips" },
            reasons.map((/** @type {any} */ one) =>
                h(
                    "label",
                    { class: "gh-chip" },
                    h("input", {
                        type: "radio",
                        name: "reason",
                        value: one.code,
                        checked: one.code === state.reason,
                        "data-k": "reason-" + one.code,
                        onchange: () => (state.reason = one.code),
                    }),
                    h("span", {}, one.text),
                ),
            ),
        );
        return h(
            "form",
            {
                class: "gh-form gh-review-form",
                novalidate: true,
                onkeydown: (/** @type {KeyboardEvent} */ event) => {
                    if (event.key === "Enter" && event.ctrlKey)
                        /** @type {HTMLFormElement} */ (event.currentTarget).requestSubmit();
                    if (event.key === "Escape") {
                        event.preventDefault();
                        cancel();
                    }
                },
                onsubmit: async (/** @type {SubmitEvent} */ event) => {
                    event.preventDefault();
                    const text = comment.value.trim();
                    if (state.status === "rejected" && !state.reason && !text)
                        return (mark(comment, w.needReason), comment.focus());
                    if (state.status !== "rejected" && !text) return (mark(comment, w.needComment), comment.focus());
                    try {
                        await decide(item, { status: state.status, reason: state.reason || undefined, comment: text });
                        keepDraft(draft, "");
                        say(kind.done(item.title));
                    } catch (err) {
                        error.textContent = /** @type {Error} */ (err).message;
                        error.hidden = false;
                    }
                },
            },
            h("h3", {}, kind.title(item.title)),
            reasons.length > 0 && h("fieldset", { class: "gh-field" }, h("legend", {}, w.why), chips),
            field({ label: kind.comment, hint: w.clientReads, input: comment }),
            state.status === "more_needed" && h("p", { class: "gh-hint" }, w.moreKeeps),
            error,
            h(
                "div",
                { class: "gh-row" },
                h("button", { type: "submit", class: "gh-btn gh-first", "data-k": "review-submit" }, kind.button),
                h(
                    "button",
                    { type: "button", class: "gh-btn gh-second", "data-k": "review-cancel", onclick: cancel },
                    words.app.cancel,
                ),
            ),
        );
    }

    function cancel() {
        open = null;
        redraw();
    }

    return { bar, accept, open: openForm };
}
