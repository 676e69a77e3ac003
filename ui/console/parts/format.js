// @ts-check
// Dates, spans and sizes in the person's language and time zone. Pure: the time now comes in.

let place = { locale: "en-GB", timezone: /** @type {string | undefined} */ (undefined) };

/**
 * From the sign-in: how this person reads dates. An unknown zone or language falls back to the browser's.
 * @param {string} [locale]
 * @param {string} [timezone]
 */
export function setPlace(locale, timezone) {
    place = { locale: usable(locale) ?? "en-GB", timezone: zone(timezone) };
}

/** @param {string} [locale] */
function usable(locale) {
    try {
        const [known] = locale ? Intl.getCanonicalLocales(locale) : [];
        // English without a country is written as in the console's own texts: day before month, 24 hours.
        return known === "en" ? "en-GB" : known;
    } catch {
        return undefined;
    }
}

/** @param {string} [timezone] */
function zone(timezone) {
    try {
        if (timezone) new Intl.DateTimeFormat("en", { timeZone: timezone });
        return timezone || undefined;
    } catch {
        return undefined;
    }
}

/** PocketBase writes "2026-12-12 12:00:00.000Z". @param {string} text */
export function instant(text) {
    if (!text) return null;
    const at = new Date(text.replace(" ", "T"));
    return Number.isNaN(at.getTime()) ? null : at;
}

/** @param {Date} at @param {Intl.DateTimeFormatOptions} how */
function show(at, how) {
    return new Intl.DateTimeFormat(place.locale, { timeZone: place.timezone, ...how }).format(at).replace(",", "");
}

/** The calendar day in the person's zone, to compare days and not hours. @param {Date} at */
function day(at) {
    return new Intl.DateTimeFormat("en-CA", { timeZone: place.timezone }).format(at);
}

/** "Mon 8 Dec", with the year when it is not this one. @param {string} text @param {Date} [now] */
export function date(text, now = new Date()) {
    const at = instant(text);
    if (!at) return "";
    const same = day(at).slice(0, 4) === day(now).slice(0, 4);
    return show(at, { weekday: "short", day: "numeric", month: "short", ...(same ? {} : { year: "numeric" }) });
}

/** "Today 09:41" or "Thu 4 Dec 16:20". @param {string} text @param {Date} [now] */
export function moment(text, now = new Date()) {
    const at = instant(text);
    if (!at) return "";
    const clock = show(at, { hour: "2-digit", minute: "2-digit" });
    return `${day(at) === day(now) ? "Today" : date(text, now)} ${clock}`;
}

/** The full date and time, for a title. @param {string} text */
export function exact(text) {
    const at = instant(text);
    return at ? show(at, { dateStyle: "full", timeStyle: "long" }) : "";
}

/** How long something waits: "40 min", "2 h", "5 d". @param {string} since @param {Date} [now] */
export function waiting(since, now = new Date()) {
    const at = instant(since);
    if (!at) return "";
    const minutes = Math.max(0, Math.floor((now.getTime() - at.getTime()) / 60000));
    if (minutes < 60) return `${minutes} min`;
    if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h`;
    return `${Math.floor(minutes / 1440)} d`;
}

/** @param {number} bytes */
export function size(bytes) {
    if (!(bytes >= 0)) return "";
    const [value, unit] =
        bytes < 1000
            ? [bytes, "byte"]
            : bytes < 1e6
              ? [Math.round(bytes / 1e3), "kilobyte"]
              : [bytes / 1e6, "megabyte"];
    return new Intl.NumberFormat(place.locale, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
}

/** "Maria Lindqvist" → "ML"; one word → its first two letters. @param {string} name */
export function initials(name) {
    const parts = name.trim().split(/\s+/).filter(Boolean);
    if (parts.length === 0) return "";
    const letters =
        parts.length === 1 ? [...parts[0]].slice(0, 2) : [[...parts[0]][0], [...parts[parts.length - 1]][0]];
    return letters.join("").toLocaleUpperCase(place.locale);
}

/** What a date field of a form shows: the day in the person's zone. @param {string} text */
export function dayInput(text) {
    const at = instant(text);
    return at ? day(at) : "";
}

/** A chosen day means noon UTC, so that it is the same day almost everywhere. @param {string} value */
export function dayOutput(value) {
    return value ? `${value} 12:00:00.000Z` : "";
}

/** @param {string[]} parts */
export function listed(parts) {
    return new Intl.ListFormat(place.locale, { type: "conjunction" }).format(parts);
}
