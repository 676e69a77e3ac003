// @ts-check
// The files of an item: a list, and one of them shown in place where the browser can.
import { h, paint } from "./dom.js";
import { icon } from "./icons.js";
import { moment, size } from "./format.js";
import { words } from "../words.js";

const w = words.request;

/** @param {string} mime */
export function previewKind(mime) {
    if (mime === "application/pdf") return "pdf";
    return /^image\/(png|jpe?g|gif|webp)$/.test(mime) ? "image" : "none";
}

/** @param {import("./stage.js").Ctx} ctx */
export function makeDocuments({ api, signal }) {
    /** What is shown in place, kept across repaints so that a PDF is not loaded again. @type {{id: string, node: HTMLElement} | null} */
    let stage = null;
    /** @type {Record<string, string>} chosen file by item */
    const chosen = {};

    /**
     * @param {any} item
     * @param {((doc: any) => void) | null} remove
     */
    function draw(item, remove) {
        if (item.documents.length === 0) return null;
        const box = h("div", { class: "gh-documents" });
        const render = () => {
            const docs = item.documents;
            const on =
                docs.find((/** @type {any} */ d) => d.id === chosen[item.id]) ??
                docs.find((/** @type {any} */ d) => d.current) ??
                docs[0];
            paint(
                box,
                h("h3", {}, w.documents),
                h(
                    "ul",
                    { class: "gh-plain gh-files" },
                    docs.map((/** @type {any} */ doc) =>
                        row(doc, doc === on, () => ((chosen[item.id] = doc.id), render()), remove),
                    ),
                ),
                show(on),
            );
        };
        render();
        return box;
    }

    /** @param {any} doc @param {boolean} on @param {() => void} choose @param {((doc: any) => void) | null} remove */
    function row(doc, on, choose, remove) {
        return h(
            "li",
            { class: "gh-file" },
            h(
                "button",
                {
                    type: "button",
                    class: "gh-entry",
                    "aria-current": on ? "true" : null,
                    "data-k": "doc-" + doc.id,
                    onclick: choose,
                },
                icon("file"),
                h(
                    "span",
                    { class: "gh-file-name" },
                    h("bdi", {}, doc.title),
                    !doc.current && h("span", { class: "gh-muted" }, ` (${w.earlier})`),
                ),
                h("span", { class: "gh-muted gh-num" }, size(doc.size)),
            ),
            remove &&
                doc.removable &&
                !doc.by_client &&
                h(
                    "button",
                    {
                        type: "button",
                        class: "gh-iconbtn",
                        "aria-label": w.removeFile(doc.title),
                        onclick: () => remove(doc),
                    },
                    icon("close"),
                ),
        );
    }

    /** @param {any} doc */
    function show(doc) {
        if (stage && stage.id === doc.id + doc.state) return stage.node;
        const frame = h("div", { class: "gh-frame" });
        const links = h("p", { class: "gh-row" });
        const node = h(
            "figure",
            { class: "gh-figure" },
            frame,
            h(
                "figcaption",
                { class: "gh-muted" },
                h(
                    "p",
                    {},
                    w.sentBy(doc.author_name, moment(doc.created)),
                    " · ",
                    w.version(doc.version),
                    " · ",
                    size(doc.size),
                ),
                doc.sha256 &&
                    h("p", {}, `${w.checksum} `, h("code", { title: doc.sha256 }, doc.sha256.slice(0, 12) + "…")),
                Object.entries(doc.metadata ?? {}).map(([key, value]) =>
                    h("p", {}, `${key.replaceAll("_", " ")}: ${value}`),
                ),
            ),
            links,
        );
        stage = { id: doc.id + doc.state, node };
        if (doc.state === "ready") fill(doc, frame, links);
        else paint(frame, h("p", { class: "gh-muted" }, doc.state === "quarantined" ? w.quarantined : w.scanning));
        return node;
    }

    /** @param {any} doc @param {HTMLElement} frame @param {HTMLElement} links */
    async function fill(doc, frame, links) {
        let url;
        try {
            url = await api.file(doc.url);
        } catch (err) {
            if (!signal.aborted) paint(frame, h("p", { class: "gh-muted" }, /** @type {Error} */ (err).message));
            return;
        }
        const kind = previewKind(doc.mime);
        paint(frame, look(kind, url, doc));
        frame.dataset.kind = kind;
        paint(links, fileLink(doc, w.openTab, {}, kind !== "none"), fileLink(doc, w.download, { download: 1 }, true));
    }

    /**
     * A token lives for minutes, a page for hours: the address is made anew at the click.
     * @param {any} doc @param {string} text @param {Record<string, number>} query @param {boolean} wanted
     */
    function fileLink(doc, text, query, wanted) {
        if (!wanted) return null;
        const open = async (/** @type {MouseEvent} */ event) => {
            event.preventDefault();
            const tab = query.download ? null : window.open("", "_blank");
            const url = await api.file(doc.url + (query.download ? "?download=1" : ""));
            if (tab) tab.location.href = url;
            else location.assign(url);
        };
        return h("a", { href: doc.url, class: "gh-link", onclick: open }, text);
    }

    return { draw };
}

/** @param {string} kind @param {string} url @param {any} doc */
function look(kind, url, doc) {
    if (kind === "pdf") {
        return h(
            "object",
            {
                // The viewer starts with the page, not with its list of thumbnails.
                data: url + "#navpanes=0&view=FitH",
                type: "application/pdf",
                "aria-label": w.preview(doc.title),
            },
            h("p", {}, w.noPreview),
        );
    }
    if (kind === "image") return h("img", { src: url, alt: w.preview(doc.title) });
    return h("p", { class: "gh-muted" }, w.noPreview);
}
