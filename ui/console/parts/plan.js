// @ts-check
// What comes next for a request, and when: reminders, dates, steps by themselves; how long each side had it; a pause.
import { h, paint } from "./dom.js";
import { tag } from "./tag.js";
import { left } from "./faces.js";
import { Problem } from "./api.js";
import { date, dayOutput, exact, listed, moment } from "./format.js";
import { formDialog } from "./dialog.js";
import { field, mark } from "./field.js";
import { say } from "./say.js";
import { words } from "../words.js";

const w = words.plan;

/** @type {Record<string, {tone: string, shape: import("./icons.js").IconName}>} */
const looks = {
    reminder: { tone: "need", shape: "mail" },
    escalation: { tone: "bad", shape: "up" },
    step: { tone: "us", shape: "link" },
    due: { tone: "todo", shape: "bang" },
    wake: { tone: "ok", shape: "check" },
};

/** Business time as people say it: "40 min", "3 h", "5 d" of eight hours. @param {number} seconds */
export function span(seconds) {
    const minutes = Math.floor(Math.max(0, seconds) / 60);
    if (minutes < 60) return `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    return hours < 24 ? `${hours} h` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** @param {import("../pages/request.js").Desk} desk */
export function makePlan(desk) {
    const element = h("div", { class: "gh-plan" });
    const banner = h("div", {});
    /** @type {any} */
    let plan = null;
    let asked = -1;

    const path = () => `/api/portal/requests/${desk.view.id}`;
    const mayPause = () => desk.ctx.me.role !== "viewer" && !desk.view.read_only && desk.view.category !== "done";

    /** Again only when the request changed, unless asked for. @param {boolean} [again] */
    async function load(again = false) {
        if (!again && asked === desk.view.revision) return;
        asked = desk.view.revision;
        try {
            plan = await desk.ctx.api.get(path() + "/plan", {}, desk.ctx.signal);
            draw();
        } catch (err) {
            if (left(err)) return;
            const missing = err instanceof Problem && err.status === 404;
            paint(element, h("p", { class: "gh-muted" }, missing ? w.missing : /** @type {Error} */ (err).message));
            paint(banner);
        }
    }

    function draw() {
        const paused = plan.paused;
        paint(
            banner,
            paused &&
                h(
                    "p",
                    { class: "gh-bar gh-need" },
                    w.paused(date(paused.until), paused.reason, paused.by_name),
                    mayPause() && [
                        " ",
                        h(
                            "button",
                            { type: "button", class: "gh-link", "data-k": "resume", onclick: resume },
                            w.resume,
                        ),
                    ],
                ),
        );
        paint(
            element,
            h("h3", {}, w.title),
            (plan.items ?? []).length === 0
                ? h("p", { class: "gh-muted" }, w.none)
                : h("ol", { class: "gh-plain gh-events" }, plan.items.map(planned)),
            plan.clocks && clocks(plan.clocks),
            plan.sla && sla(plan.sla),
            mayPause() &&
                !paused &&
                h("button", { type: "button", class: "gh-btn gh-second", "data-k": "pause", onclick: pause }, w.pause),
        );
    }

    function pause() {
        const until = h("input", { type: "date", name: "until", min: tomorrow() });
        const reason = h("textarea", { rows: 3, name: "reason" });
        formDialog({
            title: w.pauseTitle,
            fields: [
                h("p", {}, w.pauseText),
                field({ label: w.until, input: until }),
                field({ label: w.reason, input: reason }),
            ],
            action: w.pauseDo,
            async submit() {
                if (!until.value || until.value < tomorrow()) return (mark(until, w.needUntil), until.focus(), false);
                if (!reason.value.trim()) return (mark(reason, w.needReason), reason.focus(), false);
                const body = { until: dayOutput(until.value), reason: reason.value.trim() };
                await desk.command(() => desk.ctx.api.post(path() + "/pause", body));
                await after(w.pausedDone);
            },
        });
    }

    async function resume() {
        try {
            await desk.command(() => desk.ctx.api.post(path() + "/resume"));
            await after(w.resumed);
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
    }

    /** @param {string} text */
    async function after(text) {
        say(text);
        await desk.reload();
        await load(true);
    }

    return { element, banner, load };
}

function tomorrow() {
    return new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
}

/** @param {any} one */
export function planned(one) {
    const look = looks[one.kind] ?? looks.step;
    return h(
        "li",
        { "data-kind": one.kind },
        h(
            "div",
            { class: "gh-row" },
            tag(look.tone, w.kind[one.kind] ?? one.kind, look.shape),
            one.at && h("time", { datetime: one.at, title: exact(one.at), class: "gh-muted" }, moment(one.at)),
        ),
        h("p", {}, one.text, (one.to ?? []).length > 0 && ` (${w.to(listed(one.to))})`),
        one.stops && h("p", { class: "gh-muted" }, one.stops),
    );
}

/** @param {any} its */
function clocks(its) {
    /** @type {[string, string, number][]} */
    const all = [
        ["client", w.client, its.client_seconds],
        ["firm", w.firm, its.firm_seconds],
        ["system", w.system, its.system_seconds],
    ];
    return [
        h("h3", {}, w.clocks),
        h("p", { class: "gh-hint" }, w.clockHint),
        h(
            "ul",
            { class: "gh-plain" },
            all.map(([key, label, seconds]) =>
                h(
                    "li",
                    { class: "gh-clock" },
                    h("span", {}, label, isRunning(its.running, key) && h("strong", {}, ` (${w.running})`)),
                    h("span", { class: "gh-num" }, span(seconds)),
                ),
            ),
        ),
    ];
}

/** The turn names the clock: staff's turn is the firm's. @param {string} running @param {string} key */
const isRunning = (running, key) => running === key || (running === "staff" && key === "firm");

/** @param {any} its */
function sla(its) {
    const percent = Math.round(its.percent);
    return h(
        "div",
        { class: "gh-pane" },
        h(
            "p",
            { class: percent >= 100 ? "gh-late" : "" },
            w.sla(percent),
            its.due && ` · ${words.request.due} ${date(its.due)}`,
        ),
        h("progress", { max: 100, value: Math.min(100, percent), "aria-label": w.sla(percent) }),
        its.paused && h("p", { class: "gh-muted" }, w.slaPaused),
    );
}
