// @ts-check
// Who of the client sees a request: everybody of the organization, or the people whom it names.
import { h } from "./dom.js";
import { formDialog } from "./dialog.js";
import { field } from "./field.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.participants;

/** @param {import("../pages/request.js").Desk} desk */
export async function changeParticipants(desk) {
    const { api } = desk.ctx;
    const path = `/api/portal/requests/${desk.view.id}/people`;
    /** @type {{visibility: string, people: {id: string, name: string, takes_part: boolean}[]}} */
    let page;
    try {
        page = await api.get(path);
    } catch (err) {
        return say(/** @type {Error} */ (err).message);
    }
    const visibility = h(
        "select",
        { name: "visibility", onchange: () => (list.hidden = visibility.value !== "restricted") },
        Object.entries(w.visibility).map(([value, text]) =>
            h("option", { value, selected: value === page.visibility }, text),
        ),
    );
    const boxes = page.people.map((one) => ({
        one,
        box: h("input", { type: "checkbox", name: "participants", checked: one.takes_part }),
    }));
    const list = h(
        "fieldset",
        { hidden: page.visibility !== "restricted" },
        h("legend", {}, w.people),
        boxes.length === 0 && h("p", { class: "gh-muted" }, w.nobody),
        boxes.map(({ one, box }) => h("label", { class: "gh-check" }, box, " ", h("bdi", {}, one.name))),
    );
    formDialog({
        title: w.title,
        action: w.save,
        fields: [field({ label: w.who, hint: w.hint, input: visibility }), list],
        async submit() {
            const participants = boxes.filter(({ box }) => box.checked).map(({ one }) => one.id);
            const body =
                visibility.value === "restricted"
                    ? { visibility: "restricted", participants }
                    : { visibility: "organization" };
            await desk.command(() => api.patch(path, { ...body, expected_revision: desk.view.revision }));
            say(w.saved);
            desk.take(await api.get(`/api/portal/requests/${desk.view.id}`));
        },
    });
}
