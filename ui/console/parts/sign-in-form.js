// @ts-check
// The sign-in form: password, a code by email or a passkey, and a second step where the firm asks for it.
// The page and the dialog of an ended sign-in show the very same form.
import { h, paint } from "./dom.js";
import { field, mark } from "./field.js";
import { Problem } from "./api.js";
import { appCode, appSetup, codesShown } from "./authenticator.js";
import { passkeysWork } from "./passkey.js";
import { words } from "../words.js";
import { words as access } from "../words-access.js";

const w = words.signIn;
const WAIT = 45;

/**
 * @param {object} what
 * @param {ReturnType<typeof import("./session.js").signInCalls>} what.calls
 * @param {string} [what.email]
 * @param {boolean} [what.fixed]  the email may not be changed
 * @param {(answer: {token: string, record: any}) => void} what.enter
 */
export function signInForm({ calls, email = "", fixed = false, enter }) {
    const state = { way: "password", email, otpId: "", mfaId: "", sentAt: 0, second: false, passkey: true };
    const box = h("div", { class: "gh-signin-form" });
    const passkey = h("button", {
        type: "button",
        class: "gh-btn gh-second",
        "data-k": "passkey",
        onclick: usePasskey,
    });
    const beside = h("p", { hidden: true }, passkey);
    let able = false;
    const error = h("p", { class: "gh-error", role: "alert", hidden: true });
    let timer = 0;

    /** @param {string} text */
    function fail(text) {
        error.textContent = text;
        error.hidden = false;
    }

    /**
     * @param {HTMLElement} button @param {string} busy @param {() => Promise<void>} work
     */
    async function during(button, busy, work) {
        if (button.getAttribute("aria-busy")) return;
        const label = button.textContent;
        button.setAttribute("aria-busy", "true");
        button.textContent = busy;
        error.hidden = true;
        try {
            await work();
        } catch (err) {
            onFailure(err);
        } finally {
            button.removeAttribute("aria-busy");
            button.textContent = label;
        }
    }

    /** @param {unknown} err @returns {any} */
    function onFailure(err) {
        if (!(err instanceof Problem)) return fail(words.app.unknownError);
        if (err.status === 401 && err.mfaId) return secondStep(err.mfaId, err.methods).catch(onFailure);
        if (err.status === 429) return fail(err.message || w.tooMany);
        if (err.status === 401 && state.second) return (begin(), fail(w.tooLate));
        if (err.data.passkey) return fail(err.message);
        if (err.status === 400 || err.status === 401 || err.status === 404) {
            return fail(state.otpId || state.second ? w.wrongCode : w.wrongPassword);
        }
        return fail(err.status === 403 ? w.notStaff : err.message);
    }

    /** @param {string} mfaId @param {string[]} methods what the server takes as the second step */
    async function secondStep(mfaId, methods) {
        Object.assign(state, { mfaId, second: true, passkey: methods.includes("passkey") });
        showPasskey();
        if (methods.join() === "passkey") return paint(box, onlyPasskey(), error);
        if (methods.includes("totp")) return paint(box, appCode({ send: finish, again: begin }), error);
        if (methods.includes("otp")) {
            await sendCode();
            return fail(w.secondStep);
        }
        if (methods.includes("setup")) {
            const offer = await calls.setUp(mfaId);
            return paint(
                box,
                h("p", {}, w.mustSetUp),
                methods.includes("password") &&
                    h("button", { type: "button", class: "gh-link", onclick: askPassword }, w.usePassword),
                appSetup({ offer, send: finish, again: begin }),
                error,
            );
        }
        askPassword();
    }

    function showPasskey() {
        beside.hidden = !able || !state.passkey;
        passkey.textContent = state.second ? access.passkeys.use : access.passkeys.signIn;
    }

    const onlyPasskey = () =>
        h(
            "div",
            { class: "gh-form" },
            h("p", {}, able ? access.passkeys.second : access.passkeys.noBrowser),
            h("button", { type: "button", class: "gh-link", onclick: begin }, w.otherEmail),
        );

    function usePasskey() {
        return during(passkey, w.busy, async () => {
            const answer = await calls.passkey(state.mfaId);
            if (fixed && answer.record.email !== state.email) return fail(access.passkeys.other(state.email));
            enter(answer);
        });
    }

    /** A code by email came first: the password is the second step. */
    function askPassword() {
        Object.assign(state, { way: "password", otpId: "" });
        draw();
        fail(w.secondPassword);
    }

    function begin() {
        Object.assign(state, { way: "password", otpId: "", mfaId: "", second: false, passkey: true });
        error.hidden = true;
        showPasskey();
        draw();
    }

    /** @param {HTMLElement} button @param {string} code */
    const finish = (button, code) =>
        during(button, w.busy, async () => {
            const answer = await calls.second(state.mfaId, code);
            const codes = answer.meta?.recovery_codes;
            if (!codes) return enter(answer);
            paint(box, codesShown({ codes, done: () => enter(answer) }));
        });

    async function sendCode() {
        const { otpId } = await calls.requestCode(state.email);
        Object.assign(state, { otpId, way: "code", sentAt: Date.now() });
        draw();
    }

    const draw = () => paint(box, state.way === "code" && state.otpId ? codeStep() : emailStep(), error);

    function emailStep() {
        const byCode = state.way === "code";
        const mail = h("input", {
            type: "email",
            name: "email",
            autocomplete: "username",
            value: state.email,
            readonly: fixed,
            "data-k": "email",
            autofocus: !fixed && !state.email,
            oninput: () => (state.email = mail.value.trim()),
        });
        const password = h("input", {
            type: "password",
            name: "password",
            autocomplete: "current-password",
            "data-k": "password",
            autofocus: fixed || state.email !== "",
        });
        const button = h("button", { type: "submit", class: "gh-btn gh-first" }, byCode ? w.sendCode : w.enter);
        return h(
            "form",
            {
                class: "gh-form",
                novalidate: true,
                onsubmit: (/** @type {SubmitEvent} */ event) => {
                    event.preventDefault();
                    if (!state.email) return (mark(mail, w.emailNeeded), mail.focus());
                    if (byCode) return during(button, w.sending, sendCode);
                    if (!password.value) return (mark(password, w.passwordNeeded), password.focus());
                    during(button, w.busy, async () =>
                        enter(await calls.password(state.email, password.value, state.mfaId)),
                    );
                },
            },
            field({ label: w.email, input: mail }),
            !byCode && field({ label: w.password, input: withEye(password) }),
            button,
            h(
                "button",
                {
                    type: "button",
                    class: "gh-link",
                    "data-k": "way",
                    onclick: () => {
                        state.way = byCode ? "password" : "code";
                        error.hidden = true;
                        draw();
                    },
                },
                byCode ? w.usePassword : w.useCode,
            ),
        );
    }

    function codeStep() {
        const code = h("input", {
            type: "text",
            name: "code",
            inputmode: "numeric",
            autocomplete: "one-time-code",
            class: "gh-code",
            "data-k": "code",
            autofocus: true,
        });
        const button = h("button", { type: "submit", class: "gh-btn gh-first" }, w.enter);
        return h(
            "form",
            {
                class: "gh-form",
                novalidate: true,
                onsubmit: (/** @type {SubmitEvent} */ event) => {
                    event.preventDefault();
                    const digits = code.value.replace(/\D/g, "");
                    if (digits.length !== 6) return (mark(code, w.codeDigits), code.focus());
                    during(button, w.busy, async () => enter(await calls.code(state.otpId, digits, state.mfaId)));
                },
            },
            h("p", {}, w.codeSent(state.email)),
            field({ label: w.code, hint: w.codeValid, input: code }),
            button,
            againButton(),
            !fixed &&
                h(
                    "button",
                    {
                        type: "button",
                        class: "gh-link",
                        onclick: () => {
                            begin();
                        },
                    },
                    w.otherEmail,
                ),
        );
    }

    function againButton() {
        const again = h("button", {
            type: "button",
            class: "gh-link",
            onclick: () => left() === 0 && during(again, w.sending, sendCode),
        });
        const left = () => Math.max(0, WAIT - Math.floor((Date.now() - state.sentAt) / 1000));
        const tick = () => {
            again.textContent = left() ? w.againIn(left()) : w.again;
            if (left() === 0) clearInterval(timer);
        };
        clearInterval(timer);
        timer = Number(setInterval(tick, 1000));
        tick();
        return again;
    }

    draw();
    // Without an answer there is no button; the other ways are there.
    calls.passkeyOrigin().then(
        (origin) => {
            able = passkeysWork(origin);
            showPasskey();
        },
        () => undefined,
    );
    return h("div", { class: "gh-signin-ways" }, box, beside);
}

/** A password field with a show/hide button. @param {HTMLInputElement} input */
function withEye(input) {
    const eye = h("button", { type: "button", class: "gh-eye", "aria-pressed": "false" }, w.show);
    eye.addEventListener("click", () => {
        const hidden = input.type === "password";
        input.type = hidden ? "text" : "password";
        eye.textContent = hidden ? w.hide : w.show;
        eye.setAttribute("aria-pressed", String(hidden));
    });
    // The label belongs to the input; the wrapper only puts the button beside it.
    queueMicrotask(() => input.after(eye));
    return input;
}
