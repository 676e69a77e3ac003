// @ts-check
// States of older versions that a newer one does not have: where do their requests go on? Pure.

/**
 * @param {{states: any[]}[]} versions  the versions that requests come from
 * @param {{states: any[]}} target
 * @returns {{key: string, label: string, live: number, guess: string}[]}
 */
export function goneStates(versions, target) {
    const known = new Set(target.states.map((one) => one.key));
    /** @type {Map<string, {key: string, label: string, live: number, guess: string}>} */
    const gone = new Map();
    for (const state of versions.flatMap((one) => one.states)) {
        if (known.has(state.key) || !(state.live > 0)) continue;
        const before = gone.get(state.key);
        if (before) before.live += state.live;
        else gone.set(state.key, { key: state.key, label: state.label, live: state.live, guess: guess(state, target) });
    }
    return [...gone.values()];
}

/** A state of the same name, or the only one with the same turn and category; else nothing. @param {any} state @param {{states: any[]}} target */
function guess(state, target) {
    const same = target.states.find((one) => one.label === state.label);
    const alike = target.states.filter((one) => one.turn === state.turn && one.category === state.category);
    return same?.key ?? (alike.length === 1 ? alike[0].key : "");
}
