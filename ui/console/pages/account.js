// @ts-check
// The own account: the devices that are signed in, passkeys, the authenticator app, and the password.
import { h, paint } from "../parts/dom.js";
import { field, mark } from "../parts/field.js";
import { skeleton, refused, left } from "../parts/faces.js";
import { Problem } from "../parts/api.js";
import { appSetup, codesShown } from "../parts/authenticator.js";
import { devices } from "../parts/devices.js";
import { openDialog } from "../parts/dialog.js";
import { passkeyList } from "../parts/passkey-list.js";
import { moment } from "../parts/format.js";
import { say } from "../parts/say.js";
import { words } from "../words.js";

const w = words.account;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageAccount(ctx) {
    const { api, host, me, ready, signal } = ctx;
    host.title([w.title]);
    const region = h("section", { class: "gh-account-part", "aria-labelledby": "gh-devices" });
    const factor = h("section", { class: "gh-account-part", "aria-labelledby": "gh-factor" });
    const password = h("section", { class: "gh-account-part", "aria-labelledby": "gh-password" }, passwordPart());

    /** @param {HTMLElement} region @param {string} id @param {string} title @param {() => Promise<any>} draw */
    async function part(region, id, title, draw) {
        const heading = h("h2", { id }, title);
        if (!region.firstChild) paint(region, heading, skeleton());
        try {
            paint(region, heading, await draw());
        } catch (err) {
            if (!left(err))
                paint(
                    region,
                    heading,
                    refused(err, () => part(region, id, title, draw)),
                );
        }
    }

    /** @param {() => Promise<any>} work @param {() => any} after */
    async function act(work, after) {
        try {
            await work();
            await after();
        } catch (err) {
            if (!left(err)) say(err instanceof Problem ? err.message : words.app.unknownError);
        }
    }

    const drawDevices = () =>
        part(region, "gh-devices", w.devices, async () => {
            const [{ items }] = await Promise.all([api.get("/api/portal/sessions", {}, signal), ready]);
            return [
                devices(items, (one) =>
                    h(
                        "button",
                        {
                            type: "button",
                            class: "gh-link",
                            "aria-label": `${w.end}: ${one.device}`,
                            "data-k": "end-" + one.id,
                            onclick: () =>
                                act(
                                    () => api.send("/api/portal/sessions/" + one.id, { method: "DELETE" }),
                                    drawDevices,
                                ),
                        },
                        w.end,
                    ),
                ),
                items.length > 1 &&
                    h(
                        "button",
                        {
                            type: "button",
                            class: "gh-btn gh-second",
                            "data-k": "end-others",
                            onclick: () =>
                                act(
                                    () => api.send("/api/portal/sessions", { method: "DELETE" }),
                                    () => (say(w.othersEnded), drawDevices()),
                                ),
                        },
                        w.endOthers,
                    ),
            ];
        });

    const drawFactor = () =>
        part(factor, "gh-factor", w.factor, async () => {
            const it = await api.get("/api/portal/second-factor", {}, signal);
            await ready;
            if (!it.app)
                return [
                    h("p", {}, it.required ? w.byEmail : w.none),
                    h(
                        "button",
                        { type: "button", class: "gh-btn gh-second", "data-k": "setup", onclick: () => setUp() },
                        w.setUp,
                    ),
                ];
            return [
                h("p", {}, w.on(moment(it.since), it.recovery_left)),
                h(
                    "div",
                    { class: "gh-row gh-account-row" },
                    h(
                        "button",
                        { type: "button", class: "gh-btn gh-second", "data-k": "recovery", onclick: () => renew() },
                        w.newCodes,
                    ),
                    h(
                        "button",
                        { type: "button", class: "gh-btn gh-second", "data-k": "remove", onclick: () => remove() },
                        w.turnOff,
                    ),
                ),
            ];
        });

    /**
     * A dialog that asks for a proof and sends it on.
     * @param {string} title @param {"password" | "code"} kind @param {(proof: any) => Promise<any>} send
     * @param {(answer: any, dialog: ReturnType<typeof openDialog>) => void} then
     */
    function ask(title, kind, send, then) {
        const dialog = openDialog({ title, onclose: drawFactor });
        const input = h("input", {
            type: kind === "password" ? "password" : "text",
            autocomplete: kind === "password" ? "current-password" : "one-time-code",
            autofocus: true,
        });
        const form = h(
            "form",
            {
                class: "gh-form",
                novalidate: true,
                onsubmit: async (/** @type {SubmitEvent} */ event) => {
                    event.preventDefault();
                    try {
                        then(await send({ [kind]: input.value }), dialog);
                    } catch (err) {
                        mark(input, err instanceof Problem ? err.message : words.app.unknownError);
                        input.focus();
                    }
                },
            },
            field({ label: kind === "password" ? w.proof : w.proofCode, input }),
            h("button", { type: "submit", class: "gh-btn gh-first" }, w.goOn),
        );
        dialog.fill(form);
    }

    const post = (/** @type {string} */ path, /** @type {any} */ body) =>
        api.send("/api/portal/second-factor/" + path, { method: "POST", body, quiet: true });

    /** @param {ReturnType<typeof openDialog>} dialog @param {string[]} codes */
    const show = (dialog, codes) => dialog.fill(codesShown({ codes, done: () => dialog.close() }));

    function setUp() {
        ask(
            w.setUp,
            "password",
            (proof) => post("start", proof),
            (offer, dialog) => {
                const error = h("p", { class: "gh-error", role: "alert", hidden: true });
                dialog.fill(
                    appSetup({
                        offer,
                        send: async (_button, code) => {
                            try {
                                show(dialog, (await post("confirm", { code })).recovery_codes);
                                drawDevices();
                            } catch (err) {
                                error.textContent = err instanceof Problem ? err.message : words.app.unknownError;
                                error.hidden = false;
                            }
                        },
                    }),
                    error,
                );
            },
        );
    }

    const renew = () =>
        ask(
            w.newCodes,
            "password",
            (proof) => post("recovery", proof),
            (answer, dialog) => show(dialog, answer.recovery_codes),
        );

    const remove = () =>
        ask(
            w.turnOff,
            "code",
            (proof) => post("remove", proof),
            (_, dialog) => (dialog.close(), say(w.off), drawDevices()),
        );

    function passwordPart() {
        const old = h("input", { type: "password", autocomplete: "current-password" });
        const fresh = h("input", { type: "password", autocomplete: "new-password" });
        return [
            h("h2", { id: "gh-password" }, w.password),
            h(
                "form",
                {
                    class: "gh-form",
                    novalidate: true,
                    onsubmit: async (/** @type {SubmitEvent} */ event) => {
                        event.preventDefault();
                        try {
                            const answer = await api.send("/api/portal/password", {
                                method: "POST",
                                quiet: true,
                                body: { old: old.value, password: fresh.value },
                            });
                            host.signIn(answer.token, answer.record);
                            old.value = fresh.value = "";
                            say(w.changed);
                            drawDevices();
                        } catch (err) {
                            const data = err instanceof Problem ? err.data : {};
                            if (data.old) return (mark(old, data.old.message), old.focus());
                            mark(
                                fresh,
                                data.password?.message ??
                                    (err instanceof Problem ? err.message : words.app.unknownError),
                            );
                            fresh.focus();
                        }
                    },
                },
                h("input", { type: "text", autocomplete: "username", value: me.email, hidden: true }),
                field({ label: w.old, input: old }),
                field({ label: w.fresh, hint: w.freshHint, input: fresh }),
                h("button", { type: "submit", class: "gh-btn gh-second" }, w.change),
            ),
        ];
    }

    const firm = h("section", { class: "gh-account-part", "aria-labelledby": "gh-firm" });
    const drawFirm = () =>
        part(firm, "gh-firm", w.firm, async () => {
            const it = await api.get("/api/portal/security", {}, signal);
            const turn = () =>
                ask(
                    it.client_second_factor ? w.clientsOff : w.clientsOn,
                    "password",
                    (proof) =>
                        api.send("/api/portal/security", {
                            method: "PATCH",
                            quiet: true,
                            body: { ...proof, client_second_factor: !it.client_second_factor },
                        }),
                    (_, dialog) => (dialog.close(), drawFirm()),
                );
            return [
                h("p", {}, it.staff_second_factor ? w.staffNeed : w.staffNeedNot),
                h("p", {}, it.client_second_factor ? w.clientsNeed : w.clientsNeedNot),
                h(
                    "button",
                    { type: "button", class: "gh-btn gh-second", "data-k": "firm", onclick: turn },
                    it.client_second_factor ? w.clientsOff : w.clientsOn,
                ),
            ];
        });

    drawDevices();
    drawFactor();
    if (me.role === "owner") drawFirm();
    return h(
        "div",
        { class: "page gh gh-page" },
        h(
            "div",
            { class: "gh-main gh-narrow" },
            h("h1", {}, w.title),
            h("p", { class: "gh-hint" }, `${me.name} · ${me.email}`),
            region,
            passkeyList(ctx),
            factor,
            password,
            me.role === "owner" && firm,
        ),
    );
}
