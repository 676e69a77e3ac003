// @ts-check
// What somebody typed and did not send yet. It lives in the tab's storage until it is sent or the person signs out.

const PREFIX = "gh-draft:";

/** @returns {Storage | null} */
function box() {
    try {
        return globalThis.sessionStorage ?? null;
    } catch {
        return null;
    }
}

/** @param {string} key */
export function readDraft(key) {
    return box()?.getItem(PREFIX + key) ?? "";
}

/** @param {string} key @param {string} value */
export function keepDraft(key, value) {
    try {
        if (value) box()?.setItem(PREFIX + key, value);
        else box()?.removeItem(PREFIX + key);
    } catch {
        // A full or forbidden storage only means that a reload would lose the text.
    }
}

/** @param {string} [start] only the drafts whose key starts so */
export function dropDrafts(start = "") {
    const storage = box();
    if (!storage) return;
    for (let i = storage.length - 1; i >= 0; i--) {
        const key = storage.key(i);
        if (key?.startsWith(PREFIX + start)) storage.removeItem(key);
    }
}
