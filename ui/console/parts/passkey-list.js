// @ts-check
// The own passkeys on the page of the account: a list, and dialogs to add, rename and remove one.
import { h, paint } from "./dom.js";
import { formDialog } from "./dialog.js";
import { left, refused, skeleton } from "./faces.js";
import { field, mark } from "./field.js";
import { moment } from "./format.js";
import { addPasskey, passkeysWork } from "./passkey.js";
import { proofFields } from "./prove.js";
import { say } from "./say.js";
import { words } from "../words-access.js";

const w = words.passkeys;
const base = "/api/portal/passkeys";

/** @typedef {{id: string, name: string, created: string, last_used: string, works: boolean}} Passkey */

/** @param {import("./stage.js").Ctx} ctx */
export function passkeyList({ api, ready, signal }) {
    const heading = h("h2", { id: "gh-passkeys" }, w.title);
    const region = h(
        "section",
        { class: "gh-account-part", "aria-labelledby": "gh-passkeys" },
        h("h2", {}, w.title),
        skeleton(),
    );

    async function load() {
        try {
            const [answer] = await Promise.all([api.get(base, {}, signal), ready]);
            paint(region, heading, draw(answer));
        } catch (err) {
            if (!left(err)) paint(region, heading, refused(err, load));
        }
    }

    /** @param {{items: Passkey[], origin: string, why: string}} answer */
    function draw({ items, origin, why }) {
        const able = passkeysWork(origin);
        return [
            items.length === 0 && h("p", {}, w.none),
            items.length > 0 && h("ul", { class: "gh-rows" }, items.map(row)),
            able && h("button", { type: "button", class: "gh-btn", "data-k": "passkey-add", onclick: add }, w.add),
            !able &&
                h("p", { class: "gh-hint" }, why || (origin === location.origin ? w.noBrowser : w.elsewhere(origin))),
        ];
    }

    /** @param {Passkey} one */
    const row = (one) =>
        h(
            "li",
            { class: "gh-passkey" },
            h(
                "span",
                {},
                h("strong", { dir: "auto" }, one.name),
                h("br"),
                h(
                    "span",
                    { class: "gh-hint" },
                    one.last_used ? w.used(moment(one.created), moment(one.last_used)) : w.made(moment(one.created)),
                ),
                !one.works && h("span", { class: "gh-hint" }, " " + w.stale),
            ),
            h(
                "span",
                { class: "gh-row" },
                button("rename", w.rename, one, rename),
                button("remove", w.remove, one, remove),
            ),
        );

    /** @param {string} key @param {string} text @param {Passkey} one @param {(one: Passkey) => void} act */
    const button = (key, text, one, act) =>
        h(
            "button",
            {
                type: "button",
                class: "gh-link",
                "aria-label": `${text}: ${one.name}`,
                "data-k": `passkey-${key}-${one.id}`,
                onclick: () => act(one),
            },
            text,
        );

    /** @param {string} value */
    function nameField(value) {
        const input = h("input", {
            type: "text",
            name: "name",
            maxlength: "60",
            autocomplete: "off",
            value,
            autofocus: true,
        });
        return { input, shown: field({ label: w.name, hint: w.nameHint, input }) };
    }

    /** @param {string} said */
    function done(said) {
        say(said);
        load();
    }

    function add() {
        const name = nameField("");
        const proof = proofFields(api);
        formDialog({
            title: w.add,
            action: w.goOn,
            fields: [name.shown, proof.fields],
            async submit() {
                if (!name.input.value.trim()) return (mark(name.input, w.needName), name.input.focus(), false);
                const given = await proof.read();
                if (!given) return false;
                await addPasskey(api, given, name.input.value.trim());
                done(w.added);
            },
        });
    }

    /** @param {Passkey} one */
    function rename(one) {
        const name = nameField(one.name);
        formDialog({
            title: w.rename,
            action: w.save,
            fields: [name.shown],
            async submit() {
                if (!name.input.value.trim()) return (mark(name.input, w.needName), name.input.focus(), false);
                await api.send(`${base}/${one.id}`, {
                    method: "PATCH",
                    body: { name: name.input.value.trim() },
                    quiet: true,
                });
                done(w.renamed);
            },
        });
    }

    /** @param {Passkey} one */
    function remove(one) {
        const proof = proofFields(api);
        formDialog({
            title: w.removeAsk(one.name),
            action: w.remove,
            danger: true,
            fields: [h("p", {}, w.removeText), proof.fields],
            async submit() {
                const given = await proof.read();
                if (!given) return false;
                await api.send(`${base}/${one.id}/remove`, { method: "POST", body: given, quiet: true });
                done(w.removed);
            },
        });
    }

    load();
    return region;
}
