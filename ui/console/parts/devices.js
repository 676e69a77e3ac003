// @ts-check
// Where somebody is signed in: one device a row.
import { h } from "./dom.js";
import { moment } from "./format.js";
import { words } from "../words.js";

const w = words.account;

/** @param {any[]} items @param {(one: any) => import("./dom.js").Child} [end] what ends one of them; nothing for the device in use */
export function devices(items, end) {
    return h(
        "ul",
        { class: "gh-rows" },
        items.map((one) =>
            h(
                "li",
                { class: "gh-device" },
                h(
                    "span",
                    {},
                    h("strong", {}, one.device),
                    " ",
                    one.current && h("span", { class: "gh-muted" }, w.thisOne),
                ),
                h("span", { class: "gh-hint" }, w.seen(moment(one.last_seen), moment(one.created), one.ip)),
                !one.current && end?.(one),
            ),
        ),
    );
}
