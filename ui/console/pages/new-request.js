// @ts-check
// Opening a request: for whom, what kind, until when, and what is needed. Nothing goes to the client from here.
import { h, paint } from "../parts/dom.js";
import { field, mark } from "../parts/field.js";
import { skeleton, refused, empty, left } from "../parts/faces.js";
import { clientPicker } from "../parts/client-picker.js";
import { itemEditor } from "../parts/item-editor.js";
import { kindsOf } from "../parts/wishes.js";
import { forecastView } from "../parts/forecast.js";
import { dayOutput } from "../parts/format.js";
import { address, START } from "../parts/routes.js";
import { words } from "../words.js";

const w = words.create;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageNewRequest(ctx) {
    const { api, host, route, signal, me } = ctx;
    host.title([w.title]);
    const body = h("div", {});
    const page = h(
        "div",
        { class: "page gh gh-page" },
        h(
            "div",
            { class: "gh-main gh-narrow" },
            h(
                "header",
                { class: "gh-head" },
                h("a", { class: "gh-crumb", href: address(START) }, words.queue.title),
                h("h1", {}, w.title),
            ),
            body,
        ),
    );

    async function load() {
        if (me.role === "viewer") return paint(body, empty(words.roles.viewer));
        paint(body, skeleton(5));
        try {
            const client = route.query.get("client");
            const [workflows, organization] = await Promise.all([
                api.get("/api/portal/workflows", {}, signal),
                client ? api.get(`/api/portal/clients/${encodeURIComponent(client)}`, {}, signal) : null,
            ]);
            paint(body, workflows.length === 0 ? empty(w.noWorkflows) : form(ctx, workflows, organization));
        } catch (err) {
            if (!left(err)) paint(body, refused(err, load));
        }
    }

    load();
    return page;
}

/** @param {import("../parts/stage.js").Ctx} ctx @param {any[]} workflows @param {any} organization */
function form({ api, host, signal, ...rest }, workflows, organization) {
    const ctx = { api, host, signal, ...rest };
    const client = clientPicker(ctx, organization, () => foresee());
    const workflow = h(
        "select",
        { name: "workflow" },
        workflows.map((one) => h("option", { value: one.key }, one.title)),
    );
    const title = h("input", { type: "text", name: "title" });
    const due = h("input", { type: "date", name: "due" });
    const items = itemEditor();
    const error = h("p", { class: "gh-error", role: "alert", hidden: true });
    const button = h("button", { type: "submit", class: "gh-btn gh-first" }, w.submit);
    const chosen = () => workflows.find((one) => one.key === workflow.value);
    const follow = () => {
        items.use(kindsOf(chosen()));
        items.element.hidden = !chosen()?.needs_items;
    };
    const dates = h("div", { "aria-live": "polite" }, h("p", { class: "gh-muted" }, words.forecast.wait));
    let asked = 0;

    /** The dates that would follow, from the server, as soon as it is known for whom. */
    async function foresee() {
        const mine = ++asked;
        if (!client.value()) return paint(dates, h("p", { class: "gh-muted" }, words.forecast.wait));
        paint(dates, h("p", { class: "gh-muted" }, words.forecast.working));
        try {
            const body = {
                workflow: workflow.value,
                organization: client.value(),
                due: dayOutput(due.value) || undefined,
            };
            const forecast = await api.post("/api/portal/requests/plan", body);
            if (mine === asked) paint(dates, h("p", { class: "gh-hint" }, words.forecast.hint), forecastView(forecast));
        } catch (err) {
            if (!left(err) && mine === asked)
                paint(dates, h("p", { class: "gh-error" }, /** @type {Error} */ (err).message));
        }
    }

    workflow.addEventListener("change", () => {
        follow();
        foresee();
    });
    due.addEventListener("change", foresee);
    follow();
    foresee();

    /** @returns {any} the body of the command, or null after saying what is missing */
    function read() {
        if (!client.value()) return (mark(client.input, w.needClient), client.input.focus(), null);
        const asks = chosen()?.needs_items;
        if (asks && !title.value.trim()) return (mark(title, w.needTitle), title.focus(), null);
        const wishes = asks ? items.read() : undefined;
        if (wishes === null) return null;
        if (asks && wishes?.length === 0) return fail(w.needItems);
        return {
            workflow: workflow.value,
            organization: client.value(),
            title: title.value.trim() || undefined,
            due: dayOutput(due.value) || undefined,
            items: wishes,
        };
    }

    /** @param {string} text */
    function fail(text) {
        error.textContent = text;
        error.hidden = false;
        return null;
    }

    return h(
        "form",
        {
            class: "gh-form",
            novalidate: true,
            onsubmit: async (/** @type {SubmitEvent} */ event) => {
                event.preventDefault();
                if (button.getAttribute("aria-busy")) return;
                error.hidden = true;
                const body = read();
                if (!body) return;
                button.setAttribute("aria-busy", "true");
                button.textContent = w.busy;
                try {
                    const view = await api.post("/api/portal/requests", body);
                    location.hash = address("request/" + view.id);
                } catch (err) {
                    fail(/** @type {Error} */ (err).message);
                } finally {
                    button.removeAttribute("aria-busy");
                    button.textContent = w.submit;
                }
            },
        },
        client.element,
        field({ label: w.workflow, input: workflow }),
        field({ label: w.requestTitle, hint: w.titleHint, input: title }),
        field({ label: w.due, input: due, optional: true }),
        items.element,
        h("section", { class: "gh-section" }, h("h2", {}, words.forecast.title), dates),
        error,
        h("p", { class: "gh-hint" }, w.after),
        h(
            "div",
            { class: "gh-row" },
            button,
            h("a", { class: "gh-btn gh-second", href: address(START) }, words.app.cancel),
        ),
    );
}
