// @ts-check
// Before what matters the server asks for the password once more. One dialog, however many calls met it at once.
import { h } from "./dom.js";
import { formDialog } from "./dialog.js";
import { field, mark } from "./field.js";
import { words } from "../words-access.js";

const w = words.prove;

/** @type {Promise<boolean> | null} */
let asking = null;

/**
 * Asks for the proof; false when the person leaves.
 * @param {() => import("./api.js").Api} api
 * @returns {Promise<boolean>}
 */
export function askProof(api) {
    asking ??= new Promise((done) => {
        let proved = false;
        const password = h("input", {
            type: "password",
            name: "password",
            autocomplete: "current-password",
            autofocus: true,
        });
        const code = h("input", { type: "text", name: "code", inputmode: "numeric", autocomplete: "one-time-code" });
        const dialog = formDialog({
            title: w.title,
            action: w.go,
            fields: [
                h("p", { class: "gh-hint" }, w.text),
                field({ label: w.password, input: password }),
                field({ label: w.code, input: code, optional: true }),
            ],
            async submit() {
                if (!password.value && !code.value) return (mark(password, w.need), password.focus(), false);
                await api().send("/api/portal/prove", {
                    method: "POST",
                    body: { password: password.value, code: code.value.trim() },
                    quiet: true,
                });
                proved = true;
            },
        });
        dialog.element.addEventListener("close", () => {
            asking = null;
            done(proved);
        });
    });
    return asking;
}
