// @ts-check
// One value of a request's data or of a form's question: as an input, and as text to read.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { date, listed } from "./format.js";
import { words } from "../words.js";

const w = words.request;

/**
 * @typedef {{type: string, options?: {value: string, text: string}[] | string[]}} Spec
 * @typedef {{element: HTMLElement, input: HTMLElement, read: () => any}} ValueInput
 */

/** Options come as {value, text} or as plain words. @param {Spec} spec */
export function optionsOf(spec) {
    return (spec.options ?? []).map((one) => (typeof one === "string" ? { value: one, text: one } : one));
}

/** @param {Spec} spec @param {any} value @returns {string} */
export function showValue(spec, value) {
    if (value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0))
        return w.noAnswer;
    const named = (/** @type {any} */ one) => optionsOf(spec).find((o) => o.value === one)?.text ?? String(one);
    if (spec.type === "bool") return value ? words.app.yes : words.app.no;
    if (spec.type === "date") return date(`${String(value).slice(0, 10)}T12:00:00Z`);
    if (spec.type === "people_list") return listed(value.map(person));
    if (Array.isArray(value)) return listed(value.map(named));
    return typeof value === "object" ? JSON.stringify(value) : named(value);
}

/** @param {any} one */
function person(one) {
    return [one.name, one.email, one.share !== undefined && one.share !== "" ? `${one.share} %` : ""]
        .filter(Boolean)
        .join(", ");
}

/** @type {Record<string, string>} */
const inputTypes = { number: "number", money: "number", date: "date", month: "month" };

/**
 * @param {Spec} spec
 * @param {any} value
 * @param {Record<string, any>} attrs  such as name and data-k
 * @returns {ValueInput}
 */
export function valueInput(spec, value, attrs) {
    switch (spec.type) {
        case "long_text":
            return plain(h("textarea", { ...attrs, rows: 4, value: value ?? "" }));
        case "bool":
            return choice(
                [
                    { value: "true", text: words.app.yes },
                    { value: "false", text: words.app.no },
                ],
                asWord(value),
                attrs,
                (v) => (v === "" ? null : v === "true"),
            );
        case "choice":
            return choice(optionsOf(spec), value ?? "", attrs, (v) => v || null);
        case "multi_choice":
            return several(optionsOf(spec), value ?? [], attrs);
        case "list":
            return lines(value ?? [], attrs);
        case "people_list":
            return people(value ?? [], attrs);
        default: {
            const type = inputTypes[spec.type] ?? "text";
            const input = h("input", { ...attrs, type, step: type === "number" ? "any" : null, value: value ?? "" });
            return {
                element: input,
                input,
                read: () => (input.value === "" ? null : type === "number" ? Number(input.value) : input.value.trim()),
            };
        }
    }
}

/** @param {any} value */
const asWord = (value) => (value === true ? "true" : value === false ? "false" : "");

/** @param {HTMLTextAreaElement} input @returns {ValueInput} */
function plain(input) {
    return { element: input, input, read: () => input.value.trim() || null };
}

/** @param {{value: string, text: string}[]} options @param {any} value @param {any} attrs @param {(v: string) => any} read */
function choice(options, value, attrs, read) {
    const input = h(
        "select",
        attrs,
        h("option", { value: "" }, w.choosePlaceholder),
        options.map((one) => h("option", { value: one.value, selected: one.value === value }, one.text)),
    );
    return { element: input, input, read: () => read(input.value) };
}

/** @param {{value: string, text: string}[]} options @param {string[]} value @param {any} attrs */
function several(options, value, attrs) {
    const box = h(
        "div",
        { ...attrs, role: "group" },
        options.map((one) =>
            h(
                "label",
                { class: "gh-check" },
                h("input", { type: "checkbox", value: one.value, checked: value.includes(one.value) }),
                one.text,
            ),
        ),
    );
    const read = () => [...box.querySelectorAll("input")].filter((one) => one.checked).map((one) => one.value);
    return { element: box, input: box, read };
}

/** @param {string[]} value @param {any} attrs */
function lines(value, attrs) {
    const input = h("textarea", {
        ...attrs,
        rows: Math.max(2, value.length + 1),
        value: value.join("\n"),
        placeholder: w.linesHint,
    });
    return {
        element: input,
        input,
        read: () =>
            input.value
                .split("\n")
                .map((line) => line.trim())
                .filter(Boolean),
    };
}

/** People keep their ids: items that belong to a person hang on them. @param {any[]} value @param {any} attrs */
function people(value, attrs) {
    const rows = h("div", { class: "gh-form" });
    const box = h("div", { ...attrs, role: "group", class: "gh-form" }, rows);
    /** @param {any} one */
    const add = (one) => {
        /** @param {string} key @param {string} label @param {string} type */
        const cell = (key, label, type) =>
            h("input", { type, "data-part": key, "aria-label": label, placeholder: label, value: one[key] ?? "" });
        const row = h(
            "div",
            { class: "gh-row gh-person", "data-id": one.id ?? "" },
            cell("name", w.personName, "text"),
            cell("email", w.personEmail, "email"),
            cell("share", w.personShare, "number"),
            h(
                "button",
                {
                    type: "button",
                    class: "gh-iconbtn",
                    "aria-label": w.removeRow,
                    onclick: () => {
                        row.remove();
                        box.dispatchEvent(new Event("change"));
                    },
                },
                icon("close"),
            ),
        );
        rows.append(row);
    };
    value.forEach(add);
    box.append(h("button", { type: "button", class: "gh-link", onclick: () => add({}) }, w.addRow));
    const read = () =>
        [...rows.children]
            .map((row) => {
                /** @param {string} key */
                const part = (key) =>
                    /** @type {HTMLInputElement} */ (row.querySelector(`[data-part="${key}"]`)).value.trim();
                const share = part("share");
                const id = row.getAttribute("data-id");
                return {
                    ...(id ? { id } : {}),
                    name: part("name"),
                    email: part("email"),
                    ...(share ? { share: Number(share) } : {}),
                };
            })
            .filter((one) => one.name);
    return { element: box, input: box, read };
}
