// @ts-check
// One version of a workflow: its picture with what is in it now, findings, source, and the other versions.
import { h, paint } from "../parts/dom.js";
import { skeleton, refused, left } from "../parts/faces.js";
import { address } from "../parts/routes.js";
import { date } from "../parts/format.js";
import { countOf, findingsList } from "../parts/findings.js";
import { drawPicture } from "../parts/picture.js";
import { forecastView } from "../parts/forecast.js";
import { statesTable } from "../parts/states-table.js";
import { sourceEditor } from "../parts/source.js";
import { makeCompare } from "../parts/compare.js";
import { askPublish, manages, openElsewhere, statusTag } from "../parts/workflow-words.js";
import { formDialog } from "../parts/dialog.js";
import { announce, say } from "../parts/say.js";
import { words } from "../words.js";

const w = words.workflows;

/** @param {import("../parts/stage.js").Ctx} ctx */
export function pageWorkflow(ctx) {
    const { api, host, ready, signal } = ctx;
    const id = encodeURIComponent(ctx.route.params.id);
    const path = `/api/portal/definitions/${id}`;
    const mayChange = manages(ctx.me);
    const main = h("div", { class: "gh-main" });
    const findings = h("div", { class: "gh-pane" });
    const compare = makeCompare(ctx);
    /** @type {ReturnType<typeof sourceEditor>} */
    let source;

    async function load() {
        paint(main, skeleton(10));
        try {
            const [version, picture, forecast, list] = await Promise.all([
                api.get(path, {}, signal),
                // A draft may be too broken to be drawn; the page says the rest.
                api.get(path + "/picture", {}, signal).catch((err) => (left(err) ? Promise.reject(err) : null)),
                api.get(path + "/plan", {}, signal).catch((err) => (left(err) ? Promise.reject(err) : null)),
                api.get("/api/portal/definitions", {}, signal),
                ready,
            ]);
            draw(version, picture, forecast, list);
        } catch (err) {
            if (!left(err)) paint(main, h("h1", { class: "gh-silent" }, w.title), refused(err, load));
        }
    }

    /** @param {any} version @param {any} picture @param {any} forecast @param {any} list */
    function draw(version, picture, forecast, list) {
        host.title([version.title, w.version(version.version)]);
        const its = (list.items ?? []).find((/** @type {any} */ one) => one.key === version.key);
        const versions = its?.versions ?? [];
        source = sourceEditor({ value: version.source ?? "", oninput() {}, readOnly: true });
        const details = h("details", {}, h("summary", {}, w.showSource), source.element);
        showFindings(version.findings ?? [], details);
        paint(
            main,
            h(
                "header",
                { class: "gh-request-head" },
                h(
                    "div",
                    { class: "gh-head" },
                    h("a", { class: "gh-crumb", href: address("workflows") }, w.title),
                    h("h1", { "data-focus": true, tabindex: "-1" }, version.title),
                    h("p", { class: "gh-muted" }, `${version.key} · ${w.version(version.version)}`),
                ),
                h(
                    "div",
                    { class: "gh-row" },
                    statusTag(version.status),
                    version.published_at && h("span", { class: "gh-muted" }, w.publishedAt(date(version.published_at))),
                    newerThan(version, versions) && h("span", { class: "gh-muted" }, w.newer),
                ),
                buttons(version, list, versions, details),
            ),
            picture && [
                h("h2", {}, w.picture),
                drawPicture(picture, { label: w.pictureOf(version.title) }),
                section(w.states, statesTable(picture, version.states ?? [])),
            ],
            forecast &&
                section(
                    words.forecast.today,
                    h("p", { class: "gh-hint" }, words.forecast.hintRoles),
                    forecastView(forecast),
                ),
            section(w.findings, findings),
            h("section", { class: "gh-section" }, details),
            section(w.versions, versionList(version, versions), compare.element),
        );
    }

    /** @param {any[]} list @param {HTMLDetailsElement} details */
    function showFindings(list, details) {
        paint(
            findings,
            findingsList(list, (one) => {
                details.open = true;
                source.show(one.line);
            }),
        );
    }

    /** @param {any} version @param {any} list @param {any[]} versions @param {HTMLDetailsElement} details */
    function buttons(version, list, versions, details) {
        /** @param {string} text @param {string} look @param {string} key @param {() => void} act */
        const button = (text, look, key, act) =>
            h("button", { type: "button", class: `gh-btn ${look}`, "data-k": key, onclick: act }, text);
        const isDraft = version.status === "draft";
        const open = openElsewhere(list, version.key, version.version);
        return h(
            "div",
            { class: "gh-row" },
            mayChange && isDraft && button(w.publish, "gh-first", "publish", () => publish(version, open)),
            mayChange &&
                h(
                    "a",
                    { class: "gh-btn gh-second", href: address("workflows/import", { from: version.id }) },
                    isDraft ? w.edit : w.newVersion,
                ),
            button(w.check, "gh-second", "check", () => check(version, details)),
            button(w.export, "gh-second", "export", () => exportYaml(version)),
            mayChange &&
                version.status === "published" &&
                open > 0 &&
                h("a", { class: "gh-btn gh-second", href: address(`workflow/${version.id}/move`) }, w.moveHere),
            mayChange &&
                version.status === "published" &&
                button(w.retire, "gh-second", "retire", () => retire(version)),
        );
    }

    /** @param {any} version @param {number} staying */
    function publish(version, staying) {
        if (countOf(version.findings ?? [], "error") > 0) return say(w.fixFirst);
        askPublish({
            title: version.title,
            version: version.version,
            staying,
            async act() {
                await api.post(path + "/publish");
                say(w.published(version.title, version.version));
                await load();
            },
        });
    }

    /** @param {any} version */
    function retire(version) {
        formDialog({
            title: w.retireTitle(version.version),
            fields: [h("p", {}, w.retireText)],
            action: w.retireDo,
            danger: true,
            async submit() {
                await api.post(path + "/retire");
                say(w.retired(version.version));
                await load();
            },
        });
    }

    /** @param {any} version @param {HTMLDetailsElement} details */
    async function check(version, details) {
        try {
            const answer = await api.post("/api/portal/definitions/check", { source: version.source });
            showFindings(answer.findings ?? [], details);
            const text = w.counted(countOf(answer.findings ?? [], "error"), countOf(answer.findings ?? [], "warning"));
            announce(text);
            say(text);
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
    }

    /** @param {any} version */
    async function exportYaml(version) {
        try {
            const text = await api.send(path + "/export", { text: true });
            const url = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
            h("a", { href: url, download: `${version.key}-v${version.version}.yaml` }).click();
            setTimeout(() => URL.revokeObjectURL(url), 10_000);
        } catch (err) {
            say(/** @type {Error} */ (err).message);
        }
    }

    /** @param {any} version @param {any[]} versions */
    function versionList(version, versions) {
        return h(
            "ul",
            { class: "gh-plain gh-versions" },
            versions.map((/** @type {any} */ one) =>
                h(
                    "li",
                    { class: "gh-row" },
                    one.id === version.id
                        ? h("strong", {}, `${w.version(one.version)} (${w.thisVersion})`)
                        : h("a", { class: "gh-title", href: address("workflow/" + one.id) }, w.version(one.version)),
                    statusTag(one.status),
                    h("span", { class: "gh-num" }, w.live(one.live)),
                    one.id !== version.id &&
                        h(
                            "button",
                            {
                                type: "button",
                                class: "gh-link",
                                "data-k": "compare-" + one.id,
                                "aria-label": w.compareWith(one.version),
                                onclick: () => compare.show(one, version),
                            },
                            w.compare,
                        ),
                ),
            ),
        );
    }

    load();
    return h("div", { class: "page gh gh-page" }, main);
}

/** @param {string} title @param {...import("../parts/dom.js").Child} children */
function section(title, ...children) {
    return h("section", { class: "gh-section" }, h("h2", {}, title), children);
}

/** @param {any} version @param {any[]} versions */
function newerThan(version, versions) {
    return versions.some((one) => one.status === "published" && one.version > version.version);
}
