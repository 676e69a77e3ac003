// @ts-check
// One person: what this person sees, and why, and the sign-ins. For a client also the way to see the portal with the same eyes.
import { h, paint } from "../parts/dom.js";
import { skeleton, empty, refused, left } from "../parts/faces.js";
import { facts } from "../parts/explain.js";
import { signIns } from "../parts/sign-ins.js";
import { viewAs } from "../parts/view-as.js";
import { address } from "../parts/routes.js";
import { words } from "../words-access.js";

const w = words.explain;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pagePerson(ctx) {
    const { api, host, me, ready, signal } = ctx;
    const id = ctx.route.params.id;
    const main = h("div", { class: "gh-main" });

    async function load() {
        paint(main, h("h1", { class: "gh-silent" }, w.reachLink), skeleton());
        try {
            const [answer] = await Promise.all([api.get("/api/portal/access/reach", { principal: id }, signal), ready]);
            host.title([w.reach(answer.principal.name)]);
            draw(answer);
        } catch (err) {
            if (!left(err)) paint(main, h("h1", { class: "gh-silent" }, w.reachLink), refused(err, load));
        }
    }

    /** @param {any} answer */
    function draw(answer) {
        const who = answer.principal;
        const sees = answer.organizations.length + answer.requests.length > 0;
        paint(
            main,
            h(
                "header",
                { class: "gh-head" },
                h("h1", { tabindex: "-1", "data-k": "title" }, w.reach(who.name)),
                h("p", { class: "gh-muted" }, h("bdi", {}, who.email), ` · ${/** @type {any} */ (w.kinds)[who.kind]}`),
                who.kind === "user" &&
                    me.role !== "viewer" &&
                    h(
                        "button",
                        {
                            type: "button",
                            class: "gh-btn gh-second gh-end",
                            "data-k": "view-as",
                            onclick: () => viewAs(ctx, who.id, who.name),
                        },
                        words.view.open(who.name),
                    ),
            ),
            !sees && empty(w.nothing),
            sees && counts(answer),
            list(w.organizations, answer.organizations, (one) => address("client/" + one.id)),
            list(w.requests, answer.requests, (one) => address("request/" + one.id)),
            answer.sign_ins && signIns(ctx, who),
        );
    }

    load();
    return h("div", { class: "page gh gh-page" }, main);
}

/** @param {any} answer */
function counts(answer) {
    return h(
        "p",
        {},
        Object.entries(answer.counts)
            .map(
                ([name, n]) =>
                    `${/** @type {any} */ (w.counts)[name] ?? name}: ${n >= answer.most ? answer.most + "+" : n}`,
            )
            .join(" · "),
    );
}

/** @param {string} title @param {any[]} rows @param {(one: any) => string} href */
function list(title, rows, href) {
    return (
        rows.length > 0 &&
        h(
            "section",
            { class: "gh-section" },
            h("h2", {}, title),
            h(
                "ul",
                { class: "gh-plain gh-who" },
                rows.map((one) =>
                    h(
                        "li",
                        {},
                        h("a", { href: href(one) }, h("bdi", {}, [one.number, one.title].filter(Boolean).join(" · "))),
                        facts(one.facts),
                    ),
                ),
            ),
        )
    );
}
