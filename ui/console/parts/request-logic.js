// @ts-check
// What the workspace reads out of a view, without a screen.

/** Stands for "Request data" where an item's id would stand. */
export const DATA = "data";

/**
 * Where a blocker leads: an item (or DATA), a tab of the side, the client's page, or a control on this page by its
 * data-k.
 * @typedef {{item?: string, at?: string, tab?: "plan" | "history", client?: boolean}} Target
 */

/** @param {any} view @returns {any[]} every item in the order of the page */
export function itemsOf(view) {
    return (view?.sections ?? []).flatMap((/** @type {any} */ section) => section.items);
}

/** @param {any} item */
export const toCheck = (item) => item.can_review && item.status === "provided";

/** @param {any} view @returns {string | undefined} */
export function firstToCheck(view) {
    return itemsOf(view).find(toCheck)?.id;
}

/**
 * Where "n" leads: the next item that is to be checked, going round; else simply the next.
 * @param {any} view @param {string} chosen
 */
export function nextItem(view, chosen) {
    const all = itemsOf(view);
    if (all.length === 0) return chosen;
    const at = all.findIndex((item) => item.id === chosen);
    const around = [...all.slice(at + 1), ...all.slice(0, Math.max(at, 0))];
    return (around.find(toCheck) ?? around[0] ?? all[0]).id;
}

/** Items that go back to the client with the next message. @param {any} view */
export function sentBack(view) {
    return itemsOf(view).filter((item) => item.status === "rejected" || item.status === "more_needed");
}

/** @param {any} action @param {string} kind */
export function asks(action, kind) {
    return (action.requires ?? []).filter((/** @type {any} */ one) => one.kind === kind);
}

/** Whether a step needs a dialog first: it asks for something, wants a yes, or sends collected reasons. @param {any} action */
export function needsForm(action) {
    return action.confirm || (action.requires ?? []).length > 0;
}

/**
 * How many reasons the step sends, for the number on its button. @param {any} action @param {any} view
 */
export function reasonsSent(action, view) {
    return asks(action, "per_item").length > 0 && asks(action, "items").length === 0 ? sentBack(view).length : 0;
}

/**
 * The one step that stands out: none while something is left to check, since then "Accept" does; and never one that
 * asks "are you sure" unless the workflow names it.
 * @param {any[]} allowed
 * @param {any} view
 */
export function mainStep(allowed, view) {
    if (firstToCheck(view)) return undefined;
    return allowed.find((one) => one.primary) ?? allowed.find((one) => !one.confirm);
}

/**
 * The body of a transition. Comments are sent for the items that the step concerns and for no other.
 * @param {any} action
 * @param {number} revision
 * @param {{texts: Record<string, string>, comments: Record<string, string>, items: string[]}} given
 */
export function moveBody(action, revision, given) {
    /** @type {Record<string, any>} */
    const body = { transition: action.key, expected_revision: revision };
    for (const one of asks(action, "text")) body[one.key] = (given.texts[one.key] ?? "").trim();
    if (asks(action, "items").length > 0) body.items = given.items;
    if (asks(action, "per_item").length > 0) {
        const only = asks(action, "items").length > 0 ? new Set(given.items) : null;
        const entries = Object.entries(given.comments).filter(([id, text]) => text.trim() && (!only || only.has(id)));
        body.comments = Object.fromEntries(entries.map(([id, text]) => [id, text.trim()]));
    }
    return body;
}

/** The first item that is in a way. @param {any} view @param {(item: any) => boolean} is */
const firstItem = (view, is) => itemsOf(view).find(is)?.id;

/**
 * Where what stands in the way can be put right, or at least be understood. Every code leads somewhere.
 * @param {{code: string, item?: string, field?: string}} blocker
 * @param {any} view
 * @returns {Target | null} null where there is nothing on the page to go to
 */
export function targetOf(blocker, view) {
    if (blocker.item && itemsOf(view).some((item) => item.id === blocker.item)) return { item: blocker.item };
    if (blocker.field) return { item: DATA, at: "field-" + blocker.field };
    const item = itemFor(blocker.code, view);
    if (item) return { item };
    switch (blocker.code) {
        case "jobs_open":
            return (view.jobs ?? []).length > 0 ? { at: "jobs" } : { tab: "history" };
        case "nobody_invited":
            return { client: true };
        case "too_early":
            return { tab: "plan" };
        case "same_person":
        case "not_yours":
        case "role":
            return { at: "assign" };
        case "rounds":
        case "legal_hold":
        case "paused":
            return { tab: "history" };
    }
    if (view.fields.length > 0) return { item: DATA };
    return itemsOf(view).length > 0 ? { item: itemsOf(view)[0].id } : null;
}

/** @param {string} code @param {any} view @returns {string | undefined} */
function itemFor(code, view) {
    switch (code) {
        case "item_missing":
        case "nothing_to_publish":
            return firstItem(view, (one) => one.status === "missing") ?? itemsOf(view)[0]?.id;
        case "item_open":
        case "no_item":
        case "items_required":
            return firstItem(view, toCheck) ?? itemsOf(view)[0]?.id;
        case "veto_open":
            return firstItem(view, (one) => one.review?.veto_open) ?? itemsOf(view)[0]?.id;
    }
    return undefined;
}

/**
 * What two people made of one value since somebody opened it. The server names the conflict; where it does not, the
 * new view tells whether the value is still the one that the editor started from.
 * @param {{key: string, was: any, mine: any, now: any, told?: any, by?: string}} what
 * @returns {{mine: any, theirs: any, by: string, at: string} | null} null where nobody else touched it
 */
export function conflictOf({ key, was, mine, now, told, by = "" }) {
    const named = told?.[key];
    if (named) return { mine: named.mine ?? mine, theirs: named.theirs, by: named.by ?? by, at: named.at ?? "" };
    const same = (/** @type {any} */ a, /** @type {any} */ b) =>
        JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
    if (same(now, was) || same(now, mine)) return null;
    return { mine, theirs: now, by, at: "" };
}
