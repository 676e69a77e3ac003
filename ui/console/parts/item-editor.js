// @ts-check
// The list of things to ask for, while a request is made: add, describe, reorder by buttons, remove.
import { h, paint, find } from "./dom.js";
import { icon } from "./icons.js";
import { field, mark } from "./field.js";
import { announce } from "./say.js";
import { missingIn, moved, toItem } from "./wishes.js";
import { words } from "../words.js";

const w = words.create;

/** @typedef {import("./wishes.js").Wish} Wish */

export function itemEditor() {
    /** @type {Wish[]} */
    let wishes = [];
    let serial = 0;
    const rows = h("ol", { class: "gh-plain gh-wishes" });
    const buttons = h("div", { class: "gh-row" });
    const element = h(
        "fieldset",
        { class: "gh-field" },
        h("legend", { class: "gh-label" }, w.items),
        h("p", { class: "gh-hint" }, w.itemsHint),
        rows,
        buttons,
    );

    /** Another workflow takes other things: what was written for it goes. @param {import("./wishes.js").Kind[]} kinds */
    function use(kinds) {
        wishes = [];
        draw();
        paint(
            buttons,
            kinds.map((kind) =>
                h(
                    "button",
                    { type: "button", class: "gh-btn gh-second gh-small", onclick: () => add(kind) },
                    icon("plus"),
                    h("span", {}, w.addKind(kind.title)),
                ),
            ),
        );
    }

    /** @param {import("./wishes.js").Kind} kind */
    function add(kind) {
        serial += 1;
        wishes.push({ n: serial, kind, title: "", hint: "", required: true, answer: "text", choices: "" });
        draw();
        find(rows, `title-${serial}`)?.focus();
    }

    const draw = () => paint(rows, wishes.map(row));

    /** @param {Wish} wish @param {number} at */
    function row(wish, at) {
        const name = wish.title || w.itemName(at + 1);
        /** @param {number} by */
        const shift = (by) => () => {
            wishes = moved(wishes, at, by);
            draw();
            announce(w.movedTo(name, wishes.indexOf(wish) + 1));
        };
        const remove = () => {
            wishes = wishes.filter((one) => one !== wish);
            draw();
        };
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
                h("strong", {}, `${at + 1}. ${wish.kind.title}`),
                at > 0 && tool("up", w.moveUp(name), `up-${wish.n}`, shift(-1)),
                at < wishes.length - 1 && tool("down", w.moveDown(name), `down-${wish.n}`, shift(1)),
                tool("close", w.remove(name), `remove-${wish.n}`, remove),
            ),
            field({ label: w.itemTitle, input: line(wish, "title") }),
            field({ label: w.itemHint, input: line(wish, "hint"), optional: true }),
            wish.kind.kind === "answer" && question(wish),
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
        use,
        /** The items for the server, or null after marking what is missing. @returns {any[] | null} */
        read() {
            for (const wish of wishes) {
                const part = missingIn(wish);
                const input = part && find(rows, `${part}-${wish.n}`);
                if (!input) continue;
                mark(input, part === "title" ? w.needItemTitle : w.needChoices);
                input.focus();
                return null;
            }
            return wishes.map(toItem);
        },
    };
}

/** @param {Wish} wish @param {"title" | "hint"} part */
function line(wish, part) {
    const input = h("input", {
        type: "text",
        value: wish[part],
        "data-k": `${part}-${wish.n}`,
        oninput: () => (wish[part] = input.value),
    });
    return input;
}

/** @param {import("./icons.js").IconName} shape @param {string} label @param {string} key @param {() => void} act */
function tool(shape, label, key, act) {
    return h(
        "button",
        { type: "button", class: "gh-iconbtn", "aria-label": label, "data-k": key, onclick: act },
        icon(shape),
    );
}
