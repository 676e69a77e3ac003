// @ts-check
// Walls: who is kept away from which client or request, and why. Managers and owners build and lift them.
import { h, paint } from "./dom.js";
import { formDialog } from "./dialog.js";
import { empty, left, refused, skeleton } from "./faces.js";
import { field, mark } from "./field.js";
import { date, exact } from "./format.js";
import { say } from "./say.js";
import { words } from "../words-access.js";

const w = words.wall;
const PATH = "/api/collections/walls/records";

/** @param {import("./stage.js").Ctx} ctx */
export function wallsSection(ctx) {
    const { api, signal } = ctx;
    const box = h("div", {});

    async function load() {
        paint(box, skeleton(3));
        try {
            const answer = await api.get(
                PATH,
                { perPage: 200, sort: "-created", expand: "staff,organization,request" },
                signal,
            );
            draw(answer.items);
        } catch (err) {
            if (!left(err)) paint(box, refused(err, load));
        }
    }

    /** @param {any[]} items */
    function draw(items) {
        paint(
            box,
            items.length === 0 ? empty(w.none) : table(items),
            h(
                "button",
                {
                    type: "button",
                    class: "gh-btn gh-second",
                    "data-k": "wall",
                    onclick: () => buildWall(ctx, {}, load),
                },
                w.add,
            ),
        );
    }

    /** @param {any[]} items */
    function table(items) {
        return h(
            "table",
            { class: "gh-table gh-stack" },
            h(
                "thead",
                {},
                h(
                    "tr",
                    {},
                    Object.entries(w.columns).map(([key, text]) =>
                        h("th", { scope: "col" }, key === "act" ? h("span", { class: "gh-silent" }, text) : text),
                    ),
                ),
            ),
            h(
                "tbody",
                {},
                items.map((one) => {
                    const who = one.expand?.staff?.name ?? w.hidden;
                    return h(
                        "tr",
                        {},
                        h("td", { class: "gh-cell-main" }, h("strong", {}, h("bdi", {}, who))),
                        h("td", { "data-label": w.columns.from }, from(one)),
                        h("td", { "data-label": w.columns.why }, one.reason),
                        h(
                            "td",
                            { "data-label": w.columns.since },
                            h("span", { title: exact(one.created) }, date(one.created)),
                        ),
                        h(
                            "td",
                            {},
                            h(
                                "button",
                                {
                                    type: "button",
                                    class: "gh-link",
                                    "data-k": "lift-" + one.id,
                                    "aria-label": `${w.lift}: ${who}`,
                                    onclick: () => lift(one.id, who),
                                },
                                w.lift,
                            ),
                        ),
                    );
                }),
            ),
        );
    }

    /** @param {string} id @param {string} who */
    function lift(id, who) {
        formDialog({
            title: w.liftTitle(who),
            action: w.lift,
            danger: true,
            fields: [h("p", {}, w.liftText)],
            async submit() {
                await api.remove(`${PATH}/${id}`);
                say(w.lifted(who));
                load();
            },
        });
    }

    load();
    return h("section", { class: "gh-section" }, h("h2", {}, w.title), h("p", { class: "gh-muted" }, w.text), box);
}

/** @param {any} one */
function from(one) {
    if (one.expand?.request) return w.request(one.expand.request.number);
    return one.expand?.organization?.name ?? w.hidden;
}

/**
 * @param {import("./stage.js").Ctx} ctx
 * @param {{organization?: string, request?: string}} around  what the wall is around; empty asks for a client
 * @param {() => void} done
 */
export async function buildWall(ctx, around, done) {
    const { api, signal, me } = ctx;
    const known = around.organization || around.request;
    /** @type {any[]} */
    let team;
    /** @type {any[]} */
    let clients;
    try {
        [team, clients] = await Promise.all([
            api.get("/api/portal/staff", {}, signal),
            known
                ? Promise.resolve([])
                : api
                      .get("/api/portal/clients", { perPage: 200 }, signal)
                      .then((/** @type {any} */ answer) => answer.items),
        ]);
    } catch (err) {
        if (!left(err)) say(err instanceof Error ? err.message : String(err));
        return;
    }
    const others = team.filter((one) => one.active && one.id !== me.id);
    const who = h(
        "select",
        { name: "staff", autofocus: true },
        others.map((one) => h("option", { value: one.id }, one.name)),
    );
    const where = h(
        "select",
        { name: "organization" },
        h("option", { value: "" }, ""),
        clients.map((one) => h("option", { value: one.id }, one.name)),
    );
    const why = h("textarea", { name: "reason", rows: "3" });
    formDialog({
        title: known ? w.addHere : w.add,
        action: w.add,
        fields: [
            field({ label: w.who, input: who }),
            !known && field({ label: w.from, input: where }),
            field({ label: w.why, input: why }),
        ],
        async submit() {
            if (!known && !where.value) return (mark(where, w.needFrom), where.focus(), false);
            if (!why.value.trim()) return (mark(why, w.needWhy), why.focus(), false);
            await api.post(PATH, {
                staff: who.value,
                reason: why.value.trim(),
                ...(known ? around : { organization: where.value }),
            });
            say(w.built(others.find((one) => one.id === who.value)?.name ?? ""));
            done();
        },
    });
}
