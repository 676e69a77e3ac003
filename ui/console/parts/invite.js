// @ts-check
// Inviting a person to a client.
import { h } from "./dom.js";
import { formDialog } from "./dialog.js";
import { field, mark } from "./field.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.client;

/**
 * @param {import("./stage.js").Ctx} ctx
 * @param {string} organization
 * @param {() => void} done
 */
export function invite({ api }, organization, done) {
    const email = h("input", { type: "email", name: "email", autocomplete: "off", autofocus: true });
    const name = h("input", { type: "text", name: "name", autocomplete: "off" });
    const role = h(
        "select",
        { name: "role" },
        Object.entries(w.roles)
            .filter(([value]) => value !== "delegate")
            .map(([value, text]) => h("option", { value, selected: value === "member" }, text)),
    );
    formDialog({
        title: w.inviteTitle,
        action: w.send,
        fields: [
            field({ label: w.email, input: email }),
            field({ label: w.name, input: name, optional: true }),
            field({ label: w.role, input: role }),
        ],
        async submit() {
            const to = email.value.trim();
            if (!to || !email.checkValidity()) return (mark(email, w.needEmail), email.focus(), false);
            await api.post("/api/portal/invitations", {
                email: to,
                name: name.value.trim() || undefined,
                organization,
                role: role.value,
            });
            say(w.invited(name.value.trim() || to));
            done();
        },
    });
}
