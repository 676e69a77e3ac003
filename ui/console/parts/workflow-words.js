// @ts-check
// What the pages of workflows share: who may change them, tags, and the question before something final.
import { h } from "./dom.js";
import { tag } from "./tag.js";
import { formDialog } from "./dialog.js";
import { words } from "../words.js";

const w = words.workflows;

/** @param {{role: string}} me */
export const manages = (me) => me.role === "manager" || me.role === "owner";

/** @param {string} status */
export function statusTag(status) {
    const tones = /** @type {Record<string, string>} */ ({ published: "ok", draft: "need", retired: "todo" });
    const icons = /** @type {Record<string, import("./icons.js").IconName>} */ ({
        published: "check",
        draft: "pen",
        retired: "box",
    });
    return tag(tones[status] ?? "todo", w.status[status] ?? status, icons[status]);
}

/** @param {{errors: number, warnings: number}} counts */
export function findingsTag({ errors, warnings }) {
    if (errors > 0) return tag("bad", w.errors(errors), "bang");
    if (warnings > 0) return tag("need", w.warnings(warnings), "bang");
    return h("span", { class: "gh-muted" }, w.sound);
}

/**
 * Asks before a version is published, saying what follows.
 * @param {{title: string, version: number, staying: number, act: () => Promise<void>}} what
 */
export function askPublish({ title, version, staying, act }) {
    formDialog({
        title: w.publishTitle(title, version),
        fields: [h("p", {}, w.publishText), staying > 0 && h("p", {}, w.publishStay(staying))],
        action: w.publishDo,
        submit: act,
    });
}

/** How many requests are open on other versions of a workflow. @param {any} list @param {string} key @param {number} version */
export function openElsewhere(list, key, version) {
    const mine = (list?.items ?? []).find((/** @type {any} */ one) => one.key === key);
    return (mine?.versions ?? [])
        .filter((/** @type {any} */ one) => one.version !== version)
        .reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.live, 0);
}
