// @ts-check
// Taking a step: at once where nothing is asked, else a dialog that asks exactly what the server named.
import { h } from "./dom.js";
import { formDialog } from "./dialog.js";
import { field, mark } from "./field.js";
import { itemTag } from "./tag.js";
import { keepDraft, readDraft, dropDrafts } from "./drafts.js";
import { asks, itemsOf, moveBody, needsForm, reasonsSent, sentBack } from "./request-logic.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.move;

/**
 * @param {import("../pages/request.js").Desk} desk
 * @param {any} action
 * @param {HTMLElement} button
 */
export async function openMove(desk, action, button) {
    const drafts = `move:${desk.view.id}:${action.key}:`;
    // The same key for every try of this one decision: a lost answer never moves a request twice.
    let key = crypto.randomUUID();
    let last = "";
    /** @param {any} given */
    const take = async (given) => {
        const body = moveBody(action, desk.view.revision, given);
        if (last && last !== JSON.stringify(body)) key = crypto.randomUUID();
        last = JSON.stringify(body);
        const path = `/api/portal/requests/${desk.view.id}/transition`;
        const view = await desk.command(() => desk.ctx.api.post(path, body, { "Idempotency-Key": key }));
        dropDrafts(drafts);
        desk.take(view);
        say(words.request.moved(action.label));
    };
    if (needsForm(action)) return form(desk, action, drafts, take);
    if (button.getAttribute("aria-busy")) return;
    button.setAttribute("aria-busy", "true");
    try {
        await take({ texts: {}, comments: {}, items: [] });
    } catch (err) {
        say(/** @type {Error} */ (err).message);
        await desk.reload();
    } finally {
        button.removeAttribute("aria-busy");
    }
}

/**
 * @param {import("../pages/request.js").Desk} desk @param {any} action @param {string} drafts
 * @param {(given: any) => Promise<void>} take
 */
function form(desk, action, drafts, take) {
    /** @type {{one: any, input: HTMLTextAreaElement}[]} */
    const texts = asks(action, "text").map((/** @type {any} */ one) => ({ one, input: area(drafts + one.key) }));
    const choosing = asks(action, "items").length > 0;
    const perItem = asks(action, "per_item").length > 0;
    const candidates = choosing
        ? itemsOf(desk.view).filter((item) => item.status !== "missing")
        : perItem
          ? sentBack(desk.view)
          : [];
    const rows = candidates.map((item) => ({
        item,
        box: choosing ? h("input", { type: "checkbox", name: "items", value: item.id }) : null,
        input: perItem ? area(drafts + item.id, item.comment) : null,
    }));
    const n = reasonsSent(action, desk.view);

    formDialog({
        title: action.confirm ? w.confirm(action.label) : action.label,
        action: n > 0 ? w.withCount(action.label, n) : action.label,
        danger: action.confirm && !action.primary,
        fields: [
            action.consequence && h("p", {}, action.consequence),
            texts.map(({ one, input }) =>
                field({ label: one.label, hint: one.key.startsWith("internal") ? w.internal : hintOf(one), input }),
            ),
            rows.length > 0 && h("p", { class: "gh-strong" }, choosing ? w.choose : w.collected),
            rows.map(({ item, box, input }) => itemRow(item, box, input)),
        ],
        async submit(show) {
            const empty = texts.find(({ input }) => !input.value.trim());
            if (empty) return fail(empty.input, w.needText);
            const chosen = rows.filter(({ box }) => box?.checked);
            if (choosing && chosen.length === 0) return (show(w.needItems), false);
            const silent = (choosing ? chosen : rows).find(({ input }) => input && !input.value.trim());
            if (silent?.input) return fail(silent.input, w.needText);
            await take({
                texts: Object.fromEntries(texts.map(({ one, input }) => [one.key, input.value])),
                comments: Object.fromEntries(rows.map(({ item, input }) => [item.id, input?.value ?? ""])),
                items: chosen.map(({ item }) => item.id),
            });
        },
    });
}

/** @param {any} one */
function hintOf(one) {
    return one.key.startsWith("client") ? w.visible : undefined;
}

/** @param {HTMLElement} input @param {string} text */
function fail(input, text) {
    mark(input, text);
    input.focus();
    return false;
}

/** @param {string} draft @param {string} [start] */
function area(draft, start = "") {
    const input = h("textarea", {
        rows: 3,
        value: readDraft(draft) || start,
        oninput: () => keepDraft(draft, input.value),
    });
    return input;
}

/** @param {any} item @param {HTMLInputElement | null} box @param {HTMLTextAreaElement | null} input */
function itemRow(item, box, input) {
    const name = h("span", { class: "gh-strong" }, item.title);
    return h(
        "fieldset",
        { class: "gh-move-item" },
        h("legend", { class: "gh-silent" }, item.title),
        h("div", { class: "gh-row" }, box ? h("label", { class: "gh-check" }, box, name) : name, itemTag(item)),
        item.reason_text && h("p", { class: "gh-muted" }, item.reason_text),
        input && field({ label: w.perItem, hint: w.visible, input }),
    );
}
