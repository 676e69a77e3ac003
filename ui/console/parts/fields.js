// @ts-check
// The request's own data. Each field is saved when it is left; a refusal stands at the field and the text stays.
import { h, isPainting } from "./dom.js";
import { field, mark } from "./field.js";
import { showValue, valueInput } from "./value.js";
import { conflictBox, saveMerged } from "./merge.js";
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
    const id = `data:${one.key}`;
    // What is being typed survives a live update of the page, and so does what it started from.
    const typed = desk.typing.get(id);
    const was = typed ? typed.was : one.value;
    const value = valueInput(one, typed ? typed.value : one.value, { name: one.key, "data-k": "field-" + one.key });
    const before = JSON.stringify(valueInput(one, was, {}).read());
    const path = `/api/portal/requests/${desk.view.id}`;
    const edit = {
        of: "data",
        now: () => Object.fromEntries(desk.view.fields.map((/** @type {any} */ each) => [each.key, each.value])),
        /** @param {import("./merge.js").Values} data @param {import("./merge.js").Values} from */
        send: (data, from) => desk.ctx.api.patch(path, { data, was: from, expected_revision: desk.view.revision }),
    };
    async function save() {
        if (isPainting()) return;
        desk.typing.delete(id);
        const now = value.read();
        if (JSON.stringify(now) === before) return;
        try {
            if (await saveMerged(desk, { ...edit, mine: { [one.key]: now }, was: { [one.key]: was } }))
                say(words.request.fieldSaved(one.label));
        } catch (err) {
            mark(value.input, /** @type {Error} */ (err).message);
        }
    }
    value.element.addEventListener("input", () => desk.typing.set(id, { value: value.read(), was }));
    value.element.addEventListener("change", save);
    // A field that was painted anew while somebody typed in it says nothing of a change by itself.
    value.element.addEventListener("focusout", () => desk.typing.has(id) && save());
    return h(
        "div",
        {},
        field({ label: one.label, hint: one.help, input: value.element, optional: !one.required }),
        conflictBox(desk, { ...edit, spec: one }),
    );
}
