// @ts-check
// The addresses of the console: one table for the dashboard and for the plain shell.

/**
 * @typedef {object} Page
 * @property {string} name
 * @property {string} path   the part after "#/gatehouse/"; "{id}" is a parameter
 * @property {string} file   module below ui/console
 * @property {string} make   exported function that builds the page
 * @property {boolean} [open] may be seen without a sign-in
 *
 * @typedef {object} Route
 * @property {Page} page
 * @property {Record<string, string>} params
 * @property {URLSearchParams} query
 */

export const ROOT = "#/gatehouse/";
export const START = "queue";

/** @type {Page[]} */
export const pages = [
    { name: "sign-in", path: "sign-in", file: "pages/sign-in.js", make: "pageSignIn", open: true },
    { name: "queue", path: "queue", file: "pages/queue.js", make: "pageQueue" },
    { name: "new", path: "new", file: "pages/new-request.js", make: "pageNewRequest" },
    { name: "request", path: "request/{id}", file: "pages/request.js", make: "pageRequest" },
    { name: "clients", path: "clients", file: "pages/clients.js", make: "pageClients" },
    { name: "client", path: "client/{id}", file: "pages/client.js", make: "pageClient" },
    { name: "workflows", path: "workflows", file: "pages/workflows.js", make: "pageWorkflows" },
    { name: "import", path: "workflows/import", file: "pages/workflow-import.js", make: "pageWorkflowImport" },
    { name: "workflow", path: "workflow/{id}", file: "pages/workflow.js", make: "pageWorkflow" },
    { name: "migrate", path: "workflow/{id}/move", file: "pages/workflow-move.js", make: "pageWorkflowMove" },
    { name: "runs", path: "runs", file: "pages/runs.js", make: "pageRuns" },
    { name: "run", path: "run/{id}", file: "pages/run.js", make: "pageRun" },
    { name: "person", path: "person/{id}", file: "pages/person.js", make: "pagePerson" },
    { name: "team", path: "firm", file: "pages/team.js", make: "pageTeam" },
    { name: "backups", path: "firm/backups", file: "pages/backups.js", make: "pageBackups" },
    { name: "programs", path: "programs", file: "pages/programs.js", make: "pagePrograms" },
    { name: "account", path: "account", file: "pages/account.js", make: "pageAccount" },
    { name: "mail", path: "mail", file: "pages/mail.js", make: "pageMail" },
];

/**
 * Which page an address names, or null when it names none.
 * @param {string} hash such as "#/gatehouse/request/abc?item=x"
 * @returns {Route | null}
 */
export function match(hash) {
    if (!hash.startsWith(ROOT)) return null;
    const [path, query = ""] = hash.slice(ROOT.length).split("?", 2);
    const given = path.replace(/\/+$/, "").split("/");
    for (const page of pages) {
        const params = fit(page.path.split("/"), given);
        if (params) return { page, params, query: new URLSearchParams(query) };
    }
    return null;
}

/**
 * @param {string[]} wanted
 * @param {string[]} given
 * @returns {Record<string, string> | null}
 */
function fit(wanted, given) {
    if (wanted.length !== given.length) return null;
    /** @type {Record<string, string>} */
    const params = {};
    for (const [i, part] of wanted.entries()) {
        if (!part.startsWith("{")) {
            if (part !== given[i]) return null;
        } else {
            const value = decode(given[i]);
            if (!value) return null;
            params[part.slice(1, -1)] = value;
        }
    }
    return params;
}

/** @param {string} text */
function decode(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return "";
    }
}

/**
 * The address of a page. Empty values stay out of it, so that addresses are short and comparable.
 * @param {string} path such as "queue" or "request/abc"
 * @param {Record<string, string | undefined | null>} [query]
 */
export function address(path, query = {}) {
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) if (value) search.set(key, value);
    const tail = search.toString();
    return ROOT + path + (tail ? "?" + tail : "");
}

/**
 * Where to go after signing in: only ever a page of the console, never an address from elsewhere.
 * @param {string | null} back
 */
export function safeReturn(back) {
    const route = back ? match(back) : null;
    return route && !route.page.open ? /** @type {string} */ (back) : address(START);
}

let lastQueue = address(START);

/** The queue as it was last looked at, with its view and filter, so that "back" leads there. */
export const queueAddress = () => lastQueue;

/** @param {string} hash */
export function rememberQueue(hash) {
    lastQueue = hash;
}
