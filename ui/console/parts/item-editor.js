// @ts-check
// The list of things to ask for, while a request is made: add, describe, reorder by buttons, remove.
import { h, paint, find } from "./dom.js";
import { icon } from "./icons.js";
import { field, mark } from "./field.js";
import { announce } from "./say.js";
import { words } from "../words.js";

const w = words.create;

/** Which place an entry takes when it moves; both ends hold. @template T @param {T[]} list @param {number} at @param {number} by */
export function moved(list, at, by) {
    const to = at + by;
    if (to < 0 || to >= list.length) return list;
    const copy = [...list];
    [copy[at], copy[to]] = [copy[to], copy[at]];
    return copy;
}

/** @typedef {{n: number, template: string, title: string, hint: string, required: boolean, answer: string, choices: string}} Wish */

export function itemEditor() {
    /** @type {Wish[]} */
    let wishes = [];
    let serial = 0;
    const rows = h("ol", { class: "gh-plain gh-wishes" });
    const element = h(
        "fieldset",
        { class: "gh-field" },
        h("legend", { class: "gh-label" }, w.items),
        h("p", { class: "gh-hint" }, w.itemsHint),
        rows,
        h(
            "div",
            { class: "gh-row" },
            Object.entries(w.addKinds).map(([template, text]) =>
                h(
                    "button",
                    {
                        type: "button",
                        class: "gh-btn gh-second gh-small",
                        "data-k": "add-" + template,
                        onclick: () => add(template),
                    },
                    icon("plus"),
                    h("span", {}, text),
                ),
            ),
        ),
    );

    /** @param {string} template */
    function add(template) {
        serial += 1;
        wishes.push({ n: serial, template, title: "", hint: "", required: true, answer: "text", choices: "" });
        draw();
        find(rows, `title-${serial}`)?.focus();
    }

    function draw() {
        paint(rows, wishes.map(row));
    }

    /** @param {Wish} wish @param {number} at */
    function row(wish, at) {
        const name = () => wish.title || w.itemName(at + 1);
        /** @param {import("./icons.js").IconName} shape @param {string} label @param {string} key @param {() => void} act */
        const tool = (shape, label, key, act) =>
            h(
                "button",
                {
                    type: "button",
                    class: "gh-iconbtn",
                    "aria-label": label,
                    "data-k": `${key}-${wish.n}`,
                    onclick: act,
                },
                icon(shape),
            );
        /** @param {number} by */
        const shift = (by) => () => {
            wishes = moved(wishes, at, by);
            draw();
            announce(`${name()}: ${wishes.indexOf(wish) + 1}`);
        };
        const title = h("input", {
            type: "text",
            value: wish.title,
            "data-k": `title-${wish.n}`,
            oninput: () => (wish.title = title.value),
        });
        const hint = h("input", {
            type: "text",
            value: wish.hint,
            "data-k": `hint-${wish.n}`,
            oninput: () => (wish.hint = hint.value),
        });
        const needed = h("input", {
            type: "checkbox",
            checked: wish.required,
            onchange: () => (wish.required = needed.checked),
        });
        return h(
            "li",
            { class: "gh-wish" },
            h(
                "div",
                { class: "gh-row gh-wish-head" },
                h("strong", {}, `${at + 1}. ${/** @type {Record<string, string>} */ (w.kinds)[wish.template]}`),
                at > 0 && tool("up", w.moveUp(name()), "up", shift(-1)),
                at < wishes.length - 1 && tool("down", w.moveDown(name()), "down", shift(1)),
                tool("close", w.remove(name()), "remove", () => {
                    wishes = wishes.filter((one) => one !== wish);
                    draw();
                }),
            ),
            field({ label: w.itemTitle, input: title }),
            field({ label: w.itemHint, input: hint, optional: true }),
            wish.template === "question" && question(wish),
            h("label", { class: "gh-check" }, needed, w.needed),
        );
    }

    /** @param {Wish} wish */
    function question(wish) {
        const type = h(
            "select",
            {
                "data-k": `answer-${wish.n}`,
                onchange: () => {
                    wish.answer = type.value;
                    draw();
                },
            },
            Object.entries(w.answers).map(([value, text]) =>
                h("option", { value, selected: value === wish.answer }, text),
            ),
        );
        const choices = h("textarea", {
            rows: 3,
            value: wish.choices,
            "data-k": `choices-${wish.n}`,
            oninput: () => (wish.choices = choices.value),
        });
        return [
            field({ label: w.answerType, input: type }),
            wish.answer === "choice" && field({ label: w.choices, input: choices }),
        ];
    }

    return {
        element,
        /** The items for the server, or null after marking what is missing. @returns {any[] | null} */
        read() {
            for (const wish of wishes) {
                const wrong = !wish.title.trim()
                    ? `title-${wish.n}`
                    : wish.template === "question" && wish.answer === "choice" && choicesOf(wish).length < 2
                      ? `choices-${wish.n}`
                      : "";
                const input = wrong ? find(rows, wrong) : null;
                if (!input) continue;
                mark(input, wrong.startsWith("title") ? w.needItemTitle : w.needChoices);
                input.focus();
                return null;
            }
            return wishes.map(toItem);
        },
    };
}

/** @param {Wish} wish */
function choicesOf(wish) {
    return wish.choices
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean);
}

/** Sections of the firm's own list are called "things" in the library's simple request. @param {Wish} wish */
export function toItem(wish) {
    const options =
        wish.template !== "question"
            ? undefined
            : { answer_type: wish.answer, ...(wish.answer === "choice" ? { choices: choicesOf(wish) } : {}) };
    return {
        section: "things",
        template: wish.template,
        title: wish.title.trim(),
        hint: wish.hint.trim(),
        required: wish.required,
        options,
    };
}
