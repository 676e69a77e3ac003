// @ts-check
// A firm may choose any colour; white words on it must stay readable (4.6 : 1).

const ENOUGH = 4.6;
const STANDARD = "#0b5f59";

/** @param {string} hex @returns {number[] | null} three parts, 0 to 255 */
function parts(hex) {
    const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex.trim());
    return found ? found.slice(1).map((part) => parseInt(part, 16)) : null;
}

/** Contrast of white on a colour, WCAG 2 relative luminance. @param {number[]} rgb */
export function onWhite(rgb) {
    const [r, g, b] = rgb.map((part) => {
        const s = part / 255;
        return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05);
}

/** The colour itself, or the same made darker until white words on it can be read. @param {string} hex */
export function readable(hex) {
    let rgb = parts(hex ?? "") ?? /** @type {number[]} */ (parts(STANDARD));
    while (onWhite(rgb) < ENOUGH) rgb = rgb.map((part) => Math.floor(part * 0.95));
    return "#" + rgb.map((part) => part.toString(16).padStart(2, "0")).join("");
}
