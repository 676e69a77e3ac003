// @ts-check
// The list of items beside the preview: what is there, how it stands, and "add" where the state allows it.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { itemTag, tag } from "./tag.js";
import { addItem } from "./add-item.js";
import { addMany } from "./add-many.js";
import { DATA } from "./request-logic.js";
import { words } from "../words.js";

const w = words.request;

/** @param {import("../pages/request.js").Desk} desk */
export function itemList(desk) {
    const { view } = desk;
    const none = view.sections.every((/** @type {any} */ section) => section.items.length === 0);
    return [
        view.fields.length > 0 &&
            h("ul", { class: "gh-plain gh-itemlist" }, h("li", {}, entry(desk, DATA, h("span", {}, w.data)))),
        none &&
            !view.sections.some((/** @type {any} */ one) => one.can_add) &&
            h("p", { class: "gh-muted" }, w.noItems),
        view.sections.map((/** @type {any} */ section) => sectionOf(desk, section)),
    ];
}

/** @param {import("../pages/request.js").Desk} desk @param {any} section */
function sectionOf(desk, section) {
    const decided = section.items.filter((/** @type {any} */ item) =>
        ["accepted", "waived", "not_applicable"].includes(item.status),
    );
    const mayAdd = section.can_add && desk.ctx.me.role !== "viewer";
    if (section.items.length === 0 && !mayAdd) return null;
    return h(
        "section",
        {},
        h(
            "div",
            { class: "gh-section-head" },
            h("h2", {}, section.title),
            section.items.length > 0 &&
                h("span", { class: "gh-muted gh-num" }, w.checked(decided.length, section.items.length)),
        ),
        h(
            "ul",
            { class: "gh-plain gh-itemlist" },
            section.items.map((/** @type {any} */ item) =>
                h(
                    "li",
                    {},
                    entry(
                        desk,
                        item.id,
                        h(
                            "span",
                            { class: "gh-item-title" },
                            item.title,
                            !item.required && h("span", { class: "gh-muted" }, ` (${w.optionalItem.toLowerCase()})`),
                        ),
                        itemTag(item),
                        (item.stale || item.look_again) && tag("need", w.needsLook, "bang"),
                        item.review && h("span", { class: "gh-muted" }, item.review.needed),
                    ),
                ),
            ),
        ),
        mayAdd &&
            h(
                "div",
                { class: "gh-row gh-adders" },
                h(
                    "button",
                    {
                        type: "button",
                        class: "gh-btn gh-second gh-small",
                        "data-k": "add-" + section.key,
                        onclick: () => addItem(desk, section),
                    },
                    icon("plus"),
                    h("span", {}, w.addItem),
                ),
                h(
                    "button",
                    {
                        type: "button",
                        class: "gh-btn gh-plainbtn gh-small",
                        "data-k": "many-" + section.key,
                        onclick: () => addMany(desk, section),
                    },
                    w.addMany,
                ),
            ),
    );
}

/** @param {import("../pages/request.js").Desk} desk @param {string} id @param {...import("./dom.js").Child} children */
function entry(desk, id, ...children) {
    const on = desk.chosen === id;
    return h(
        "button",
        {
            type: "button",
            class: "gh-entry",
            "aria-current": on ? "true" : null,
            "data-k": "item-" + id,
            onclick: () => desk.choose(id, matchMedia("(max-width: 1100px)").matches),
        },
        children,
    );
}
