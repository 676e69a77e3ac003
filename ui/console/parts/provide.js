// @ts-check
// Items that staff give themselves: an answer, a confirmation, a form, or files.
import { h } from "./dom.js";
import { field } from "./field.js";
import { valueInput } from "./value.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.request;

/** @param {import("../pages/request.js").Desk} desk @param {any} item */
export function provideForm(desk, item) {
    if (item.kind === "file") return uploadField(desk, item);
    const { parts, read } = inputsOf(item);
    const error = h("p", { class: "gh-error", role: "alert", hidden: true });
    return h(
        "form",
        {
            class: "gh-form gh-provide",
            novalidate: true,
            onsubmit: async (/** @type {SubmitEvent} */ event) => {
                event.preventDefault();
                error.hidden = true;
                const body = { answers: read(), expected_revision: desk.view.revision };
                try {
                    desk.take(await desk.command(() => desk.ctx.api.patch(`/api/portal/items/${item.id}`, body)));
                    say(w.fieldSaved(item.title));
                } catch (err) {
                    error.textContent = /** @type {Error} */ (err).message;
                    error.hidden = false;
                }
            },
        },
        h("h3", {}, w.provide),
        parts,
        error,
        h("button", { type: "submit", class: "gh-btn gh-first", "data-k": "provide-save" }, w.provideSave),
    );
}

/** @param {any} item @returns {{parts: import("./dom.js").Child[], read: () => Record<string, any>}} */
function inputsOf(item) {
    const answers = item.answers ?? {};
    if (item.kind === "acknowledge") {
        const box = h("input", { type: "checkbox", checked: answers.accepted === true, "data-k": "ack" });
        return {
            parts: [
                item.ask?.text && h("p", { class: "gh-text" }, item.ask.text),
                h("label", { class: "gh-check" }, box, w.acknowledge),
            ],
            read: () => ({ accepted: box.checked }),
        };
    }
    const questions =
        item.kind === "form"
            ? (item.ask?.questions ?? [])
            : [
                  {
                      key: "text",
                      label: item.title,
                      type: item.kind === "long_text" ? "long_text" : (item.ask?.answer_type ?? "text"),
                      options: item.ask?.choices,
                  },
              ];
    const inputs = questions.map((/** @type {any} */ q) => ({
        q,
        value: valueInput(q, answers[q.key], { name: q.key, "data-k": "answer-" + q.key }),
    }));
    return {
        parts: inputs.map((/** @type {any} */ one) =>
            field({
                label: one.q.label,
                hint: one.q.help,
                input: one.value.element,
                optional: !one.q.required && item.kind === "form",
            }),
        ),
        read: () => Object.fromEntries(inputs.map((/** @type {any} */ one) => [one.q.key, one.value.read()])),
    };
}

/** @param {import("../pages/request.js").Desk} desk @param {any} item */
function uploadField(desk, item) {
    const accept = (item.ask?.accept ?? []).map((/** @type {string} */ end) => "." + end).join(",");
    const input = h("input", { type: "file", accept, multiple: (item.ask?.files_max ?? 1) > 1, "data-k": "upload" });
    input.addEventListener("change", async () => {
        for (const file of input.files ?? []) {
            say(w.uploading(file.name));
            const form = new FormData();
            form.set("file", file);
            form.set("organization", desk.view.organization);
            form.set("request", desk.view.id);
            form.set("item", item.id);
            try {
                await desk.ctx.api.upload("/api/collections/documents/records", form);
                say(w.uploaded(file.name));
            } catch (err) {
                say(/** @type {Error} */ (err).message);
            }
        }
        await desk.reload();
    });
    return field({ label: w.upload, input });
}
