// @ts-check
// One client: its people, who is invited, and what is open.
import { h, paint } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { skeleton, empty, refused, left, readOnlyBar } from "../parts/faces.js";
import { invitationList } from "../parts/invitations.js";
import { invite } from "../parts/invite.js";
import { changeStatus, loanList, mateButtons } from "../parts/team.js";
import { queueRows } from "../parts/queue-rows.js";
import { date, exact } from "../parts/format.js";
import { address } from "../parts/routes.js";
import { manages } from "./clients.js";
import { openWho } from "../parts/explain.js";
import { words } from "../words.js";
import { words as access } from "../words-access.js";

const w = words.client;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageClient(ctx) {
    const { api, host, me, ready, signal } = ctx;
    const id = ctx.route.params.id;
    const main = h("div", { class: "gh-main" });
    const narrow = matchMedia("(max-width: 699px)");
    /** @type {any} */
    let client = null;
    /** @type {any} */
    let team = null;

    async function load() {
        if (!client) paint(main, h("h1", { class: "gh-silent" }, words.clients.title), skeleton());
        try {
            [client, team] = await Promise.all([
                api.get(`/api/portal/clients/${encodeURIComponent(id)}`, {}, signal),
                api.get("/api/portal/team", { organization: id }, signal),
                ready,
            ]);
            host.title([client.name, words.clients.title]);
            draw();
        } catch (err) {
            if (!left(err)) paint(main, h("h1", { class: "gh-silent" }, words.clients.title), refused(err, load));
        }
    }

    function draw() {
        paint(
            main,
            h(
                "header",
                { class: "gh-head" },
                h("a", { class: "gh-crumb", href: address("clients") }, words.clients.title),
                h("h1", { tabindex: "-1", "data-k": "title" }, h("bdi", {}, client.name)),
                h(
                    "p",
                    { class: "gh-muted" },
                    [client.code, client.status !== "active" && words.clients.status[client.status]]
                        .filter(Boolean)
                        .join(" · "),
                    manages(me) && [
                        " ",
                        h(
                            "button",
                            {
                                type: "button",
                                class: "gh-link",
                                "data-k": "status",
                                onclick: () => changeStatus(ctx, client, load),
                            },
                            words.team.changeStatus,
                        ),
                    ],
                ),
                client.status === "active" &&
                    me.role !== "viewer" &&
                    h(
                        "a",
                        { class: "gh-btn gh-first gh-end", href: address("new", { client: id }), "data-k": "new" },
                        icon("plus"),
                        h("span", {}, w.newRequest),
                    ),
            ),
            readOnlyBar(me),
            me.role !== "viewer" &&
                h(
                    "p",
                    {},
                    h(
                        "button",
                        {
                            type: "button",
                            class: "gh-link",
                            "data-k": "who",
                            onclick: () => openWho(ctx, "organizations", id, client.name),
                        },
                        access.explain.open,
                    ),
                ),
            section(
                w.requests,
                client.requests.length === 0
                    ? empty(w.noRequests)
                    : queueRows(client.requests, { narrow: narrow.matches, open }),
            ),
            section(
                w.people,
                client.people.length === 0 ? empty(w.noPeople) : people(ctx, client.people, team, load),
                manages(me)
                    ? h(
                          "button",
                          {
                              type: "button",
                              class: "gh-btn gh-second",
                              "data-k": "invite",
                              onclick: () => invite(ctx, id, load),
                          },
                          icon("plus"),
                          h("span", {}, w.invite),
                      )
                    : h("p", { class: "gh-muted" }, words.clients.onlyManagers),
            ),
            section(w.invitations, invitationList(ctx, client.invitations, load)),
            section(words.team.loans, loanList(ctx, team.delegations, load)),
            client.units.length > 0 &&
                section(
                    w.units,
                    h(
                        "ul",
                        { class: "gh-plain gh-units" },
                        // The whole tree below, each level a step further in.
                        tree(team.units, id).map(({ one, depth }) =>
                            h(
                                "li",
                                { style: `margin-inline-start: ${depth * 20}px` },
                                h("a", { href: address("client/" + one.id) }, h("bdi", {}, one.name)),
                                h("span", { class: "gh-muted" }, ` · ${words.team.unitPeople(one.people)}`),
                                one.status !== "active" &&
                                    h("span", { class: "gh-muted" }, ` · ${words.clients.status[one.status]}`),
                            ),
                        ),
                    ),
                ),
        );
    }

    /** @param {string} request */
    const open = (request) => (location.hash = address("request/" + request));
    narrow.addEventListener("change", () => client && draw(), { signal });
    load();
    return h("div", { class: "page gh gh-page" }, main);
}

/** @param {string} title @param {...import("../parts/dom.js").Child} children */
function section(title, ...children) {
    return h("section", { class: "gh-section" }, h("h2", {}, title), children);
}

/** @param {any[]} units @param {string} parent @param {number} [depth] @returns {{one: any, depth: number}[]} */
function tree(units, parent, depth = 0) {
    return units
        .filter((one) => one.parent === parent)
        .flatMap((one) => [{ one, depth }, ...tree(units, one.id, depth + 1)]);
}

/**
 * @param {import("../parts/stage.js").Ctx} ctx
 * @param {any[]} list
 * @param {any} team
 * @param {() => void} changed
 */
function people(ctx, list, team, changed) {
    return h(
        "table",
        { class: "gh-table gh-stack" },
        h(
            "thead",
            {},
            h(
                "tr",
                {},
                Object.values(w.columns).map((text) => h("th", { scope: "col" }, text)),
                team.can_manage && h("th", { scope: "col" }, h("span", { class: "gh-silent" }, words.team.actions)),
            ),
        ),
        h(
            "tbody",
            {},
            list.map((one) =>
                h(
                    "tr",
                    {},
                    h(
                        "td",
                        { class: "gh-cell-main" },
                        h("a", { href: address("person/" + one.user) }, h("bdi", {}, one.name || one.email)),
                        " ",
                        h("span", { class: "gh-muted gh-sub" }, h("bdi", {}, one.email)),
                    ),
                    h(
                        "td",
                        { "data-label": w.columns.role },
                        w.roles[one.role] ?? one.role,
                        (one.duties ?? []).length > 0 &&
                            h("span", { class: "gh-muted" }, ` · ${one.duties.join(", ")}`),
                    ),
                    h("td", { "data-label": w.columns.status }, w.status[one.status] ?? one.status),
                    h(
                        "td",
                        { "data-label": w.columns.seen },
                        one.last_seen ? h("span", { title: exact(one.last_seen) }, date(one.last_seen)) : w.never,
                    ),
                    team.can_manage && h("td", {}, mateButtons(ctx, one, list, changed)),
                ),
            ),
        ),
    );
}
