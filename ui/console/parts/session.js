// @ts-check
// Signing in as staff, keeping the sign-in alive, and asking again when it ended while somebody works.
import { h } from "./dom.js";
import { openDialog } from "./dialog.js";
import { signInForm } from "./sign-in-form.js";
import { signInWithPasskey } from "./passkey.js";
import { dropDrafts } from "./drafts.js";
import { say } from "./say.js";
import { words } from "../words.js";

/**
 * @typedef {{id: string, email: string, name: string, role: string, duties?: string[], collectionName?: string}} Person
 * @typedef {{token: string, person: Person}} Session
 */

const COLLECTION = "/api/collections/staff/";
const WARN = 120;

/**
 * Seconds until a token ends; 0 for one that cannot be read.
 * @param {string} token
 * @param {number} [now] milliseconds
 */
export function secondsLeft(token, now = Date.now()) {
    try {
        const payload = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
        return Math.max(0, Math.floor(JSON.parse(atob(payload)).exp - now / 1000)) || 0;
    } catch {
        return 0;
    }
}

/** @param {import("./api.js").Api} api */
export function signInCalls(api) {
    /** @param {string} path @param {any} body */
    const call = (path, body) => api.send(COLLECTION + path, { method: "POST", body, quiet: true });
    return {
        /** @param {string} email @param {string} password @param {string} [mfaId] */
        password: (email, password, mfaId) =>
            call("auth-with-password", { identity: email, password, ...(mfaId ? { mfaId } : {}) }),
        /** @param {string} email @returns {Promise<{otpId: string}>} */
        requestCode: (email) => call("request-otp", { email }),
        /** @param {string} otpId @param {string} code @param {string} mfaId */
        code: (otpId, code, mfaId) => call("auth-with-otp", { otpId, password: code, ...(mfaId ? { mfaId } : {}) }),
        /** A code of the authenticator app, or a recovery code. @param {string} mfaId @param {string} code */
        second: (mfaId, code) =>
            api.send("/api/portal/second-factor", { method: "POST", body: { mfaId, code }, quiet: true }),
        /** @param {string} mfaId @returns {Promise<import("./authenticator.js").Offer>} */
        setUp: (mfaId) => api.send("/api/portal/second-factor/setup", { method: "POST", body: { mfaId }, quiet: true }),
        /** Where passkeys work; empty where they cannot. @returns {Promise<string>} */
        passkeyOrigin: async () => (await api.get("/api/portal/firm")).passkeys,
        /** @param {string} mfaId */
        passkey: (mfaId) => signInWithPasskey(api, mfaId),
        refresh: () => api.send(COLLECTION + "auth-refresh", { method: "POST", quiet: true }),
    };
}

/**
 * @param {import("./stage.js").Host} host
 * @param {() => import("./api.js").Api} api
 */
export function keepSession(host, api) {
    /** @type {Promise<boolean> | null} */
    let asking = null;
    let warned = false;

    /** One dialog, however many calls met the lost sign-in at once. @returns {Promise<boolean>} */
    function signInAgain() {
        const session = host.session();
        if (!session) return Promise.resolve(false);
        asking ??= new Promise((done) => {
            let entered = false;
            const dialog = openDialog({
                title: words.signIn.ended,
                must: true,
                onclose() {
                    asking = null;
                    if (!entered) host.signOut();
                    done(entered);
                },
            });
            dialog.fill(
                h("p", { class: "gh-hint" }, words.signIn.endedText),
                signInForm({
                    calls: signInCalls(api()),
                    email: session.person.email,
                    fixed: true,
                    enter(answer) {
                        entered = true;
                        host.signIn(answer.token, answer.record);
                        dialog.close();
                    },
                }),
                h("button", { type: "button", class: "gh-link", onclick: () => dialog.close() }, words.signIn.leave),
            );
        });
        return asking;
    }

    async function refresh() {
        try {
            const answer = await signInCalls(api()).refresh();
            host.signIn(answer.token, answer.record);
            warned = false;
            say(words.signIn.stayed);
        } catch {
            await signInAgain();
        }
    }

    function watchClock() {
        const session = host.session();
        if (!session) return;
        const left = secondsLeft(session.token);
        if (left > WARN) warned = false;
        if (left > 0 && left <= WARN && !warned) {
            warned = true;
            say(words.signIn.ending, { label: words.signIn.stay, act: refresh });
        }
    }

    /** A fresh token and the person's present role; where it fails, the page's own calls say what is wrong. */
    async function renew() {
        if (!host.session()) return;
        try {
            const answer = await signInCalls(api()).refresh();
            host.signIn(answer.token, answer.record);
        } catch {
            // Nothing is lost: the sign-in that there is goes on for as long as it holds.
        }
    }

    setInterval(watchClock, 20_000);
    // After the makers of this have handed over what `api` answers with.
    queueMicrotask(renew);
    return { signInAgain };
}

/**
 * The server ends the session; the browser forgets it in any case.
 * @param {import("./stage.js").Host} host
 * @param {import("./api.js").Api} api
 */
export async function signOut(host, api) {
    dropDrafts();
    await api.send("/api/portal/sign-out", { method: "POST", quiet: true }).catch(() => undefined);
    host.signOut();
}
