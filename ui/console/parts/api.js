// @ts-check
// The one door to the server. A refusal comes out as a Problem; a lost sign-in asks again and goes on.
import { words } from "../words.js";

/**
 * @typedef {{code: string, message: string, item?: string, field?: string}} Blocker
 * @typedef {{method?: string, query?: Record<string, any>, body?: any, form?: FormData,
 *   headers?: Record<string, string>, signal?: AbortSignal, text?: boolean}} Call  text: the answer is no JSON
 * @typedef {ReturnType<typeof makeApi>} Api
 */

/** A refusal: `message` is for reading, `data` and `blockers` say what to act on. */
export class Problem extends Error {
    /**
     * @param {number} status 0 when the server was not reached
     * @param {{message?: string, data?: Record<string, any>, blockers?: Blocker[], mfaId?: string, methods?: string[]}} [body]
     */
    constructor(status, body = {}) {
        super(body.message || fallback(status));
        this.status = status;
        this.data = body.data ?? {};
        this.blockers = body.blockers ?? [];
        this.mfaId = body.mfaId ?? "";
        this.methods = body.methods ?? [];
    }

    get stale() {
        return this.status === 409;
    }

    /** Who was faster, as far as the server says it. */
    get changedBy() {
        const who = this.data.changed_by;
        return typeof who === "string" ? who : (who?.message ?? who?.name ?? "");
    }
}

/** @param {number} status */
function fallback(status) {
    if (status === 0) return words.app.offline;
    if (status === 404) return words.app.gone;
    return words.app.unknownError;
}

/**
 * @param {object} door
 * @param {() => string} door.token
 * @param {() => Promise<boolean>} door.signInAgain  asks over the page; false when the person leaves
 * @param {() => Promise<boolean>} [door.proveAgain]  asks for the password before what matters; false when the person leaves
 * @param {typeof fetch} [door.fetch]
 */
export function makeApi({ token, signInAgain, proveAgain, fetch = globalThis.fetch.bind(globalThis) }) {
    /** @type {{value: string, until: number} | null} */
    let fileToken = null;

    /** @param {string} path @param {Call} call */
    async function once(path, call) {
        const { method = "GET", query = {}, body, form, headers = {}, signal } = call;
        const url = path + search(query);
        /** @type {Record<string, string>} */
        const sent = { ...headers };
        if (token()) sent.Authorization = token();
        if (body !== undefined) sent["Content-Type"] = "application/json";
        let answer;
        try {
            answer = await fetch(url, { method, headers: sent, signal, body: form ?? json(body) });
        } catch (err) {
            if (signal?.aborted) throw err;
            throw new Problem(0);
        }
        const text = await answer.text();
        const data = parse(text);
        if (!answer.ok) throw new Problem(answer.status, data ?? {});
        if (call.text) return text;
        // An address without a route answers with a page: that is no answer to a program.
        if (text && data === null && text.trim() !== "null") throw new Problem(502);
        return data;
    }

    /**
     * @param {string} path
     * @param {Call & {quiet?: boolean}} [call] quiet: a 401 is an answer, not a lost sign-in
     * @returns {Promise<any>}
     */
    async function send(path, call = {}) {
        try {
            return await once(path, call);
        } catch (err) {
            if (!(err instanceof Problem) || call.quiet) throw err;
            if (err.data.prove?.code === "prove_again" && proveAgain && (await proveAgain())) return once(path, call);
            if (err.status !== 401) throw err;
            if (!(await signInAgain())) throw err;
            return once(path, call);
        }
    }

    return {
        send,
        /** @param {string} path @param {Record<string, any>} [query] @param {AbortSignal} [signal] */
        get: (path, query, signal) => send(path, { query, signal }),
        /** @param {string} path @param {any} [body] @param {Record<string, string>} [headers] */
        post: (path, body = {}, headers) => send(path, { method: "POST", body, headers }),
        /** @param {string} path @param {any} body */
        patch: (path, body) => send(path, { method: "PATCH", body }),
        /** @param {string} path */
        remove: (path) => send(path, { method: "DELETE" }),
        /** @param {string} path @param {FormData} form */
        upload: (path, form) => send(path, { method: "POST", form }),

        /** A protected file's address that works for the next minutes. @param {string} url */
        async file(url) {
            if (!fileToken || fileToken.until < Date.now()) {
                const { token: value } = await send("/api/files/token", { method: "POST" });
                fileToken = { value, until: Date.now() + 90_000 };
            }
            return `${url}${url.includes("?") ? "&" : "?"}token=${encodeURIComponent(fileToken.value)}`;
        },
    };
}

/** @param {any} body */
function json(body) {
    return body === undefined ? undefined : JSON.stringify(body);
}

/** @param {string} text */
function parse(text) {
    try {
        return text ? JSON.parse(text) : null;
    } catch {
        return null;
    }
}

/** @param {Record<string, any>} query */
function search(query) {
    const params = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) {
        if (value !== undefined && value !== null && value !== "") params.set(key, String(value));
    }
    const text = params.toString();
    return text ? "?" + text : "";
}
