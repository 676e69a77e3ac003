// @ts-check
// Seeing the portal as a client: a new window that can change nothing.
import { h } from "./dom.js";
import { formDialog } from "./dialog.js";
import { words } from "../words-access.js";

const w = words.view;

/**
 * @param {import("./stage.js").Ctx} ctx
 * @param {string} user
 * @param {string} name
 */
export function viewAs(ctx, user, name) {
    formDialog({
        title: w.open(name),
        action: w.go,
        fields: [h("p", {}, w.text)],
        async submit(error) {
            // Opened before anything is waited for: browsers block a window that nobody asked for.
            const portal = window.open("about:blank", "_blank");
            if (!portal) return (error(w.blocked), false);
            try {
                const { token } = await ctx.api.post("/api/portal/view-as", { user });
                const hash = new URLSearchParams({ view: token, user });
                // Behind the "#" it is sent to no server; the portal takes it out of the address at once.
                portal.opener = null;
                portal.location.replace(`/#${hash}`);
            } catch (err) {
                portal.close();
                throw err;
            }
        },
    });
}
