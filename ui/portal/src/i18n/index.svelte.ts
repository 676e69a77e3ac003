import * as format from "../format";
import { en } from "./en";
import { translate, type ArgsOf, type Catalogue } from "./translate";

type Texts = { [K in keyof typeof en]: Catalogue[string] };
export type Key = keyof typeof en;

/** Languages that have a catalogue; the made-up one is only loaded by who asks for it. */
const catalogues: Record<string, () => Promise<Texts>> = {
  en: () => Promise.resolve(en),
  "en-XA": async () => (await import("./pseudo")).pseudo(en),
};

const RTL = new Set(["ar", "fa", "he", "ur", "ps", "sd", "ug", "yi", "dv"]);

/** The language of the texts, and how this person's dates and numbers are written. */
export const lang = $state<{ texts: Texts; place: format.Place }>({
  texts: en,
  place: { locale: "en", timeZone: "UTC", homeZone: "UTC" },
});

/** Takes the first wish that has a catalogue; the direction of the page follows the person's own language. */
export async function speak(wishes: string[], timeZone: string, homeZone: string) {
  const known = wishes.filter(Boolean);
  const locale = known.find((wish) => wish in catalogues || language(wish) in catalogues) ?? "en";
  const load = catalogues[locale] ?? catalogues[language(locale)];
  lang.texts = load ? await load() : en;
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // English of no country: the day before the month, and 24 hours.
  lang.place = {
    locale: ["en", "en-XA"].includes(locale) ? "en-GB" : locale,
    timeZone: timeZone || homeZone || own,
    homeZone,
  };
  document.documentElement.lang = lang.place.locale;
  document.documentElement.dir = RTL.has(language(known[0] ?? "en")) ? "rtl" : "ltr";
}

const language = (locale: string) => locale.split("-")[0] ?? "en";

export function t<K extends Key>(key: K, ...[args]: ArgsOf<(typeof en)[K]>): string {
  return translate(lang.texts[key], lang.place.locale, args);
}

const now = () => new Date();

export const day = (at: string) => format.day(at, lang.place, now());
export const clock = (at: string | Date) => format.clock(at, lang.place);
export const exact = (at: string) => {
  const zone = format.otherZone(lang.place);
  const moment = format.exact(at, lang.place);
  return zone ? t("time.exact_zone", { moment, zone }) : moment;
};
export const daysUntil = (at: string) => format.daysBetween(now(), format.parse(at), lang.place);
export const inDays = (days: number) => format.relativeDays(days, lang.place);

/** "Mon 8 Dec, 17:40" */
export const stamp = (at: string) => t("time.on", { day: day(at), time: clock(at) });

/** "today 09:14", "Mon 8 Dec 17:40": within a sentence */
export function moment(at: string): string {
  const days = daysUntil(at);
  return t("time.at", { day: days === 0 || days === -1 ? inDays(days) : day(at), time: clock(at) });
}

/** "Today 09:14": standing alone */
export const Moment = (at: string) => format.capital(moment(at), lang.place);

/** "180 KB", "11 MB" */
export function size(bytes: number): string {
  const { unit, value } = format.sizeOf(bytes);
  return t(`file.size_${unit}`, { n: value });
}

export const list = (words: string[]) => new Intl.ListFormat(lang.place.locale, { type: "disjunction" }).format(words);
export const names = (words: string[]) => new Intl.ListFormat(lang.place.locale).format(words);
