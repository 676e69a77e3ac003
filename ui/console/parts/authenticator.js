// @ts-check
// The authenticator app: its code at the sign-in, setting it up with a picture to scan, and the recovery codes.
import { h } from "./dom.js";
import { field, mark } from "./field.js";
import { words } from "../words.js";

const w = words.authenticator;

/**
 * @typedef {{secret: string, uri: string, qr: string}} Offer
 * @typedef {(button: HTMLElement, code: string) => any} Send
 */

/** @param {{send: Send, label: string, hint?: string, text: string, recovery?: boolean}} what */
export function codeForm({ send, label, hint, text, recovery = false }) {
    const code = h("input", {
        type: "text",
        name: "code",
        inputmode: recovery ? "text" : "numeric",
        autocomplete: "one-time-code",
        autocapitalize: "off",
        spellcheck: "false",
        class: recovery ? "" : "gh-code",
        "data-k": "code",
        autofocus: true,
    });
    const button = h("button", { type: "submit", class: "gh-btn gh-first" }, text);
    return h(
        "form",
        {
            class: "gh-form",
            novalidate: true,
            onsubmit: (/** @type {SubmitEvent} */ event) => {
                event.preventDefault();
                if (!code.value.trim()) return (mark(code, w.needed), code.focus());
                send(button, code.value.trim());
            },
        },
        field({ label, hint, input: code }),
        button,
    );
}

/** The second step of a sign-in. @param {{send: Send, again: () => void}} what */
export function appCode({ send, again }) {
    const box = h("div", { class: "gh-form" });
    /** @param {boolean} recovery */
    const draw = (recovery) =>
        box.replaceChildren(
            h("p", {}, recovery ? w.askRecovery : w.ask),
            codeForm({ send, label: recovery ? w.recovery : w.code, text: words.signIn.enter, recovery }),
            h(
                "button",
                { type: "button", class: "gh-link", onclick: () => draw(!recovery) },
                recovery ? w.useApp : w.useRecovery,
            ),
            h("button", { type: "button", class: "gh-link", onclick: again }, words.signIn.otherEmail),
        );
    draw(false);
    return box;
}

/** @param {{offer: Offer, send: Send, again?: () => void}} what */
export function appSetup({ offer, send, again }) {
    const picture = h("img", {
        class: "gh-qr",
        alt: w.picture,
        width: "200",
        height: "200",
        src: "data:image/svg+xml," + encodeURIComponent(offer.qr),
    });
    return h(
        "div",
        { class: "gh-form" },
        h("p", {}, w.scan),
        picture,
        h(
            "details",
            {},
            h("summary", {}, w.byHand),
            h("p", {}, h("code", { class: "gh-secret" }, offer.secret.match(/.{1,4}/g)?.join(" ") ?? "")),
        ),
        codeForm({ send, label: w.firstCode, text: w.turnOn }),
        again && h("button", { type: "button", class: "gh-link", onclick: again }, words.signIn.otherEmail),
    );
}

/** @param {{codes: string[], done: () => void}} what */
export function codesShown({ codes, done }) {
    const copy = h("button", { type: "button", class: "gh-btn gh-second" }, w.copy);
    copy.addEventListener("click", async () => {
        await navigator.clipboard?.writeText(codes.join("\n")).catch(() => undefined);
        copy.textContent = w.copied;
    });
    return h(
        "div",
        { class: "gh-form" },
        h("h2", { tabindex: "-1", "data-k": "codes" }, w.codesTitle),
        h("p", {}, w.codesText),
        h(
            "ul",
            { class: "gh-codes" },
            codes.map((code) => h("li", {}, h("code", {}, code))),
        ),
        h(
            "div",
            { class: "gh-row" },
            copy,
            h("button", { type: "button", class: "gh-btn gh-first", onclick: done }, w.codesKept),
        ),
    );
}
