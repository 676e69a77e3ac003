// @ts-check
// The middle of the workspace: the chosen item with what was sent for it, and the decision on it.
import { h, paint } from "./dom.js";
import { itemTag } from "./tag.js";
import { votesOf } from "./votes.js";
import { makeDocuments } from "./documents.js";
import { answersOf } from "./answers.js";
import { provideForm } from "./provide.js";
import { makeReview } from "./review.js";
import { dataFields } from "./fields.js";
import { DATA, itemsOf } from "./request-logic.js";
import { date } from "./format.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.request;

/** @param {import("../pages/request.js").Desk} desk */
export function makeItemPane(desk) {
    const info = h("div", { class: "gh-pane" });
    const files = h("div", {});
    const element = h("section", { class: "gh-pane", "aria-label": w.items }, info, files);
    const documents = makeDocuments(desk.ctx);
    const review = makeReview(desk, () => draw(true));
    let shown = "";
    let filesShown = "";

    const item = () => itemsOf(desk.view).find((one) => one.id === desk.chosen);

    /** @param {boolean} [force] painted again even when the server says the same as before */
    function draw(force = false) {
        const one = item();
        const what = JSON.stringify([
            desk.chosen,
            desk.chosen === DATA ? desk.view.fields : one,
            desk.view.client_sees,
        ]);
        // A live ping about something else must not reload a preview or disturb a half-written reason.
        if (!force && what === shown) return;
        shown = what;
        if (desk.chosen === DATA) paint(info, title(w.data), dataFields(desk));
        else if (one) paint(info, itemOf(one));
        else paint(info, h("p", { class: "gh-muted" }, w.chooseItem));
        drawFiles(one);
    }

    /**
     * A region of its own: a viewer that leaves the page for a moment loads its file anew, and each load of a file
     * stands in the history.
     * @param {any} one
     */
    function drawFiles(one) {
        const what = one ? JSON.stringify([one.id, one.editable, one.documents]) : "";
        if (what === filesShown) return;
        filesShown = what;
        paint(files, one && documents.draw(one, one.editable ? removeDocument : null));
    }

    /** @param {any} one */
    function itemOf(one) {
        return [
            h("div", { class: "gh-row gh-pane-head" }, title(one.title), itemTag(one)),
            one.hint && h("p", { class: "gh-hint" }, one.hint),
            trail(one),
            (one.reason_text || one.comment) && decision(one),
            one.held && h("p", { class: "gh-bar gh-note" }, w.held),
            one.stale && h("p", { class: "gh-bar gh-need" }, h("strong", {}, w.needsLook), one.why && ` ${one.why}`),
            one.look_again &&
                h(
                    "div",
                    { class: "gh-bar gh-need" },
                    h("p", {}, h("strong", {}, w.needsLook), ` ${one.look_again}`),
                    desk.ctx.me.role !== "viewer" &&
                        !desk.view.read_only &&
                        h(
                            "button",
                            {
                                type: "button",
                                class: "gh-btn gh-second gh-small",
                                "data-k": "confirm",
                                onclick: () => confirm(one),
                            },
                            w.stillRight,
                        ),
                ),
            votesOf(one),
            one.editable || one.stale ? null : one.why && h("p", { class: "gh-muted" }, one.why),
            review.bar(one),
            one.editable && desk.ctx.me.role !== "viewer" ? provideForm(desk, one) : answersOf(one),
            nothingYet(one) && h("p", { class: "gh-muted" }, w.nothingSent),
            removable(one) &&
                h(
                    "button",
                    { type: "button", class: "gh-link", "data-k": "remove-item", onclick: () => removeItem(one) },
                    w.removeItem,
                ),
        ];
    }

    /** The server refuses when somebody saw the item; the button only shows while the client sees no request at all. @param {any} one */
    function removable(one) {
        const section = desk.view.sections.find((/** @type {any} */ s) => s.items.includes(one));
        return (
            section?.can_add &&
            one.status === "missing" &&
            !desk.view.client_sees?.label &&
            desk.ctx.me.role !== "viewer"
        );
    }

    /** @param {any} one */
    async function confirm(one) {
        try {
            const body = { confirmed: true, expected_revision: desk.view.revision };
            desk.take(await desk.command(() => desk.ctx.api.patch(`/api/portal/items/${one.id}`, body)));
            say(w.confirmed(one.title));
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
    }

    /** @param {any} one */
    async function removeItem(one) {
        try {
            desk.take(await desk.command(() => desk.ctx.api.remove(`/api/portal/items/${one.id}`)));
            say(w.removed(one.title));
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
    }

    /** @param {any} doc */
    async function removeDocument(doc) {
        try {
            await desk.ctx.api.remove(`/api/collections/documents/records/${doc.id}`);
            await desk.reload();
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
    }

    return {
        element,
        draw,
        accept: () => item()?.can_review && review.accept(item()),
        sendBack: () => item()?.can_review && review.open(item(), "rejected"),
    };
}

/** @param {string} text */
function title(text) {
    return h("h2", { tabindex: "-1", "data-k": "pane-title" }, text);
}

const DECIDED = ["accepted", "rejected", "more_needed", "waived"];

/** Who gave it and who decided, with the dates, and how often it went back. @param {any} item */
function trail(item) {
    const decided = item.decided && DECIDED.includes(item.status);
    const parts = [
        item.given && w.given(item.given.name, date(item.given.at)),
        decided && w.decided(item.label, item.decided.name, date(item.decided.at)),
        item.tries > 0 && w.tries(item.tries),
    ].filter(Boolean);
    return parts.length > 0 && h("p", { class: "gh-muted", "data-k": "trail" }, parts.join(" · "));
}

/** @param {any} item */
function decision(item) {
    return h(
        "div",
        { class: "gh-bar gh-bad" },
        item.reason_text && h("p", {}, h("strong", {}, item.reason_text)),
        item.comment && h("p", {}, item.comment),
    );
}

/** @param {any} item */
function nothingYet(item) {
    return (
        !item.editable &&
        item.documents.length === 0 &&
        Object.keys(item.answers ?? {}).length === 0 &&
        item.status === "missing"
    );
}
