// @ts-check
// Invitations with how far each got: sent, opened, ended. Resend, copy the link, withdraw.
import { h } from "./dom.js";
import { formDialog, openDialog } from "./dialog.js";
import { empty } from "./faces.js";
import { date, exact, moment } from "./format.js";
import { say } from "./say.js";
import { manages } from "../pages/clients.js";
import { words } from "../words.js";

const w = words.client;

/** How far an invitation got, in words. @param {any} one */
export function stateOf(one) {
    const sent = date(one.sent_at);
    switch (one.status) {
        case "queued":
            return w.state.queued;
        case "bounced":
            return w.state.bounced;
        case "opened":
            return `${w.state.opened(sent)} · ${w.state.ends(date(one.expires))}`;
        case "accepted":
            return w.state.accepted(date(one.accepted_at));
        case "expired":
            return w.state.expired(date(one.expires));
        case "revoked":
            return w.state.revoked;
        default:
            return `${w.state.sent(sent)} · ${w.state.ends(date(one.expires))}`;
    }
}

/** @param {import("./stage.js").Ctx} ctx @param {any[]} list @param {() => void} changed */
export function invitationList(ctx, list, changed) {
    if (list.length === 0) return empty(w.noInvitations);
    const waiting = list.filter(isOpen);
    return [
        h(
            "ul",
            { class: "gh-plain gh-invitations" },
            list.map((one) => row(ctx, one, changed)),
        ),
        waiting.length > 1 &&
            manages(ctx.me) &&
            h(
                "button",
                {
                    type: "button",
                    class: "gh-btn gh-second",
                    "data-k": "resend-all",
                    onclick: () => resendAll(ctx, waiting, changed),
                },
                w.resendAll(waiting.length),
            ),
    ];
}

/** Whether an invitation can still be sent again. @param {any} one */
const isOpen = (one) => !["accepted", "revoked"].includes(one.status);

/** Sends several again, one after the other; what is refused is named, the others are sent. @param {import("./stage.js").Ctx} ctx @param {any[]} list @param {() => void} changed */
function resendAll(ctx, list, changed) {
    formDialog({
        title: w.resendAllTitle(list.length),
        action: w.resend,
        fields: [
            h("p", {}, w.resendAllText),
            h(
                "ul",
                { class: "gh-plain" },
                list.map((one) => h("li", {}, h("bdi", {}, one.email), ` · ${stateOf(one)}`)),
            ),
        ],
        async submit(show) {
            const refused = [];
            for (const one of list) {
                try {
                    await ctx.api.post(`/api/portal/invitations/${one.id}/resend`);
                } catch (err) {
                    refused.push(`${one.email}: ${/** @type {Error} */ (err).message}`);
                }
            }
            changed();
            if (refused.length === 0) return say(w.resentAll(list.length));
            show([w.resentAll(list.length - refused.length), ...refused].join(" "));
            return false;
        },
    });
}

/** @param {import("./stage.js").Ctx} ctx @param {any} one @param {() => void} changed */
function row(ctx, one, changed) {
    const who = one.name || one.email;
    const open = isOpen(one);
    const error = h("p", { class: "gh-error", role: "alert", hidden: true });
    /** @param {string} text @param {string} key @param {() => void} act */
    const button = (text, key, act) =>
        h(
            "button",
            { type: "button", class: "gh-btn gh-second gh-small", "data-k": `${key}-${one.id}`, onclick: act },
            text,
        );

    async function resend() {
        try {
            const now = await ctx.api.post(`/api/portal/invitations/${one.id}/resend`);
            say(w.resent(moment(now.sent_at), now.sent_count));
            changed();
        } catch (err) {
            error.textContent = /** @type {Error} */ (err).message;
            error.hidden = false;
        }
    }

    return h(
        "li",
        { class: "gh-invitation", "data-status": one.status },
        h(
            "div",
            {},
            h(
                "p",
                {},
                h("strong", {}, h("bdi", {}, who)),
                one.name && h("span", { class: "gh-muted" }, " ", h("bdi", {}, one.email)),
                " · ",
                w.roles[one.role] ?? one.role,
            ),
            h(
                "p",
                { class: "gh-muted", title: exact(one.sent_at) },
                stateOf(one),
                one.sent_count > 1 && ` · ${w.resent(moment(one.sent_at), one.sent_count)}`,
                one.invited_by_name && ` · ${w.byWhom(one.invited_by_name)}`,
            ),
            error,
        ),
        open &&
            manages(ctx.me) &&
            h(
                "div",
                { class: "gh-row" },
                button(w.resend, "resend", resend),
                one.status !== "expired" && button(w.copyLink, "copy", () => copyLink(ctx, one)),
                button(w.withdraw, "withdraw", () => withdraw(ctx, one, who, changed)),
            ),
    );
}

/** @param {import("./stage.js").Ctx} ctx @param {any} one */
async function copyLink(ctx, one) {
    let link;
    try {
        ({ link } = await ctx.api.get(`/api/portal/invitations/${one.id}/link`));
        await navigator.clipboard.writeText(link);
        say(w.linkCopied);
    } catch (err) {
        if (!link) return say(/** @type {Error} */ (err).message);
        // No clipboard without a secure connection: then the link is shown to be copied by hand.
        const input = h("input", { type: "text", readonly: true, value: link, "aria-label": w.copyLink });
        openDialog({ title: w.copyLink }).fill(h("p", { class: "gh-hint" }, w.linkShow), input);
        input.select();
    }
}

/** @param {import("./stage.js").Ctx} ctx @param {any} one @param {string} who @param {() => void} changed */
function withdraw(ctx, one, who, changed) {
    formDialog({
        title: w.withdrawTitle(who),
        action: w.withdraw,
        danger: true,
        fields: [h("p", {}, w.withdrawText)],
        async submit() {
            await ctx.api.post(`/api/portal/invitations/${one.id}/revoke`);
            say(w.withdrawn(who));
            changed();
        },
    });
}
