// @ts-check
// A native <dialog>: it keeps the focus inside, closes with Escape, and gives the focus back to where it came from.
import { h, paint, uid } from "./dom.js";
import { icon } from "./icons.js";
import { words } from "../words.js";

/**
 * @param {object} what
 * @param {string} what.title
 * @param {boolean} [what.must] cannot be closed without deciding
 * @param {boolean} [what.wide]
 * @param {() => void} [what.onclose]
 */
export function openDialog({ title, must = false, wide = false, onclose }) {
    const heading = uid("dialog");
    const body = h("div", { class: "gh-dialog-body" });
    const dialog = h(
        "dialog",
        { class: `gh gh-dialog ${wide ? "gh-wide" : ""}`, "aria-labelledby": heading },
        h(
            "div",
            { class: "gh-dialog-head" },
            h("h2", { id: heading, tabindex: "-1" }, title),
            !must &&
                h(
                    "button",
                    {
                        type: "button",
                        class: "gh-iconbtn",
                        "aria-label": words.app.close,
                        onclick: () => dialog.close(),
                    },
                    icon("close"),
                ),
        ),
        body,
    );
    const from = /** @type {HTMLElement | null} */ (document.activeElement);
    const key = from?.getAttribute?.("data-k");
    dialog.addEventListener("cancel", (event) => must && event.preventDefault());
    dialog.addEventListener("close", () => {
        dialog.remove();
        // The page may have been painted anew meanwhile: then the same control is another element.
        const back = from?.isConnected ? from : key ? document.querySelector(`[data-k="${CSS.escape(key)}"]`) : null;
        /** @type {HTMLElement | null} */ (back)?.focus();
        onclose?.();
    });
    document.body.append(dialog);
    dialog.showModal();
    return {
        element: dialog,
        close: () => dialog.close(),
        /** @param {...import("./dom.js").Child} children */
        fill(...children) {
            paint(body, ...children);
            const first = body.querySelector("[autofocus]") ?? body.querySelector("input, select, textarea, button");
            if (!body.contains(document.activeElement)) /** @type {HTMLElement | null} */ (first)?.focus();
        },
    };
}

/**
 * A small form in a dialog. `submit` may throw a Problem: its message is shown and what was typed stays.
 * @param {object} what
 * @param {string} what.title
 * @param {import("./dom.js").Child[]} what.fields
 * @param {string} what.action     words on the main button
 * @param {boolean} [what.danger]
 * @param {(error: (text: string, field?: string) => void) => Promise<boolean | void>} what.submit
 *   false keeps the dialog open
 */
export function formDialog({ title, fields, action, danger = false, submit }) {
    const dialog = openDialog({ title });
    const error = h("p", { class: "gh-error", role: "alert", hidden: true });
    const button = h("button", { type: "submit", class: `gh-btn ${danger ? "gh-danger" : "gh-first"}` }, action);
    /** @param {string} text @param {string} [field] */
    const show = (text, field) => {
        error.textContent = text;
        error.hidden = false;
        const input = field
            ? /** @type {HTMLElement | null} */ (form.querySelector(`[name="${CSS.escape(field)}"]`))
            : null;
        input?.setAttribute("aria-invalid", "true");
        input?.focus();
    };
    const form = h(
        "form",
        {
            class: "gh-form",
            novalidate: true,
            onsubmit: async (/** @type {SubmitEvent} */ event) => {
                event.preventDefault();
                if (button.getAttribute("aria-busy") === "true") return;
                error.hidden = true;
                for (const marked of form.querySelectorAll("[aria-invalid]")) marked.removeAttribute("aria-invalid");
                button.setAttribute("aria-busy", "true");
                try {
                    if ((await submit(show)) !== false) dialog.close();
                } catch (err) {
                    show(err instanceof Error ? err.message : words.app.unknownError);
                } finally {
                    button.removeAttribute("aria-busy");
                }
            },
        },
        fields,
        error,
        h(
            "div",
            { class: "gh-row gh-dialog-foot" },
            button,
            h("button", { type: "button", class: "gh-btn gh-second", onclick: () => dialog.close() }, words.app.cancel),
        ),
    );
    dialog.fill(form);
    return dialog;
}
