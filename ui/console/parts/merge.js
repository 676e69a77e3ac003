// @ts-check
// Two people at one value: both are shown, and one press settles it. What only one of them touched is just saved.
import { h } from "./dom.js";
import { Problem } from "./api.js";
import { conflictOf } from "./request-logic.js";
import { showValue } from "./value.js";
import { moment } from "./format.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.request;

/**
 * @typedef {Record<string, any>} Values
 * @typedef {{mine: any, theirs: any, by: string, at: string}} Conflict
 */

/**
 * Saves values that an editor changed. When somebody was faster, what they did not touch is saved all the same; the
 * rest is kept on the desk as conflicts.
 * @param {import("../pages/request.js").Desk} desk
 * @param {object} edit
 * @param {string} edit.of        "data", or the id of an item
 * @param {Values} edit.mine
 * @param {Values} edit.was       what the editor started from
 * @param {() => Values} edit.now what the newest view says
 * @param {(values: Values, was: Values) => Promise<any>} edit.send  answers the new view
 * @returns {Promise<boolean>} whether everything is saved
 */
export async function saveMerged(desk, { of, mine, was, now, send }) {
    /** Puts what two people changed on the desk, and gives the rest. @param {any} [told] @param {string} [by] */
    function apart(told, by) {
        /** @type {Values} */
        const free = {};
        for (const [key, value] of Object.entries(mine)) {
            const found = conflictOf({ key, was: was[key], mine: value, now: now()[key], told, by });
            if (found) desk.conflicts.set(`${of}:${key}`, found);
            else free[key] = value;
        }
        return free;
    }
    // A live update may have brought the other's value already.
    let free = apart();
    try {
        if (Object.keys(free).length > 0) desk.take(await send(free, pick(was, free)));
    } catch (err) {
        if (!(err instanceof Problem && err.stale)) throw err;
        await desk.reload();
        free = apart(err.data.conflict, err.changedBy);
        if (Object.keys(free).length > 0) desk.take(await send(free, pick(now(), free)));
    }
    const all = Object.keys(free).length === Object.keys(mine).length;
    if (!all) desk.redraw();
    return all;
}

/** @param {Values} from @param {Values} keys */
const pick = (from, keys) => Object.fromEntries(Object.keys(keys).map((key) => [key, from[key]]));

/**
 * Both values, and the two ways out.
 * @param {import("../pages/request.js").Desk} desk
 * @param {{of: string, spec: any, now: () => Values, send: (values: Values, was: Values) => Promise<any>}} what
 */
export function conflictBox(desk, { of, spec, now, send }) {
    const id = `${of}:${spec.key}`;
    const found = desk.conflicts.get(id);
    if (!found) return null;
    const done = () => {
        desk.conflicts.delete(id);
        desk.redraw();
    };
    const keep = async () => {
        desk.conflicts.delete(id);
        const edit = { of, mine: { [spec.key]: found.mine }, was: { [spec.key]: now()[spec.key] }, now, send };
        try {
            if (await saveMerged(desk, edit)) say(w.fieldSaved(spec.label));
        } catch (err) {
            desk.conflicts.set(id, found);
            say(/** @type {Error} */ (err).message);
        }
        desk.redraw();
    };
    /** @param {string} text @param {string} key @param {() => void} act */
    const button = (text, key, act) =>
        h(
            "button",
            { type: "button", class: "gh-btn gh-second gh-small", "data-k": `${key}-${id}`, onclick: act },
            text,
        );
    return h(
        "div",
        { class: "gh-conflict gh-need", role: "group", "aria-label": `${spec.label}: ${w.conflictTitle}` },
        h("strong", {}, w.conflictTitle),
        h("p", {}, w.conflictMine(showValue(spec, found.mine))),
        h("p", {}, w.conflictTheirs(found.by, showValue(spec, found.theirs)), found.at && ` · ${moment(found.at)}`),
        h("div", { class: "gh-row" }, button(w.keepMine, "mine", keep), button(w.takeTheirs, "theirs", done)),
    );
}
