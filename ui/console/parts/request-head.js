// @ts-check
// The head of the workspace: which request, who acts since when, until when, and who owns it.
import { h } from "./dom.js";
import { viewTag } from "./tag.js";
import { date, dayInput, dayOutput, exact, instant, waiting } from "./format.js";
import { address, queueAddress } from "./routes.js";
import { formDialog } from "./dialog.js";
import { field } from "./field.js";
import { labels, tagsOf } from "./labels.js";
import { keepAway } from "./exclude.js";
import { changeParticipants } from "./participants.js";
import { openWhere } from "./where.js";
import { say } from "./say.js";
import { openWho } from "./explain.js";
import { buildWall } from "./walls.js";
import { words } from "../words.js";
import { words as access } from "../words-access.js";

const w = words.request;

/** @param {import("../pages/request.js").Desk} desk */
export function requestHead(desk) {
    const { view, ctx } = desk;
    const mayWrite = ctx.me.role !== "viewer" && !view.read_only;
    return [
        h(
            "div",
            { class: "gh-head" },
            h("a", { class: "gh-crumb", href: queueAddress(), "data-k": "crumb" }, w.back),
            h("h1", { tabindex: "-1", "data-k": "title" }, view.title),
            h(
                "p",
                { class: "gh-muted" },
                h("bdi", { class: "gh-number" }, view.number),
                " · ",
                h(
                    "a",
                    { href: address("client/" + view.organization), "data-k": "org" },
                    h("bdi", {}, view.organization_name),
                ),
                " · ",
                view.workflow_title,
            ),
        ),
        h(
            "div",
            { class: "gh-facts" },
            h(
                "p",
                {},
                viewTag(view),
                " ",
                words.queue.since(view.label, waiting(view.state_since)),
                view.side !== "client" && link(words.where.open, "where", () => openWhere(desk)),
            ),
            h("p", {}, dueText(view), mayWrite && link(w.setDue, "due", () => changeDue(desk))),
            h(
                "p",
                {},
                `${w.owner}: `,
                view.assignee ? h("strong", {}, view.assignee_name) : h("strong", { class: "gh-late" }, w.noOwner),
                mayWrite && view.assignee !== ctx.me.id && link(w.assignMe, "assign-me", () => assign(desk, ctx.me.id)),
                mayWrite && link(w.assign, "assign", () => chooseOwner(desk)),
            ),
            ctx.me.role !== "viewer" &&
                h(
                    "p",
                    {},
                    link(access.explain.open, "who", () => openWho(ctx, "requests", view.id, view.number)),
                    (ctx.me.role === "manager" || ctx.me.role === "owner") &&
                        link(access.wall.addHere, "wall", () => buildWall(ctx, { request: view.id }, () => {})),
                ),
            view.side !== "client" &&
                h(
                    "p",
                    {},
                    labels(view.tags, view.priority),
                    mayWrite && link(w.setTags, "tags", () => changeTags(desk)),
                ),
            h(
                "p",
                { class: "gh-muted" },
                view.client_sees?.label ? `${w.clientSees}: ${view.client_sees.label}` : w.clientSeesNothing,
            ),
            view.side !== "client" &&
                h(
                    "p",
                    { class: "gh-muted" },
                    view.seen_by || words.participants.everybody,
                    mayWrite && link(words.participants.link, "participants", () => changeParticipants(desk)),
                    view.can_exclude && " ",
                    view.can_exclude && link(access.exclusions.link, "exclusions", () => keepAway(desk)),
                ),
            (view.people ?? []).length > 0 &&
                h(
                    "p",
                    { class: "gh-muted" },
                    `${w.people}: ${view.people.map((/** @type {any} */ one) => `${one.name} (${one.duty})`).join(", ")}`,
                ),
        ),
        view.turn_detail && view.turn_detail !== view.label && h("p", {}, view.turn_detail),
        // In the portal's own turn the sentence above says it already.
        view.turn !== "system" && (view.by_itself ?? []).map(selfStep),
        view.created_because && h("p", { class: "gh-muted" }, w.because(view.created_because)),
        view.read_only && h("p", { class: "gh-bar gh-todo" }, view.read_only),
        (view.jobs ?? []).length > 0 && jobs(view.jobs),
    ];
}

/** @param {string} text @param {string} key @param {() => void} onclick */
function link(text, key, onclick) {
    return [" ", h("button", { type: "button", class: "gh-link", "data-k": key, onclick }, text)];
}

/** @param {any} view */
function dueText(view) {
    if (!view.due) return h("span", {}, w.noDue);
    const late = view.category !== "done" && (instant(view.due)?.getTime() ?? 0) < Date.now();
    return [
        `${w.due} `,
        h(
            "span",
            { class: late ? "gh-late" : "gh-strong", title: exact(view.due) },
            late ? `${date(view.due)} ${words.queue.late}` : date(view.due),
        ),
    ];
}

/** @param {any} one */
function selfStep(one) {
    const waits = one.waits ?? "";
    const text = one.at && !waits ? w.selfAt(one.label, date(one.at)) : w.selfWhen(one.label, waits);
    return h("p", { class: "gh-muted", title: one.at ? exact(one.at) : null }, text);
}

/** @param {any[]} list */
function jobs(list) {
    return h(
        "ul",
        { class: "gh-plain gh-jobs", "aria-label": w.jobs, "data-k": "jobs", tabindex: "-1" },
        list.map((job) =>
            h(
                "li",
                { class: job.status === "dead" ? "gh-bar gh-bad" : "gh-muted" },
                job.text,
                job.last_error && ` ${job.last_error}`,
            ),
        ),
    );
}

/** @param {import("../pages/request.js").Desk} desk @param {any} change */
async function patch(desk, change) {
    const body = { ...change, expected_revision: desk.view.revision };
    desk.take(await desk.command(() => desk.ctx.api.patch(`/api/portal/requests/${desk.view.id}`, body)));
}

/** @param {import("../pages/request.js").Desk} desk */
function changeDue(desk) {
    const input = h("input", { type: "date", name: "due", value: dayInput(desk.view.due) });
    formDialog({
        title: w.setDue,
        fields: [field({ label: w.due, input, optional: true })],
        action: w.assignSave,
        submit: () => patch(desk, { due: dayOutput(input.value) }),
    });
}

/** @param {import("../pages/request.js").Desk} desk */
function changeTags(desk) {
    const priority = prioritySelect(desk.view.priority);
    const tags = h("input", { type: "text", name: "tags", value: (desk.view.tags ?? []).join(", ") });
    formDialog({
        title: w.setTags,
        fields: [
            field({ label: w.priority, input: priority }),
            field({ label: w.tags, hint: w.tagsHint, input: tags, optional: true }),
        ],
        action: w.assignSave,
        submit: () => patch(desk, { priority: priority.value, tags: tagsOf(tags.value) }),
    });
}

/** @param {string} chosen */
export function prioritySelect(chosen) {
    return h(
        "select",
        { name: "priority" },
        Object.entries(w.priorities).map(([value, text]) => h("option", { value, selected: value === chosen }, text)),
    );
}

/** @param {import("../pages/request.js").Desk} desk @param {string} person */
async function assign(desk, person) {
    await patch(desk, { assignee: person }).catch((err) => say(err.message));
}

/** @param {import("../pages/request.js").Desk} desk */
async function chooseOwner(desk) {
    /** @type {any[]} */
    let team;
    try {
        team = await desk.ctx.api.get("/api/portal/staff");
    } catch (err) {
        return say(/** @type {Error} */ (err).message);
    }
    const people = team.filter((one) => one.active !== false && one.role !== "viewer");
    const select = h(
        "select",
        { name: "assignee" },
        h("option", { value: "" }, w.unassign),
        people.map((one) => h("option", { value: one.id, selected: one.id === desk.view.assignee }, one.name)),
    );
    const note = h("textarea", { name: "note", rows: 3 });
    formDialog({
        title: w.assignTitle,
        fields: [
            field({ label: w.owner, input: select }),
            field({ label: w.handOver, hint: w.handOverHint, input: note, optional: true }),
        ],
        action: w.assignSave,
        submit: () => patch(desk, { assignee: select.value, note: note.value.trim() || undefined }),
    });
}
