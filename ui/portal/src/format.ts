/** Dates, numbers and sizes in the way of one person. Pure: the language, the zones and the moment come in. */
export interface Place {
  locale: string;
  timeZone: string;
  /** The firm's zone: times say their zone where the person's is another one. */
  homeZone: string;
}

/** The server writes "2026-12-12 12:00:00.000Z". */
export const parse = (at: string | Date) => (at instanceof Date ? at : new Date(at.replace(" ", "T")));

/** "Fri 12 Dec", with the year where it is not the present one. */
export function day(at: string, place: Place, now: Date): string {
  const date = parse(at);
  if (Number.isNaN(date.getTime())) return at;
  const sameYear = calendarDay(date, place).slice(0, 4) === calendarDay(now, place).slice(0, 4);
  const text = new Intl.DateTimeFormat(place.locale, {
    weekday: sameYear ? "short" : undefined,
    day: "numeric",
    month: "short",
    year: sameYear ? undefined : "numeric",
    timeZone: place.timeZone,
  }).format(date);
  return text.replace(/^(\p{L}+), (\d)/u, "$1 $2");
}

/** "14:05" */
export const clock = (at: string | Date, place: Place) =>
  new Intl.DateTimeFormat(place.locale, { hour: "2-digit", minute: "2-digit", timeZone: place.timeZone }).format(
    parse(at),
  );

/** "Friday, 12 December 2026 at 14:05" */
export const exact = (at: string, place: Place) =>
  new Intl.DateTimeFormat(place.locale, { dateStyle: "full", timeStyle: "short", timeZone: place.timeZone }).format(
    parse(at),
  );

/** The person's zone, where it differs from the firm's. */
export function otherZone(place: Place): string {
  return place.homeZone && place.timeZone !== place.homeZone ? place.timeZone.replace(/_/g, " ") : "";
}

/** "2026-12-12" in the person's zone: what a calendar on their wall says. */
function calendarDay(date: Date, place: Place): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: place.timeZone }).format(date);
}

/** Whole days on the calendar from one moment to the other; negative when it has passed. */
export function daysBetween(from: Date, to: Date, place: Place): number {
  const midnight = (date: Date) => Date.parse(`${calendarDay(date, place)}T00:00:00Z`);
  return Math.round((midnight(to) - midnight(from)) / 86_400_000);
}

/** "in 3 days", "tomorrow", "yesterday" */
export const relativeDays = (days: number, place: Place) =>
  new Intl.RelativeTimeFormat(place.locale, { numeric: "auto" }).format(days, "day");

export const capital = (text: string, place: Place) => text.charAt(0).toLocaleUpperCase(place.locale) + text.slice(1);

/** Bytes as people count them: 25 MB is 25 × 1024 × 1024, as the server's limits are. */
export function sizeOf(bytes: number): { unit: "b" | "kb" | "mb"; value: number } {
  if (bytes < 1024) return { unit: "b", value: bytes };
  if (bytes < 1024 * 1000) return { unit: "kb", value: Math.round(bytes / 1024) };
  const mb = bytes / 1024 / 1024;
  return { unit: "mb", value: mb < 10 ? Math.round(mb * 10) / 10 : Math.round(mb) };
}

/** Reads a number as this person writes it ("1 200,50"); nothing when it is none. */
export function readNumber(text: string, locale: string): number | undefined {
  const parts = new Intl.NumberFormat(locale).formatToParts(12345.6);
  const mark = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  let plain = text.trim().replace(/[\s\u00a0\u202f'’]/g, "");
  if (mark("group").trim()) plain = plain.replaceAll(mark("group"), "");
  plain = plain.replace(mark("decimal") || ".", ".");
  return /^[-+]?\d+(\.\d+)?$/.test(plain) ? Number(plain) : undefined;
}

/** "s***@harbor.example" */
export const maskEmail = (email: string) => email.replace(/^(.)[^@]*/, "$1***");

/** "SO" of Sam Okafor */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...(word ?? "")][0]?.toLocaleUpperCase() ?? "").join("");
}
