// @ts-check
// Where staff sign in. The people who repair the server find the dashboard's own sign-in through a small link.
import { h } from "../parts/dom.js";
import { signInForm } from "../parts/sign-in-form.js";
import { signInCalls } from "../parts/session.js";
import { safeReturn } from "../parts/routes.js";
import { words } from "../words.js";

const w = words.signIn;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageSignIn({ host, api, firm, ready, route }) {
    host.title([w.title]);
    const name = h("p", { class: "gh-signin-firm" });
    const page = h(
        "div",
        { class: "page gh gh-page gh-signin" },
        h(
            "div",
            { class: "gh-signin-card" },
            name,
            h("h1", {}, w.title),
            h("p", { class: "gh-hint" }, w.for),
            signInForm({
                calls: signInCalls(api),
                enter(answer) {
                    host.signIn(answer.token, answer.record);
                    host.replace(safeReturn(route.query.get("back")));
                },
            }),
            host.repair &&
                h(
                    "p",
                    { class: "gh-signin-foot gh-muted" },
                    w.repairHint,
                    " ",
                    h("a", { href: host.repair }, w.repair),
                ),
        ),
    );
    ready.then(() => (name.textContent = firm.name));
    return page;
}
