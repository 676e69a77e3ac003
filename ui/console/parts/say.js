// @ts-check
// Short news at the foot of the screen. The place is a polite live region, so it is read out as well as shown.
import { h } from "./dom.js";
import { words } from "../words.js";

const STAY = 10_000;

/** @type {HTMLElement | null} */
let region = null;
/** @type {HTMLElement | null} */
let silent = null;

/** Puts both regions on the page before anything is said: a region that arrives with its text is often not read. */
export function openRegions() {
    if (region) return;
    region = h("div", { class: "gh gh-notices", role: "status" });
    silent = h("div", { class: "gh-silent", role: "status" });
    document.body.append(region, silent);
}

/** Read out only. @param {string} text */
export function announce(text) {
    openRegions();
    if (silent) silent.textContent = text;
}

/**
 * Shown for ten seconds and read out.
 * @param {string} text
 * @param {{label: string, act: () => void}} [offer] something to do about it, such as "Undo"
 * @param {{label: string, href: string}} [more] where to read more
 */
export function say(text, offer, more) {
    openRegions();
    const notice = h("div", { class: "gh-notice" }, h("span", {}, text));
    if (offer) {
        const button = h("button", { type: "button", class: "gh-notice-act" }, offer.label);
        button.addEventListener("click", () => {
            notice.remove();
            offer.act();
        });
        notice.append(button);
    }
    if (more) notice.append(h("a", { class: "gh-notice-act", href: more.href }, more.label));
    const close = h("button", { type: "button", class: "gh-notice-act" }, words.app.close);
    close.addEventListener("click", () => notice.remove());
    if (!offer) notice.append(close);
    region?.replaceChildren(notice);
    setTimeout(() => notice.remove(), STAY);
}
