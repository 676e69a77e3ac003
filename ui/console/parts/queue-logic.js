// @ts-check
// What the queue decides without a screen.
import { words } from "../words.js";

/**
 * A live update: rows that are shown keep their place with new contents, rows that left the view go, and new ones
 * wait until somebody asks for them, so that nothing jumps under the pointer.
 * @template {{id: string}} T
 * @param {T[]} shown
 * @param {T[]} now
 * @returns {{rows: T[], fresh: T[]}}
 */
export function merge(shown, now) {
    const latest = new Map(now.map((row) => [row.id, row]));
    const known = new Set(shown.map((row) => row.id));
    const rows = /** @type {T[]} */ (shown.map((row) => latest.get(row.id)).filter(Boolean));
    return { rows, fresh: now.filter((row) => !known.has(row.id)) };
}

/**
 * The row after or before the chosen one; it stops at both ends.
 * @param {{id: string}[]} rows @param {string} chosen @param {number} by
 */
export function step(rows, chosen, by) {
    if (rows.length === 0) return "";
    const at = rows.findIndex((row) => row.id === chosen);
    if (at < 0) return rows[0].id;
    return rows[Math.min(rows.length - 1, Math.max(0, at + by))].id;
}

/**
 * The count of a view; one that was not counted to its end says so.
 * @param {number | undefined} count @param {number} most 0 if all are exact
 */
export function counted(count, most) {
    if (count === undefined) return "";
    return most && count >= most ? words.queue.atLeast(most) : count;
}
