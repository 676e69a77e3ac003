// @ts-check
// Building and repainting plain DOM. Text only ever goes in as text nodes.

/**
 * @typedef {Node | string | number | null | undefined | false} One
 * @typedef {One | ReadonlyArray<any>} Child  lists may be nested
 */

/**
 * An element. Keys that start with "on" are listeners, "class", "data-…", "aria-…" and every other name are
 * attributes; true sets an empty attribute, false, null and undefined leave it out. "value" and "checked" are properties.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props = {}, ...children) {
    const el = document.createElement(tag);
    put(el, children);
    for (const [name, value] of Object.entries(props)) {
        if (value === undefined || value === null || value === false) continue;
        if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
        else if (name === "value" || name === "checked") /** @type {any} */ (el)[name] = value;
        else el.setAttribute(name, value === true ? "" : String(value));
    }
    return el;
}

/**
 * @param {ParentNode} parent
 * @param {Child} child
 */
function put(parent, child) {
    if (child === null || child === undefined || child === false) return;
    if (Array.isArray(child)) for (const one of child) put(parent, one);
    else parent.append(child instanceof Node ? child : String(child));
}

let painting = false;

/**
 * Whether a control loses the focus only because its region is painted anew: some browsers tell it then, in the middle
 * of the work, of a change and of leaving it.
 */
export const isPainting = () => painting;

/**
 * Replaces what a region shows. Whatever had the focus gets it back, with its selection, if an element with the
 * same data-k is there again: a live update must not throw anybody out of what they type.
 * @param {Element} region
 * @param {...Child} children
 */
export function paint(region, ...children) {
    const active = /** @type {any} */ (document.activeElement);
    const inside = active && active !== region && region.contains(active);
    const key = inside ? active.getAttribute("data-k") : null;
    const marks = key ? selectionOf(active) : null;
    painting = true;
    region.replaceChildren();
    painting = false;
    put(region, children);
    if (!inside) return;
    const again = key ? find(region, key) : null;
    if (again) {
        again.focus({ preventScroll: true });
        if (marks) /** @type {any} */ (again).setSelectionRange?.(...marks);
    } else {
        const heading = /** @type {HTMLElement | null} */ (region.querySelector("[data-k]"));
        heading?.focus({ preventScroll: true });
    }
}

/** @param {any} el */
function selectionOf(el) {
    try {
        return typeof el.selectionStart === "number" ? [el.selectionStart, el.selectionEnd] : null;
    } catch {
        return null;
    }
}

/**
 * @param {ParentNode} region
 * @param {string} key
 * @returns {HTMLElement | null}
 */
export function find(region, key) {
    return region.querySelector(`[data-k="${CSS.escape(key)}"]`);
}

let serial = 0;

/** An id for label and field pairs. @param {string} name */
export function uid(name) {
    serial += 1;
    return `gh-${name}-${serial}`;
}
