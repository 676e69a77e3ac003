// @ts-check
// Adding an item to a section that takes more, from one of the section's templates.
import { h } from "./dom.js";
import { formDialog } from "./dialog.js";
import { field, mark } from "./field.js";
import { say } from "./say.js";
import { choicesOf, kindName } from "./wishes.js";
import { words } from "../words.js";

const w = words.request;
const c = words.create;

/** @param {import("../pages/request.js").Desk} desk @param {any} section */
export function addItem(desk, section) {
    const kind = h(
        "select",
        { name: "template" },
        section.templates.map((/** @type {any} */ one) => h("option", { value: one.key }, kindName(one))),
    );
    const title = h("input", { type: "text", name: "title", autofocus: true });
    const hint = h("input", { type: "text", name: "hint" });
    const required = h("input", { type: "checkbox", name: "required", checked: true });
    const answer = answerFields();
    const isQuestion = () =>
        section.templates.find((/** @type {any} */ one) => one.key === kind.value)?.kind === "answer";
    const follow = () => (answer.element.hidden = !isQuestion());
    kind.addEventListener("change", follow);
    follow();

    formDialog({
        title: w.addTitle,
        action: w.addSave,
        fields: [
            field({ label: w.addKind, input: kind }),
            field({ label: c.itemTitle, input: title }),
            field({ label: c.itemHint, input: hint, optional: true }),
            answer.element,
            h("label", { class: "gh-check" }, required, c.needed),
        ],
        async submit() {
            if (!title.value.trim()) return (mark(title, c.needItemTitle), title.focus(), false);
            const options = isQuestion() ? answer.read() : undefined;
            if (options === null) return false;
            const body = {
                section: section.key,
                template: kind.value,
                title: title.value.trim(),
                hint: hint.value.trim(),
                required: required.checked,
                options,
            };
            desk.take(await desk.command(() => desk.ctx.api.post(`/api/portal/requests/${desk.view.id}/items`, body)));
            say(w.added(body.title));
        },
    });
}

/** The kind of answer that a question takes; `read` gives null after saying what is missing. */
export function answerFields() {
    const type = h(
        "select",
        { name: "answer_type" },
        Object.entries(c.answers).map(([value, text]) => h("option", { value }, text)),
    );
    const choices = h("textarea", { rows: 3, name: "choices" });
    const box = h("div", {}, field({ label: c.choices, input: choices }));
    const follow = () => (box.hidden = type.value !== "choice");
    type.addEventListener("change", follow);
    follow();
    return {
        element: h("div", { class: "gh-form" }, field({ label: c.answerType, input: type }), box),
        read() {
            if (type.value !== "choice") return { answer_type: type.value };
            const list = choicesOf(choices.value);
            if (list.length < 2) {
                mark(choices, c.needChoices);
                choices.focus();
                return null;
            }
            return { answer_type: "choice", choices: list };
        },
    };
}
