// @ts-check
// Adding a colleague, changing role and duties, and seeing somebody off with the open work handed over.
import { h } from "./dom.js";
import { formDialog } from "./dialog.js";
import { field, mark } from "./field.js";
import { left } from "./faces.js";
import { say } from "./say.js";
import { address } from "./routes.js";
import { words } from "../words-access.js";

const w = words.staff;
const PATH = "/api/collections/staff/records";

/** @param {any} one */
function inputs(one) {
    return {
        name: h("input", { type: "text", name: "name", autocomplete: "off", value: one.name ?? "", autofocus: true }),
        role: h(
            "select",
            { name: "role" },
            Object.entries(w.roles).map(([value, text]) =>
                h("option", { value, selected: value === (one.role ?? "operator") }, text),
            ),
        ),
        duties: h("input", { type: "text", name: "duties", autocomplete: "off", value: (one.duties ?? []).join(", ") }),
    };
}

/** @param {string} text */
const listOf = (text) => [
    ...new Set(
        text
            .split(",")
            .map((one) => one.trim().toLowerCase().replaceAll(/\s+/g, "_"))
            .filter(Boolean),
    ),
];

/** @param {import("./stage.js").Ctx} ctx @param {() => void} done */
export function addColleague({ api }, done) {
    const { name, role, duties } = inputs({});
    const email = h("input", { type: "email", name: "email", autocomplete: "off" });
    const password = h("input", { type: "password", name: "password", autocomplete: "new-password" });
    formDialog({
        title: w.add,
        action: w.add,
        fields: [
            field({ label: w.name, input: name }),
            field({ label: w.email, input: email }),
            field({ label: w.role, input: role }),
            field({ label: w.duties, hint: w.dutiesHint, input: duties, optional: true }),
            field({ label: w.password, hint: w.passwordHint, input: password, optional: true }),
        ],
        async submit() {
            if (!name.value.trim()) return (mark(name, w.needName), name.focus(), false);
            if (!email.value.trim() || !email.checkValidity()) return (mark(email, w.needEmail), email.focus(), false);
            // Nobody knows this one: the first sign-in is by a code from an email.
            const secret =
                password.value ||
                Array.from(crypto.getRandomValues(new Uint8Array(24)), (n) => n.toString(36)).join("");
            await api.post(PATH, {
                name: name.value.trim(),
                email: email.value.trim(),
                role: role.value,
                duties: listOf(duties.value),
                active: true,
                emailVisibility: true,
                password: secret,
                passwordConfirm: secret,
            });
            say(w.added(name.value.trim()));
            done();
        },
    });
}

/** @param {import("./stage.js").Ctx} ctx @param {any} one @param {() => void} done */
export function changeColleague({ api }, one, done) {
    const { name, role, duties } = inputs(one);
    formDialog({
        title: w.changeTitle(one.name),
        action: w.save,
        fields: [
            field({ label: w.name, input: name }),
            field({ label: w.role, input: role }),
            field({ label: w.duties, hint: w.dutiesHint, input: duties, optional: true }),
        ],
        async submit() {
            if (!name.value.trim()) return (mark(name, w.needName), name.focus(), false);
            await api.patch(`${PATH}/${one.id}`, {
                name: name.value.trim(),
                role: role.value,
                duties: listOf(duties.value),
            });
            say(w.saved(name.value.trim()));
            done();
        },
    });
}

/**
 * @param {import("./stage.js").Ctx} ctx
 * @param {any} one
 * @param {any[]} team
 * @param {() => void} done
 */
export async function seeOff({ api, signal }, one, team, done) {
    /** @type {any[]} */
    let open = [];
    try {
        const answer = await api.get(
            "/api/collections/requests/records",
            { filter: `assignee = "${one.id}" && category != "done"`, perPage: 200, fields: "id,number,title" },
            signal,
        );
        open = answer.items;
    } catch (err) {
        if (left(err)) return;
        say(err instanceof Error ? err.message : String(err));
    }
    const others = team.filter((x) => x.active && x.id !== one.id && x.role !== "viewer");
    const to = h(
        "select",
        { name: "to" },
        h("option", { value: "" }, ""),
        others.map((x) => h("option", { value: x.id }, x.name)),
    );
    formDialog({
        title: w.leaveTitle(one.name),
        action: w.leave,
        danger: true,
        fields: [
            h("p", {}, w.leaveText),
            open.length > 0 && field({ label: w.leaveOpen(open.length), input: to, optional: true }),
            open.length > 0 &&
                h(
                    "ul",
                    { class: "gh-plain" },
                    open.map((x) =>
                        h(
                            "li",
                            {},
                            h("a", { href: address("request/" + x.id), target: "_blank" }, `${x.number} · ${x.title}`),
                        ),
                    ),
                ),
        ],
        async submit() {
            if (to.value)
                await api.post("/api/portal/bulk", {
                    action: "assign",
                    assignee: to.value,
                    requests: open.map((x) => x.id),
                });
            await api.patch(`${PATH}/${one.id}`, { active: false });
            say(w.leaveDone(one.name));
            done();
        },
    });
}

/** @param {import("./stage.js").Ctx} ctx @param {any} one @param {() => void} done */
export async function letIn({ api }, one, done) {
    try {
        await api.patch(`${PATH}/${one.id}`, { active: true });
        say(w.backDone(one.name));
        done();
    } catch (err) {
        say(err instanceof Error ? err.message : String(err));
    }
}
