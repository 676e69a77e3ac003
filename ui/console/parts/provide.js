// @ts-check
// Items that staff give themselves: an answer, a confirmation, a form, or files.
import { h } from "./dom.js";
import { field } from "./field.js";
import { valueInput } from "./value.js";
import { conflictBox, saveMerged } from "./merge.js";
import { itemsOf } from "./request-logic.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.request;

/** @param {import("../pages/request.js").Desk} desk @param {any} item */
export function provideForm(desk, item) {
    if (item.kind === "file") return uploadField(desk, item);
    const { parts, read, specs } = inputsOf(item);
    const was = item.answers ?? {};
    const start = read();
    const edit = {
        of: item.id,
        now: () => itemsOf(desk.view).find((one) => one.id === item.id)?.answers ?? {},
        /** @param {import("./merge.js").Values} answers @param {import("./merge.js").Values} before */
        send: (answers, before) =>
            desk.ctx.api.patch(`/api/portal/items/${item.id}`, {
                answers,
                was: before,
                expected_revision: desk.view.revision,
            }),
    };
    const error = h("p", { class: "gh-error", role: "alert", hidden: true });
    return h(
        "form",
        {
            class: "gh-form gh-provide",
            novalidate: true,
            onsubmit: async (/** @type {SubmitEvent} */ event) => {
                event.preventDefault();
                error.hidden = true;
                try {
                    if (await saveMerged(desk, { ...edit, mine: changed(start, read()), was }))
                        say(w.fieldSaved(item.title));
                } catch (err) {
                    error.textContent = /** @type {Error} */ (err).message;
                    error.hidden = false;
                }
            },
        },
        h("h3", {}, w.provide),
        parts,
        specs.map((spec) => conflictBox(desk, { ...edit, spec })),
        error,
        h("button", { type: "submit", class: "gh-btn gh-first", "data-k": "provide-save" }, w.provideSave),
    );
}

/**
 * Only what was changed is sent: a colleague may have changed the rest. All of it, when nothing was.
 * @param {Record<string, any>} before @param {Record<string, any>} now
 */
function changed(before, now) {
    const entries = Object.entries(now).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key]));
    return entries.length > 0 ? Object.fromEntries(entries) : now;
}

/** @param {any} item @returns {{parts: import("./dom.js").Child[], read: () => Record<string, any>, specs: any[]}} */
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
            specs: [{ key: "accepted", label: item.title, type: "bool" }],
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
        specs: questions,
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
