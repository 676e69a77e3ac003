// @ts-check
// What the firm may do about somebody's sign-ins: see them, end them, and take a lost authenticator app and the
// passkeys away, which two people do together.
import { h, paint } from "./dom.js";
import { devices } from "./devices.js";
import { formDialog } from "./dialog.js";
import { left, refused } from "./faces.js";
import { field, mark } from "./field.js";
import { moment } from "./format.js";
import { say } from "./say.js";
import { words } from "../words-access.js";

const w = words.signIns;

/** @param {import("./stage.js").Ctx} ctx @param {{id: string, name: string}} who */
export function signIns(ctx, who) {
    const { api, me, signal } = ctx;
    const path = `/api/portal/people/${who.id}/`;
    const region = h("section", { class: "gh-section gh-sign-ins", "aria-labelledby": "gh-sign-ins" });

    async function load() {
        try {
            draw(await api.get(path + "sessions", {}, signal));
        } catch (err) {
            if (left(err)) return;
            paint(region, h("h2", { id: "gh-sign-ins" }, w.title), refused(err, load));
        }
    }

    /** @param {any} answer */
    function draw({ items, second_factor: factor }) {
        paint(
            region,
            h("h2", { id: "gh-sign-ins" }, w.title),
            items.length === 0 && h("p", { class: "gh-muted" }, w.nowhere(who.name)),
            items.length > 0 && devices(items),
            items.length > 0 && button("end-all", w.endAll, endAll),
            factor.app && h("p", {}, w.app(who.name)),
            factor.passkeys > 0 && h("p", {}, w.passkeys(who.name, factor.passkeys)),
            (factor.app || factor.passkeys > 0) && !factor.reset_asked_by && button("reset", w.reset, reset),
            factor.reset_asked_by &&
                h("p", {}, w.asked(factor.reset_asked_by_name, moment(factor.reset_asked_at), factor.reset_reason)),
            factor.reset_asked_by === me.id && h("p", { class: "gh-muted" }, w.second),
            factor.reset_asked_by && factor.reset_asked_by !== me.id && button("confirm", w.confirm, reset),
        );
    }

    /** @param {string} key @param {string} text @param {() => void} onclick */
    const button = (key, text, onclick) =>
        h("p", {}, h("button", { type: "button", class: "gh-btn gh-second", "data-k": key, onclick }, text));

    function endAll() {
        formDialog({
            title: w.endAllAsk(who.name),
            action: w.endAll,
            danger: true,
            fields: [h("p", {}, w.endAllText)],
            async submit() {
                await api.send(path + "sessions", { method: "DELETE", quiet: true });
                say(w.ended(who.name));
                load();
            },
        });
    }

    function reset() {
        const reason = h("input", { type: "text", name: "reason", autocomplete: "off", autofocus: true });
        formDialog({
            title: w.resetAsk(who.name),
            action: w.resetDo,
            danger: true,
            fields: [h("p", {}, w.resetText), field({ label: w.reason, input: reason })],
            async submit() {
                if (!reason.value.trim()) return (mark(reason, w.needReason), reason.focus(), false);
                const answer = await api.send(path + "second-factor/reset", {
                    method: "POST",
                    quiet: true,
                    body: { reason: reason.value.trim() },
                });
                say(answer?.waiting ? w.second : w.taken(who.name));
                load();
            },
        });
    }

    load();
    return region;
}
