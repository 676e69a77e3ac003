// @ts-check
// What was answered for an item, to read.
import { h } from "./dom.js";
import { showValue } from "./value.js";
import { words } from "../words.js";

const w = words.request;

/** @param {any} item */
export function answersOf(item) {
    const answers = item.answers ?? {};
    if (answers.none) return block([[w.answers, item.ask?.allow_none || w.noneOfIt]]);
    if (item.kind === "form") {
        const questions = item.ask?.questions ?? [];
        const given = questions.filter((/** @type {any} */ q) => q.key in answers);
        return given.length === 0
            ? null
            : block(questions.map((/** @type {any} */ q) => [q.label, showValue(q, answers[q.key])]));
    }
    if (item.kind === "acknowledge")
        return answers.accepted ? block([[item.ask?.text_title || item.title, words.app.yes]]) : null;
    if (!("text" in answers)) return null;
    return block([[w.answers, showValue({ type: item.ask?.answer_type ?? "text" }, answers.text)]]);
}

/** @param {[string, string][]} pairs */
function block(pairs) {
    return h(
        "dl",
        { class: "gh-pairs" },
        pairs.map(([label, text]) => h("div", {}, h("dt", {}, label), h("dd", {}, text))),
    );
}
