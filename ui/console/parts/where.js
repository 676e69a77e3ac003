// @ts-check
// Where a request stands: the picture of its workflow with its place and the way it came, and the same in words.
import { h } from "./dom.js";
import { openDialog } from "./dialog.js";
import { left, refused, skeleton } from "./faces.js";
import { drawPicture, stepsOut } from "./picture.js";
import { exact, moment } from "./format.js";
import { words } from "../words.js";

const w = words.where;

/** @param {import("../pages/request.js").Desk} desk */
export function openWhere(desk) {
    const dialog = openDialog({ title: w.title, wide: true });
    async function load() {
        dialog.fill(skeleton(6));
        try {
            const picture = await desk.ctx.api.get(`/api/portal/requests/${desk.view.id}/picture`, {}, desk.ctx.signal);
            dialog.fill(
                drawPicture(picture, {
                    label: w.picture(labelOf(picture, picture.here)),
                    here: picture.here,
                    path: picture.path,
                }),
                inWords(picture),
            );
        } catch (err) {
            if (!left(err)) dialog.fill(refused(err, load));
        }
    }
    load();
}

/** @param {any} picture @param {string} key @returns {string} */
export function labelOf(picture, key) {
    return picture.states.find((/** @type {any} */ one) => one.key === key)?.label ?? spoken(key);
}

/** A state or step of an earlier version, which this picture does not have. @param {string} key */
function spoken(key) {
    if (key === "migrate") return words.run.kind.migrate;
    const text = key.replaceAll("_", " ");
    return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The steps that a request took, as sentences. @param {any} picture */
export function wayOf(picture) {
    return picture.path.map((/** @type {any} */ taken) => {
        const step = picture.steps.find((/** @type {any} */ one) => one.key === taken.key);
        return {
            ...taken,
            text: w.step(step?.label ?? spoken(taken.key), labelOf(picture, taken.from), labelOf(picture, taken.to)),
        };
    });
}

/** @param {any} picture */
function inWords(picture) {
    const outs = stepsOut(picture, picture.here);
    const first = picture.path[0]?.from ?? picture.here;
    return h(
        "div",
        { class: "gh-pane" },
        h("h3", {}, w.path),
        h(
            "ol",
            { class: "gh-plain gh-events" },
            h("li", {}, w.start(labelOf(picture, first))),
            wayOf(picture).map((/** @type {any} */ one) =>
                h(
                    "li",
                    {},
                    h("time", { datetime: one.at, title: exact(one.at), class: "gh-muted" }, moment(one.at)),
                    one.actor_name && h("span", { class: "gh-muted" }, ` · ${one.actor_name}`),
                    h("p", {}, one.text),
                ),
            ),
            h("li", {}, h("strong", {}, w.now(labelOf(picture, picture.here)))),
        ),
        h("h3", {}, w.outs),
        outs.length === 0
            ? h("p", { class: "gh-muted" }, words.workflows.noStepsOut)
            : h(
                  "ul",
                  { class: "gh-plain" },
                  outs.map((text) => h("li", {}, text)),
              ),
    );
}
