// @ts-check
// Two versions of a workflow beside each other: what is different, in words.
import { h, paint } from "./dom.js";
import { tag } from "./tag.js";
import { left } from "./faces.js";
import { words } from "../words.js";

const w = words.workflows;

/** @type {Record<string, {tone: string, shape: import("./icons.js").IconName}>} */
const looks = {
    added: { tone: "ok", shape: "plus" },
    removed: { tone: "bad", shape: "close" },
    changed: { tone: "need", shape: "pen" },
};

/** @param {import("./stage.js").Ctx} ctx */
export function makeCompare({ api, signal }) {
    const element = h("div", { class: "gh-compare", role: "region", "aria-label": w.compare, hidden: true });

    /** From the older to the newer of two, whichever was asked for. @param {any} one @param {any} other */
    async function show(one, other) {
        const [from, to] = one.version <= other.version ? [one, other] : [other, one];
        element.hidden = false;
        const title = h("h3", { tabindex: "-1", "data-k": "compare" }, w.diffTitle(from.version, to.version));
        paint(element, title, h("p", { class: "gh-muted" }, words.app.loading));
        title.focus({ preventScroll: true });
        try {
            const { lines } = await api.get(`/api/portal/definitions/${from.id}/diff/${to.id}`, {}, signal);
            paint(element, title, lines.length === 0 ? h("p", { class: "gh-muted" }, w.diffNone) : diff(lines));
        } catch (err) {
            if (!left(err)) paint(element, title, h("p", { class: "gh-error" }, /** @type {Error} */ (err).message));
        }
        element.scrollIntoView({ block: "nearest" });
    }

    return { element, show };
}

/** @param {any[]} lines */
function diff(lines) {
    return h(
        "ul",
        { class: "gh-plain gh-diff" },
        lines.map((line) => {
            const look = looks[line.kind] ?? looks.changed;
            return h(
                "li",
                { "data-kind": line.kind },
                tag(look.tone, w.diffKind[line.kind] ?? line.kind, look.shape),
                h("span", {}, line.text),
            );
        }),
    );
}
