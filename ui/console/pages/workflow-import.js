// @ts-check
// A definition in: pasted, from a file, or a draft to go on with; checked, saved as a draft, published.
import { h, paint } from "../parts/dom.js";
import { left } from "../parts/faces.js";
import { address } from "../parts/routes.js";
import { dropDrafts, keepDraft, readDraft } from "../parts/drafts.js";
import { countOf, findingsList } from "../parts/findings.js";
import { sourceEditor } from "../parts/source.js";
import { askPublish, manages, openElsewhere } from "../parts/workflow-words.js";
import { announce, say } from "../parts/say.js";
import { words } from "../words.js";

const w = words.workflows;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageWorkflowImport(ctx) {
    const { api, host, signal } = ctx;
    const from = ctx.route.query.get("from") ?? "";
    const draft = `workflow:${from}`;
    host.title([w.importTitle, w.title]);
    const notice = h("div", { role: "alert" });
    const findings = h("section", { class: "gh-pane", "aria-label": w.findings });
    const editor = sourceEditor({ value: readDraft(draft), oninput: (text) => keepDraft(draft, text) });
    const file = h("input", { type: "file", accept: ".yaml,.yml,text/yaml", class: "gh-silent", "data-k": "file" });
    file.addEventListener("change", async () => {
        const [one] = file.files ?? [];
        if (!one) return;
        take(await one.text());
        file.value = "";
        await check();
    });

    /** @param {string} text */
    function take(text) {
        editor.set(text);
        keepDraft(draft, text);
    }

    /** @param {string} text @param {string} [tone] */
    const tell = (text, tone = "gh-bad") => paint(notice, text && h("p", { class: `gh-bar ${tone}` }, text));

    /** What the checker says, or null after saying why it was not asked. */
    async function check() {
        tell("");
        if (!editor.area.value.trim()) {
            tell(w.empty_source);
            editor.area.focus();
            return null;
        }
        try {
            const answer = await api.post("/api/portal/definitions/check", { source: editor.area.value });
            show(answer.findings ?? []);
            return answer;
        } catch (err) {
            tell(/** @type {Error} */ (err).message);
            return null;
        }
    }

    /** @param {any[]} list */
    function show(list) {
        paint(
            findings,
            h("h2", { tabindex: "-1", "data-k": "findings" }, w.findings),
            findingsList(list, (one) => editor.show(one.line)),
        );
        announce(w.counted(countOf(list, "error"), countOf(list, "warning")));
    }

    async function saveDraft() {
        const checked = await check();
        if (!checked) return;
        try {
            const answer = await api.post("/api/portal/definitions", { source: editor.area.value, publish: false });
            show(answer.findings ?? []);
            if (!answer.id) return;
            say(answer.saved ? w.saved(checked.title ?? answer.key, answer.version) : w.unchanged);
            leave(answer.id);
        } catch (err) {
            tell(/** @type {Error} */ (err).message);
        }
    }

    async function publish() {
        const checked = await check();
        if (!checked) return;
        if (!checked.ok) {
            tell(w.fixFirst);
            return /** @type {HTMLElement | null} */ (findings.querySelector("h2"))?.focus();
        }
        const list = await api.get("/api/portal/definitions", {}, signal).catch(() => null);
        askPublish({
            title: checked.title,
            version: checked.version,
            staying: openElsewhere(list, checked.key, checked.version),
            async act() {
                const answer = await api.post("/api/portal/definitions", { source: editor.area.value, publish: true });
                show(answer.findings ?? []);
                if (answer.status !== "published" || countOf(answer.findings ?? [], "error") > 0)
                    return tell(w.fixFirst);
                say(answer.saved ? w.published(checked.title, answer.version) : w.unchanged);
                leave(answer.id);
            },
        });
    }

    /** @param {string} id */
    function leave(id) {
        dropDrafts(draft);
        location.hash = address("workflow/" + id);
    }

    async function begin() {
        if (!from || editor.area.value) return;
        try {
            const version = await api.get(`/api/portal/definitions/${encodeURIComponent(from)}`, {}, signal);
            take(version.source ?? "");
            show(version.findings ?? []);
        } catch (err) {
            if (!left(err)) tell(/** @type {Error} */ (err).message);
        }
    }

    /** @param {string} text @param {string} look @param {string} key @param {() => void} act */
    const button = (text, look, key, act) =>
        h("button", { type: "button", class: `gh-btn ${look}`, "data-k": key, onclick: act }, text);

    begin();
    return h(
        "div",
        { class: "page gh gh-page" },
        h(
            "div",
            { class: "gh-main" },
            h(
                "header",
                { class: "gh-head" },
                h("a", { class: "gh-crumb", href: address("workflows") }, w.title),
                h("h1", { "data-focus": true, tabindex: "-1" }, w.importTitle),
            ),
            !manages(ctx.me)
                ? h("p", { class: "gh-bar gh-todo" }, w.onlyManagers)
                : [
                      h("p", { class: "gh-hint" }, w.sourceHint),
                      notice,
                      h(
                          "div",
                          { class: "gh-row gh-import-bar" },
                          h("label", { class: "gh-btn gh-second gh-filebutton" }, file, h("span", {}, w.file)),
                          button(w.check, "gh-second", "check", check),
                          button(w.saveDraft, "gh-second", "save", saveDraft),
                          button(w.publish, "gh-first", "publish", publish),
                      ),
                      h("div", { class: "gh-import" }, editor.element, findings),
                  ],
        ),
    );
}
