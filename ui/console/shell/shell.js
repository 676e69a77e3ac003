// @ts-check
// The console without the dashboard: the same pages in a plain frame, so that a change of the dashboard's
// experimental interface never stops the firm. It makes the same Host as dashboard.js, with the browser alone.
import { makeStage } from "../parts/stage.js";
import { address, START, match } from "../parts/routes.js";
import { readable } from "../parts/colour.js";
import { h, paint } from "../parts/dom.js";
import { words } from "../words.js";
import { words as access } from "../words-access.js";

const STORE = "gatehouse.plain";
const THEME = "gatehouse.theme";

let firmName = "";
/** @type {string[]} */
let titleParts = [];

/** @type {import("../parts/stage.js").Host} */
const host = {
    session() {
        try {
            return JSON.parse(localStorage.getItem(STORE) ?? "null");
        } catch {
            return null;
        }
    },
    signIn(token, person) {
        localStorage.setItem(STORE, JSON.stringify({ token, person }));
        drawHeader();
    },
    signOut() {
        localStorage.removeItem(STORE);
        location.replace(address("sign-in"));
    },
    title(parts) {
        titleParts = parts;
        drawTitle();
    },
    replace: (hash) => location.replace(hash),
    brand(firm) {
        firmName = firm.name;
        document.documentElement.style.setProperty("--gh-brand", readable(firm.accent));
        drawTitle();
        drawHeader();
    },
};

const stage = makeStage(host, (file) => import(`../${file}`));
const header = h("header", { class: "gh gh-shell-head" });
const main = h("main", { class: "gh-shell-main" });
const skip = h("button", { type: "button", class: "gh-skip", onclick: toHeading }, words.app.skip);

function toHeading() {
    const heading = /** @type {HTMLElement | null} */ (main.querySelector("h1"));
    heading?.setAttribute("tabindex", "-1");
    heading?.focus();
}

function drawTitle() {
    document.title = [...titleParts, firmName].filter(Boolean).join(" - ");
}

function drawHeader() {
    const person = host.session()?.person;
    const here = match(location.hash)?.page.name ?? "";
    header.hidden = !person || here === "sign-in";
    if (!person || header.hidden) return header.replaceChildren();
    /** @param {string} path @param {string} text @param {string[]} names */
    const link = (path, text, names) =>
        h(
            "a",
            { href: address(path), "aria-current": names.includes(here) ? "page" : null, "data-k": "nav-" + path },
            text,
        );
    paint(
        header,
        h("strong", { class: "gh-shell-firm" }, firmName),
        h(
            "nav",
            { "aria-label": words.nav.label },
            link(START, words.nav.queue, ["queue", "new", "request"]),
            link("clients", words.nav.clients, ["clients", "client"]),
            link("workflows", words.nav.workflows, ["workflows", "import", "workflow", "migrate", "runs", "run"]),
            link("firm", access.staff.title, ["team", "person"]),
            link("mail", words.nav.mail, ["mail"]),
            link("account", words.nav.account, ["account"]),
        ),
        h(
            "button",
            { type: "button", class: "gh-shell-button", "data-k": "theme", onclick: turnTheme },
            words.app.theme,
        ),
        h(
            "button",
            { type: "button", class: "gh-shell-button", "data-k": "out", onclick: stage.signOut },
            words.app.signOut,
        ),
    );
}

const dark = matchMedia("(prefers-color-scheme: dark)");

function drawTheme() {
    const theme = localStorage.getItem(THEME) ?? (dark.matches ? "dark" : "light");
    document.documentElement.setAttribute("data-color-scheme", theme);
}

function turnTheme() {
    const now = document.documentElement.getAttribute("data-color-scheme");
    localStorage.setItem(THEME, now === "dark" ? "light" : "dark");
    drawTheme();
}

async function go() {
    if (!match(location.hash)) return location.replace(address(START));
    const page = await stage.open(location.hash);
    if (page !== main.firstElementChild) main.replaceChildren(page);
    drawHeader();
}

dark.addEventListener("change", drawTheme);
addEventListener("hashchange", go);
drawTheme();
document.body.prepend(skip, header, main);
go();
