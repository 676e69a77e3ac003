// @ts-check
// Before what matters the server asks for a proof once more: the password, a code, or a passkey. One dialog, however
// many calls met it at once.
import { h } from "./dom.js";
import { formDialog } from "./dialog.js";
import { field, mark } from "./field.js";
import { hasPasskey, provePasskey } from "./passkey.js";
import { words } from "../words-access.js";

const w = words.prove;

/** @type {Promise<boolean> | null} */
let asking = null;

/**
 * The fields of a proof, for a form. `read` gives what to send, or null when something is missing.
 * @param {import("./api.js").Api} api
 */
export function proofFields(api) {
    let byPasskey = false;
    const password = h("input", {
        type: "password",
        name: "password",
        autocomplete: "current-password",
        autofocus: true,
    });
    const code = h("input", { type: "text", name: "code", inputmode: "numeric", autocomplete: "one-time-code" });
    const passkey = h(
        "button",
        {
            type: "button",
            class: "gh-btn",
            hidden: true,
            onclick() {
                byPasskey = true;
                passkey.closest("form")?.requestSubmit();
            },
        },
        w.passkey,
    );
    // Where it cannot be known, the other two are there.
    hasPasskey(api).then(
        (has) => (passkey.hidden = !has),
        () => undefined,
    );
    return {
        fields: [
            passkey,
            field({ label: w.password, input: password }),
            field({ label: w.code, input: code, optional: true }),
        ],
        /** @returns {Promise<any>} */
        async read() {
            if (byPasskey) {
                byPasskey = false;
                return provePasskey(api);
            }
            if (!password.value && !code.value) return (mark(password, w.need), password.focus(), null);
            return { password: password.value, code: code.value.trim() };
        },
    };
}

/**
 * Asks for the proof; false when the person leaves.
 * @param {() => import("./api.js").Api} api
 * @returns {Promise<boolean>}
 */
export function askProof(api) {
    asking ??= new Promise((done) => {
        let proved = false;
        const proof = proofFields(api());
        const dialog = formDialog({
            title: w.title,
            action: w.go,
            fields: [h("p", { class: "gh-hint" }, w.text), proof.fields],
            async submit() {
                const given = await proof.read();
                if (!given) return false;
                await api().send("/api/portal/prove", { method: "POST", body: given, quiet: true });
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
