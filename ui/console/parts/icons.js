// @ts-check
// The few icons, drawn in place: the plain shell has no icon font, and an icon is never the only signal.

const shapes = {
    pen: "M4 20h4L19 9l-4-4L4 16v4zM13.5 6.5l4 4",
    eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 100 6 3 3 0 000-6",
    bang: "M12 3a9 9 0 100 18 9 9 0 000-18M12 7v6M12 16.5v.5",
    check: "M5 12.5l4.5 4.5L19 7.5",
    back: "M9 14L4 9l5-5M4 9h10a6 6 0 010 12h-3",
    box: "M4 8h16v12H4zM3 4h18v4H3zM10 12h4",
    circle: "M12 4a8 8 0 100 16 8 8 0 000-16",
    person: "M12 3a4 4 0 100 8 4 4 0 000-8M5 21a7 7 0 0114 0",
    question: "M12 3a9 9 0 100 18 9 9 0 000-18M9.5 9.5a2.5 2.5 0 115 0c0 2-2.5 2-2.5 4M12 17v.5",
    lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 017 0v3",
    plus: "M12 5v14M5 12h14",
    file: "M6 3h8l5 5v13H6zM14 3v5h5",
    up: "M12 19V5M6 11l6-6 6 6",
    down: "M12 5v14M6 13l6 6 6-6",
    close: "M6 6l12 12M18 6L6 18",
    mail: "M3 6h18v12H3zM3 7l9 7 9-7",
    menu: "M4 7h16M4 12h10M4 17h16",
    keyboard: "M3 7h18v10H3zM7 10.5h.5M11 10.5h.5M15 10.5h.5M8 14h8",
    link: "M10 14a4 4 0 005.7 0l3-3a4 4 0 00-5.7-5.7l-1 1M14 10a4 4 0 00-5.7 0l-3 3A4 4 0 0011 18.7l1-1",
};

/** @typedef {keyof typeof shapes} IconName */

const SVG = "http://www.w3.org/2000/svg";

/** @param {IconName} name */
export function icon(name) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", "gh-icon");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shapes[name]);
    svg.append(path);
    return svg;
}
