// @ts-check
// The adapter to the dashboard: with main.js the only place that touches its globals (`app`), which are
// experimental. Everything else in the console talks to the Host made here.
import { makeStage } from "./parts/stage.js";
import { readable } from "./parts/colour.js";
import { h } from "./parts/dom.js";
import { words } from "./words.js";

/** @type {any} */
const app = /** @type {any} */ (globalThis).app;
const auth = app.pb.authStore;

/** @type {import("./parts/stage.js").Host} */
const host = {
    session() {
        return auth.record?.collectionName === "staff" ? { token: auth.token, person: auth.record } : null;
    },
    signIn(token, record) {
        // The key that main.js reads at the next start.
        auth.storageKey = "gatehouse.staff";
        auth.save(token, record);
    },
    // main.js listens to the store and shows the sign-in page.
    signOut: () => auth.clear(),
    title(parts) {
        app.store.title = parts;
    },
    replace: (hash) => location.replace(hash),
    brand(firm) {
        // The place where the dashboard looks for its name and colour; staff may not read the real settings.
        if (!host.session()) return;
        if (firm.logo) app.store.headerLogo = firm.logo;
        app.store.settings = { meta: { appName: firm.name, accentColor: readable(firm.accent) } };
    },
    repair: "#/login",
};

const stage = makeStage(host, (file) => import(`./${file}`));

/** @param {string} hash */
export async function open(hash) {
    const page = await stage.open(hash);
    // The dashboard has no "page left" call; the element's own unmount property is what it offers.
    /** @type {any} */ (page).onunmount = () =>
        setTimeout(() => !location.hash.startsWith("#/gatehouse/") && stage.leave());
    return page;
}

/** The firm's name and colour over the dashboard's own pages. */
export const dress = () => stage.ready();

/** What the dashboard's header lacks: names for buttons that lose their text, and a way past them. */
function dressHeader() {
    const header = document.querySelector(".app-header");
    if (!header) return;
    header.querySelector(".logo")?.setAttribute("aria-label", words.app.start);
    header.querySelector(".app-main-nav")?.setAttribute("aria-label", words.nav.label);
    header.querySelector(".color-scheme-picker")?.setAttribute("aria-label", words.app.theme);
    header
        .querySelector(".logged-user")
        ?.setAttribute("aria-label", `${words.app.account}: ${auth.record?.email ?? ""}`);
}

document.addEventListener("mount:appHeader", () => setTimeout(dressHeader));
setTimeout(dressHeader);

const skip = h("button", { type: "button", class: "gh-skip" }, words.app.skip);
skip.addEventListener("click", () => {
    const heading = /** @type {HTMLElement | null} */ (document.querySelector(".page h1"));
    heading?.setAttribute("tabindex", "-1");
    heading?.focus();
});
document.body.prepend(skip);
