// @ts-check
// Choosing a client: type a part of the name or code, then take one of the results.
import { h, paint } from "./dom.js";
import { field } from "./field.js";
import { words } from "../words.js";

const w = words.create;

/**
 * @param {import("./stage.js").Ctx} ctx
 * @param {{id: string, name: string, code?: string} | null} start
 * @param {() => void} [changed] after another client, or none, was chosen
 */
export function clientPicker({ api, signal }, start, changed = () => {}) {
    let chosen = start;
    let asked = 0;
    let timer = 0;
    const results = h("ul", { class: "gh-plain gh-pick", "aria-live": "polite" });
    const input = h("input", {
        type: "search",
        name: "organization",
        autocomplete: "off",
        "data-k": "client-search",
        oninput: () => {
            clearTimeout(timer);
            timer = Number(setTimeout(search, 200));
        },
    });
    const element = h("div", {});

    async function search() {
        const mine = ++asked;
        try {
            const { items } = await api.get("/api/portal/clients", { q: input.value.trim() }, signal);
            if (mine !== asked) return;
            const open = items.filter((/** @type {any} */ one) => one.status !== "archived").slice(0, 8);
            paint(
                results,
                open.map((/** @type {any} */ one) =>
                    h(
                        "li",
                        {},
                        h(
                            "button",
                            { type: "button", class: "gh-entry", onclick: () => take(one) },
                            h(
                                "span",
                                {},
                                h("bdi", {}, one.name),
                                one.parent_name && h("span", { class: "gh-muted" }, ` · ${one.parent_name}`),
                            ),
                            h("span", { class: "gh-muted" }, one.code),
                        ),
                    ),
                ),
                open.length === 0 && h("li", { class: "gh-muted" }, w.noClients),
            );
        } catch (err) {
            if (!signal.aborted) paint(results, h("li", { class: "gh-error" }, /** @type {Error} */ (err).message));
        }
    }

    /** @param {any} one */
    function take(one) {
        chosen = one;
        draw();
        changed();
        /** @type {HTMLElement | null} */ (element.querySelector("button"))?.focus();
    }

    function draw() {
        if (!chosen) {
            paint(element, field({ label: w.client, hint: w.clientSearch, input }), results);
            search();
            return;
        }
        paint(
            element,
            h(
                "div",
                { class: "gh-field", role: "group", "aria-label": w.chosen },
                h("p", { class: "gh-label" }, w.client),
                h(
                    "p",
                    { class: "gh-row" },
                    h("strong", {}, h("bdi", {}, chosen.name)),
                    h(
                        "button",
                        {
                            type: "button",
                            class: "gh-link",
                            onclick: () => {
                                chosen = null;
                                draw();
                                changed();
                                input.focus();
                            },
                        },
                        w.change,
                    ),
                ),
            ),
        );
    }

    draw();
    return { element, input, value: () => chosen?.id ?? "" };
}
