// @ts-check
// One mail, opened: what it said and why it was or was not sent.
import { h, paint } from "./dom.js";
import { skeleton, refused, left } from "./faces.js";
import { mailTag } from "../pages/mail.js";
import { exact } from "./format.js";
import { address } from "./routes.js";
import { words } from "../words.js";

const w = words.mail;

/** @param {import("./stage.js").Ctx} ctx */
export function mailPane({ api, signal }) {
    const element = h("aside", { class: "gh-preview gh-mail", "aria-label": w.text });
    let wanted = "";

    /** @param {string} id */
    async function show(id) {
        if (id === wanted && id) return;
        wanted = id;
        if (!id) return paint(element, h("p", { class: "gh-muted" }, w.choose));
        paint(element, skeleton(4));
        try {
            const mail = await api.get(`/api/portal/mails/${encodeURIComponent(id)}`, {}, signal);
            if (id !== wanted) return;
            draw(mail);
            // On a phone the mail stands below the list: go there.
            if (matchMedia("(max-width: 1100px)").matches) element.scrollIntoView({ block: "start" });
            /** @type {HTMLElement | null} */ (element.querySelector("h2"))?.focus({ preventScroll: true });
        } catch (err) {
            if (!left(err) && id === wanted)
                paint(
                    element,
                    refused(err, () => ((wanted = ""), show(id))),
                );
        }
    }

    /** @param {any} mail */
    function draw(mail) {
        paint(
            element,
            h("h2", { tabindex: "-1" }, mail.subject),
            h("p", {}, mailTag(mail.status)),
            mail.why && h("p", { class: "gh-muted" }, w.because(mail.why)),
            mail.error && h("p", { class: "gh-bar gh-bad" }, `${w.error}: ${mail.error}`),
            h(
                "dl",
                { class: "gh-pairs" },
                h(
                    "div",
                    {},
                    h("dt", {}, w.to),
                    h("dd", {}, h("bdi", {}, mail.to_name ? `${mail.to_name} <${mail.to}>` : mail.to)),
                ),
                h("div", {}, h("dt", {}, w.when), h("dd", {}, exact(mail.sent_at || mail.created))),
            ),
            mail.request && h("p", {}, h("a", { href: address("request/" + mail.request) }, w.request)),
            h("h3", {}, w.text),
            h("pre", { class: "gh-mail-text", tabindex: "0" }, mail.text),
            mail.html && htmlPart(mail),
        );
    }

    return { element, show };
}

/** The frame is only made when somebody opens it. @param {any} mail */
function htmlPart(mail) {
    const details = h("details", {}, h("summary", {}, w.html));
    details.addEventListener("toggle", () => details.append(frame(mail)), { once: true });
    return details;
}

/**
 * The HTML part, locked away: no script, no forms, no own origin, and nothing loaded from elsewhere.
 * @param {any} mail
 */
function frame(mail) {
    const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`;
    return h("iframe", {
        sandbox: "",
        srcdoc: policy + mail.html,
        title: w.frame(mail.subject),
        class: "gh-mail-frame",
    });
}
