// @ts-check
// Who of the client is kept away from a request, by whom and why; keeping somebody away, and letting in again.
import { h } from "./dom.js";
import { formDialog } from "./dialog.js";
import { field, mark } from "./field.js";
import { moment } from "./format.js";
import { say } from "./say.js";
import { words } from "../words-access.js";

const w = words.exclusions;

/** @typedef {{excluded: {id: string, name: string, reason: string, by: string, at: string}[], others: {id: string, name: string}[]}} Page */

/** @param {import("../pages/request.js").Desk} desk */
export async function keepAway(desk) {
    const { api } = desk.ctx;
    const path = `/api/portal/requests/${desk.view.id}/`;
    /** @type {Page} */
    let page;
    try {
        page = await api.get(path + "people");
    } catch (err) {
        return say(/** @type {Error} */ (err).message);
    }
    const who = h(
        "select",
        { name: "user" },
        h("option", { value: "" }, w.choose),
        page.others.map((one) => h("option", { value: one.id }, one.name)),
    );
    const reason = h("input", { type: "text", name: "reason", maxlength: "500", autocomplete: "off" });

    async function done() {
        say(w.saved);
        desk.take(await api.get(path.slice(0, -1)));
    }

    /** @param {Page["excluded"][number]} one */
    const row = (one) =>
        h(
            "li",
            { class: "gh-passkey" },
            h("span", {}, h("strong", { dir: "auto" }, one.name), h("br"), w.by(one.by, moment(one.at), one.reason)),
            h(
                "button",
                {
                    type: "button",
                    class: "gh-link",
                    async onclick() {
                        try {
                            await desk.command(() => api.remove(`${path}exclusions/${one.id}`));
                            dialog.close();
                            await done();
                        } catch (err) {
                            say(/** @type {Error} */ (err).message);
                        }
                    },
                },
                w.lift(one.name),
            ),
        );

    const dialog = formDialog({
        title: w.title,
        action: w.keep,
        danger: true,
        fields: [
            page.excluded.length > 0 ? h("ul", { class: "gh-rows" }, page.excluded.map(row)) : h("p", {}, w.none),
            h("p", { class: "gh-hint" }, w.text),
            field({ label: w.who, input: who }),
            field({ label: w.reason, input: reason }),
        ],
        async submit() {
            if (!who.value) return (mark(who, w.need), who.focus(), false);
            if (!reason.value.trim()) return (mark(reason, w.needReason), reason.focus(), false);
            await desk.command(() => api.post(path + "exclusions", { user: who.value, reason: reason.value.trim() }));
            await done();
        },
    });
}
