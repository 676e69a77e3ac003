// @ts-check
// From an address to a page: guards the sign-in, loads the page's module, hands it what it may use, and ends the
// page before. The dashboard and the plain shell differ only in the Host they bring.
import { h } from "./dom.js";
import { makeApi } from "./api.js";
import { makeLive } from "./live.js";
import { keepSession, secondsLeft, signOut } from "./session.js";
import { askProof } from "./prove.js";
import { match, address, safeReturn, START } from "./routes.js";
import { openRegions } from "./say.js";
import { setPlace } from "./format.js";
import { words } from "../words.js";

/**
 * @typedef {object} Host  all that the pages know about what they are shown in
 * @property {() => import("./session.js").Session | null} session
 * @property {(token: string, record: any) => void} signIn
 * @property {() => void} signOut         forgets the sign-in and shows the sign-in page
 * @property {(parts: string[]) => void} title
 * @property {(hash: string) => void} replace  goes to an address without a step in the history
 * @property {(firm: {name: string, accent: string, logo: string}) => void} brand
 * @property {string} [repair]            address of the dashboard's own sign-in
 *
 * @typedef {object} Ctx  what a page gets
 * @property {Host} host
 * @property {import("./api.js").Api} api
 * @property {ReturnType<typeof makeLive>} live
 * @property {import("./session.js").Person} me
 * @property {Promise<void>} ready        language, zone and firm are known
 * @property {{name: string, mail: string, contact_email: string}} firm
 * @property {import("./routes.js").Route} route
 * @property {AbortSignal} signal         aborted when the page is left
 * @property {() => Promise<void>} signOut
 *
 * @typedef {HTMLElement & {onroute?: (route: import("./routes.js").Route) => void}} PageElement
 */

/**
 * @param {Host} host
 * @param {(file: string) => Promise<any>} load  imports a module below ui/console
 */
export function makeStage(host, load) {
    /** @type {{name: string, element: PageElement, end: AbortController} | null} */
    let current = null;
    let turn = 0;
    /** @type {Promise<PageElement>} */
    let latest;
    /** @type {{id: string, done: Promise<void>} | null} */
    let known = null;
    const firm = { name: "", mail: "ready", contact_email: "", accent: "", logo: "" };

    /** @type {import("./api.js").Api} */
    const api = makeApi({
        token: () => host.session()?.token ?? "",
        signInAgain: () => session.signInAgain(),
        proveAgain: () => askProof(() => api),
    });
    const session = keepSession(host, () => api);
    const live = makeLive({ person: () => host.session()?.person.id ?? "", api });
    openRegions();

    /** Language and firm, once for each person; a page never fails because of them. */
    function ready() {
        const id = host.session()?.person.id ?? "";
        if (known?.id === id) return known.done;
        const me = id ? api.get("/api/portal/me").then((who) => setPlace(who.locale, who.timezone)) : null;
        const its = api.get("/api/portal/firm").then((answer) => host.brand(Object.assign(firm, answer)));
        known = { id, done: Promise.allSettled([me, its]).then(() => undefined) };
        return known.done;
    }

    /** @param {string} hash @param {number} mine @returns {Promise<PageElement>} */
    async function build(hash, mine) {
        const route = match(hash);
        if (!route) return redirect(address(START));
        const who = host.session();
        const alive = who && secondsLeft(who.token) > 0;
        if (!alive && !route.page.open) return redirect(address("sign-in", { back: hash }));
        if (alive && route.page.open) return redirect(safeReturn(route.query.get("back")));
        if (current?.name === route.page.name && current.element.isConnected && current.element.onroute) {
            current.element.onroute(route);
            return current.element;
        }
        const module = await load(route.page.file);
        if (mine !== turn) return latest;
        current?.end.abort();
        const end = new AbortController();
        const me = who?.person ?? { id: "", email: "", name: "", role: "viewer" };
        /** @type {Ctx} */
        const ctx = {
            host,
            api,
            live,
            me,
            firm,
            route,
            ready: ready(),
            signal: end.signal,
            signOut: () => signOut(host, api),
        };
        /** @type {PageElement} */
        const element = module[route.page.make](ctx);
        current = { name: route.page.name, element, end };
        requestAnimationFrame(() => focusHeading(element));
        return element;
    }

    /** @param {string} hash @returns {PageElement} */
    function redirect(hash) {
        queueMicrotask(() => host.replace(hash));
        return current?.element ?? h("div", { class: "page gh-page" });
    }

    return {
        /** The page of an address; a later call overtakes an earlier one that still loads. @param {string} hash */
        open(hash) {
            turn += 1;
            latest = build(hash, turn).catch((err) => {
                console.warn("The page could not be opened:", err);
                return h(
                    "div",
                    { class: "page gh gh-page" },
                    h("p", { class: "gh-empty", role: "alert" }, words.app.broken),
                );
            });
            return latest;
        },
        /** The page is no longer on the screen: its requests and listeners end. */
        leave() {
            current?.end.abort();
            current = null;
            live.close();
        },
        signOut: () => signOut(host, api),
        /** Language, zone, and the firm's name and colour, where no page of ours is open. */
        ready,
    };
}

/** Where a screen reader goes on after a change of page (WCAG 2.4.3). @param {HTMLElement} element */
function focusHeading(element) {
    if (element.contains(document.activeElement)) return;
    const heading = /** @type {HTMLElement | null} */ (
        element.querySelector("[data-focus]") ?? element.querySelector("h1")
    );
    if (!heading) return;
    if (!heading.hasAttribute("tabindex")) heading.setAttribute("tabindex", "-1");
    heading.focus({ preventScroll: true });
}
