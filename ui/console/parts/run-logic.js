// @ts-check
// What the console reads out of a run, without a screen.

/** @param {{status: string}} run */
export const isOpen = (run) => run.status === "waiting" || run.status === "running";

/** Seconds until a waiting run starts; 0 when it has. @param {any} run @param {number} now milliseconds */
export function startsIn(run, now) {
    const at = Date.parse(String(run.start_at ?? "").replace(" ", "T"));
    if (run.status !== "waiting" || !(at > now)) return 0;
    return Math.ceil((at - now) / 1000);
}

/** How many of a run's requests it changes, or would. @param {any} run */
export const changes = (run) => run.changed ?? 0;

/** The outcomes that a run has, each with its number. @param {any} run @returns {[string, number][]} */
export function outcomes(run) {
    /** @type {[string, number][]} */
    const all = [
        ["ok", run.changed ?? 0],
        ["skipped", run.skipped ?? 0],
        ["failed", run.failed ?? 0],
    ];
    return all.filter(([, n]) => n > 0);
}
