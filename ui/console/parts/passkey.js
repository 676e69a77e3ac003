// @ts-check
// Passkeys: keys that this device keeps for the portal's address. What the browser does with them.
import { Problem } from "./api.js";
import { words } from "../words-access.js";

const w = words.passkeys;
const base = "/api/portal/passkeys";
/** @type {any} */
const Key = globalThis.PublicKeyCredential;

/** Whether this page can use passkeys that work at an origin: it is opened there, in a browser that has them. @param {string} origin */
export const passkeysWork = (origin) =>
    globalThis.isSecureContext && origin === location.origin && typeof Key?.parseRequestOptionsFromJSON === "function";

/**
 * The browser's answer, ready to be sent. A question that was closed comes out as a Problem to be read.
 * @param {Promise<any>} work
 */
async function asked(work) {
    try {
        return (await work).toJSON();
    } catch (err) {
        if (!(err instanceof DOMException)) throw err;
        const message = err.name === "InvalidStateError" ? w.there : w.cancelled;
        throw new Problem(400, { message, data: { passkey: { message } } });
    }
}

/** @param {any} options */
const sign = (options) => asked(navigator.credentials.get({ publicKey: Key.parseRequestOptionsFromJSON(options) }));

/** @typedef {import("./api.js").Api} Api */

/** Signs in, or takes the second step that `mfaId` names. @param {Api} api @param {string} mfaId */
export async function signInWithPasskey(api, mfaId) {
    const post = (/** @type {string} */ path, /** @type {any} */ body) =>
        api.send(base + path, { method: "POST", body, quiet: true });
    const options = await post("/sign-in/start", mfaId ? { mfaId } : { collection: "staff" });
    return post("/sign-in", { credential: await sign(options) });
}

/** A proof that the person who is signed in is still there. @param {Api} api */
export const provePasskey = async (api) => ({ passkey: await sign(await api.post(base + "/prove")) });

/** @param {Api} api @param {any} proof @param {string} name */
export async function addPasskey(api, proof, name) {
    const options = await api.send(base + "/start", { method: "POST", body: proof, quiet: true });
    const credential = await asked(
        navigator.credentials.create({ publicKey: Key.parseCreationOptionsFromJSON(options) }),
    );
    return api.send(base, { method: "POST", body: { credential, name }, quiet: true });
}

/** Whether somebody has a passkey that works on this page. @param {Api} api */
export async function hasPasskey(api) {
    const { items, origin } = await api.get(base);
    return passkeysWork(origin) && items.some((/** @type {{works: boolean}} */ one) => one.works);
}
