// @ts-check
// Choosing many requests, and what may be done with all of them. Pure.

/**
 * The chosen rows that are still shown: what left the list is no longer chosen.
 * @param {Set<string>} picked @param {{id: string}[]} rows
 */
export function stillShown(picked, rows) {
    return new Set(rows.filter((row) => picked.has(row.id)).map((row) => row.id));
}

/** Rows that have the same steps: the same workflow in the same state. @param {any[]} rows @returns {any[][]} */
export function alike(rows) {
    /** @type {Map<string, any[]>} */
    const groups = new Map();
    for (const row of rows) {
        const key = `${row.workflow}|${row.state}`;
        const group = groups.get(key);
        if (group) group.push(row);
        else groups.set(key, [row]);
    }
    return [...groups.values()];
}

/** Whether a step can be taken for many at once: staff's, and it asks for nothing about single items. @param {any} action */
export function forMany(action) {
    return (
        action.by.includes("staff") && (action.requires ?? []).every((/** @type {any} */ one) => one.kind === "text")
    );
}

/**
 * The steps of some groups, each with the number of requests whose state has it; most first.
 * @param {{rows: any[], actions: any[]}[]} groups
 * @returns {{key: string, label: string, requires: any[], n: number}[]}
 */
export function stepsOf(groups) {
    /** @type {Map<string, {key: string, label: string, requires: any[], n: number}>} */
    const found = new Map();
    for (const { rows, actions } of groups) {
        for (const action of actions.filter(forMany)) {
            const known = found.get(action.key);
            if (known) known.n += rows.length;
            else
                found.set(action.key, {
                    key: action.key,
                    label: action.label,
                    requires: action.requires ?? [],
                    n: rows.length,
                });
        }
    }
    return [...found.values()].sort((a, b) => b.n - a.n);
}
