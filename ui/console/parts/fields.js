// @ts-check
// The request's own data. Each field is saved when it is left; a refusal stands at the field and the text stays.
import { h } from "./dom.js";
import { field, mark } from "./field.js";
import { showValue, valueInput } from "./value.js";
import { say } from "./say.js";
import { words } from "../words.js";

/** @param {import("../pages/request.js").Desk} desk */
export function dataFields(desk) {
    const writes = desk.ctx.me.role !== "viewer";
    const locked = desk.view.fields.filter((/** @type {any} */ one) => !one.editable);
    // The same reason for many fields stands once above them.
    const shared = locked.length > 1 && locked.every((/** @type {any} */ one) => one.why === locked[0].why);
    return h(
        "div",
        { class: "gh-form" },
        shared &&
            locked[0].why &&
            h(
                "p",
                { class: "gh-muted" },
                locked.length < desk.view.fields.length ? words.request.someLocked(locked[0].why) : locked[0].why,
            ),
        desk.view.fields.map((/** @type {any} */ one) =>
            one.editable && writes ? editable(desk, one) : readable(one, !shared),
        ),
    );
}

/** @param {any} one @param {boolean} explain */
function readable(one, explain) {
    return h(
        "dl",
        { class: "gh-pairs" },
        h(
            "div",
            {},
            h("dt", {}, one.label),
            h("dd", {}, showValue(one, one.value), explain && one.why && h("p", { class: "gh-muted" }, one.why)),
        ),
    );
}

/** @param {import("../pages/request.js").Desk} desk @param {any} one */
function editable(desk, one) {
    const value = valueInput(one, one.value, { name: one.key, "data-k": "field-" + one.key });
    const before = JSON.stringify(value.read());
    value.element.addEventListener("change", async () => {
        const now = value.read();
        if (JSON.stringify(now) === before) return;
        const body = { data: { [one.key]: now }, expected_revision: desk.view.revision };
        try {
            desk.take(await desk.command(() => desk.ctx.api.patch(`/api/portal/requests/${desk.view.id}`, body)));
            say(words.request.fieldSaved(one.label));
        } catch (err) {
            mark(value.input, /** @type {Error} */ (err).message);
        }
    });
    return field({ label: one.label, hint: one.help, input: value.element, optional: !one.required });
}
