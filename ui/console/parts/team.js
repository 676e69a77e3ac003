// @ts-check
// What managers do with a client's people: another role, access taken and given back, access ended; who acts for whom.
import { h } from "./dom.js";
import { formDialog } from "./dialog.js";
import { field } from "./field.js";
import { date } from "./format.js";
import { address } from "./routes.js";
import { say } from "./say.js";
import { Problem } from "./api.js";
import { words } from "../words.js";

const w = words.team;

/**
 * @typedef {{membership: string, user: string, name: string, email: string, role: string, duties: string[],
 *   status: string, last_admin: boolean}} Mate
 * @typedef {{id: string, from_name: string, to_name: string, to_email: string, request: string, request_title: string,
 *   powers_text: string, ends: string, reason: string, status: string, can_revoke: boolean}} Loan
 */

/** The buttons beside a person. @param {import("./stage.js").Ctx} ctx @param {Mate} mate @param {Mate[]} all @param {() => void} changed */
export function mateButtons(ctx, mate, all, changed) {
    const who = mate.name || mate.email;
    return h(
        "div",
        { class: "gh-row gh-together" },
        small(w.change, w.changeOf(who), `change-${mate.membership}`, () => change(ctx, mate, who, changed)),
        small(w.end, w.endOf(who), `end-${mate.membership}`, () => end(ctx, mate, who, all, changed)),
    );
}

/** @param {string} text @param {string} label @param {string} key @param {() => void} onclick */
function small(text, label, key, onclick) {
    return h(
        "button",
        { type: "button", class: "gh-btn gh-second gh-small", "data-k": key, "aria-label": label, onclick },
        text,
    );
}

/** What leaves nobody in charge is asked twice: the box appears with the server's own warning. */
function confirmBox() {
    const box = h("input", { type: "checkbox", name: "confirm" });
    const line = h("label", { class: "gh-check", hidden: true }, box, " ", h("span", {}, w.confirmLast));
    return {
        line,
        get value() {
            return box.checked;
        },
        /** @param {unknown} err */
        ask(err) {
            if (err instanceof Problem && err.data.role?.code === "last_admin") line.hidden = false;
            throw err;
        },
    };
}

/** @param {import("./stage.js").Ctx} ctx @param {Mate} mate @param {string} who @param {() => void} changed */
function change(ctx, mate, who, changed) {
    const role = h(
        "select",
        { name: "role" },
        Object.entries(words.client.roles)
            .filter(([value]) => value !== "delegate")
            .map(([value, text]) => h("option", { value, selected: value === mate.role }, text)),
    );
    const status = h(
        "select",
        { name: "status" },
        ["active", "suspended"].map((value) =>
            h("option", { value, selected: value === mate.status }, words.client.status[value]),
        ),
    );
    const duties = h("input", { type: "text", name: "duties", value: mate.duties.join(", ") });
    const confirm = confirmBox();
    formDialog({
        title: w.changeOf(who),
        action: w.save,
        fields: [
            field({ label: words.client.role, input: role }),
            field({ label: w.duties, hint: w.dutiesHint, input: duties, optional: true }),
            field({ label: w.access, input: status }),
            confirm.line,
        ],
        async submit() {
            const body = {
                role: role.value,
                status: status.value,
                duties: duties.value
                    .split(",")
                    .map((one) => one.trim())
                    .filter(Boolean),
                confirm: confirm.value,
            };
            await ctx.api.patch(`/api/portal/team/${mate.membership}`, body).catch(confirm.ask);
            say(w.saved(who));
            changed();
        },
    });
}

/** @param {import("./stage.js").Ctx} ctx @param {Mate} mate @param {string} who @param {Mate[]} all @param {() => void} changed */
function end(ctx, mate, who, all, changed) {
    const heir = h(
        "select",
        { name: "hand_over" },
        h("option", { value: "" }, w.nobody),
        all
            .filter((one) => one.user !== mate.user && one.status === "active")
            .map((one) => h("option", { value: one.user }, one.name || one.email)),
    );
    const confirm = confirmBox();
    formDialog({
        title: w.endTitle(who),
        action: w.end,
        danger: true,
        fields: [h("p", {}, w.endText(who)), field({ label: w.handOver, input: heir }), confirm.line],
        async submit() {
            const gone = await ctx.api
                .post(`/api/portal/team/${mate.membership}/remove`, { hand_over: heir.value, confirm: confirm.value })
                .catch(confirm.ask);
            say(gone.open.length > 0 ? w.endedOpen(who, gone.open.length) : w.ended(who));
            changed();
        },
    });
}

/** Who acts for whom at a client. @param {import("./stage.js").Ctx} ctx @param {Loan[]} loans @param {() => void} changed */
export function loanList(ctx, loans, changed) {
    if (loans.length === 0) return h("p", { class: "gh-muted" }, w.noLoans);
    const error = h("p", { class: "gh-error", role: "alert", hidden: true });
    /** @param {Loan} one */
    async function revoke(one) {
        try {
            await ctx.api.post(`/api/portal/delegations/${one.id}/revoke`);
            say(w.loanEnded);
            changed();
        } catch (err) {
            error.textContent = /** @type {Error} */ (err).message;
            error.hidden = false;
        }
    }
    return [
        error,
        h(
            "ul",
            { class: "gh-plain gh-invitations" },
            loans.map((one) => {
                const line = w.loan(one.to_name || one.to_email, one.from_name);
                return h(
                    "li",
                    { class: "gh-invitation" },
                    h(
                        "div",
                        {},
                        h("p", {}, h("strong", {}, line), ` · ${w.loanStatus[one.status] ?? one.status}`),
                        h(
                            "p",
                            { class: "gh-muted" },
                            [w.until(date(one.ends)), one.powers_text, one.reason].filter(Boolean).join(" · "),
                            one.request &&
                                one.request_title && [
                                    " · ",
                                    h("a", { href: address("request/" + one.request) }, one.request_title),
                                ],
                        ),
                    ),
                    one.can_revoke && small(w.endLoan, w.endLoanOf(line), `loan-${one.id}`, () => revoke(one)),
                );
            }),
        ),
    ];
}

/** Suspends, archives and reopens a client. @param {import("./stage.js").Ctx} ctx @param {any} client @param {() => void} changed */
export function changeStatus(ctx, client, changed) {
    const status = h(
        "select",
        { name: "status" },
        Object.entries(w.statuses).map(([value, text]) =>
            h("option", { value, selected: value === client.status }, text),
        ),
    );
    formDialog({
        title: w.statusOf(client.name),
        action: w.save,
        fields: [field({ label: w.status, hint: w.statusHint, input: status })],
        async submit() {
            await ctx.api.patch(`/api/collections/organizations/records/${client.id}`, { status: status.value });
            say(w.saved(client.name));
            changed();
        },
    });
}
