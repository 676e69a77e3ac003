import * as format from "./format";
import { lang, t } from "./i18n/index.svelte";
import type { Option, Person, Question } from "./types";

/** Choices come as plain words or as value and text. */
export const optionsOf = (list: (string | Option)[] | undefined): Option[] =>
  (list ?? []).map((option) => (typeof option === "string" ? { value: option, text: option } : option));

export const isEmpty = (value: unknown) =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);

/** An answer in words, as it is shown where it cannot be changed. */
export function valueText({ type, options }: Pick<Question, "type" | "options">, value: unknown): string {
  if (isEmpty(value)) return "";
  const nameOf = (one: unknown) => optionsOf(options).find((option) => option.value === one)?.text ?? String(one);
  switch (type) {
    case "bool":
      return value === true || value === "true" ? t("field.yes") : t("field.no");
    case "choice":
      return nameOf(value);
    case "multi_choice":
      return listOf(asList(value).map(nameOf));
    case "list":
      return listOf(asList(value).map(String));
    case "people_list":
      return listOf(asPeople(value).map(personText));
    case "number":
    case "money":
      return typeof value === "number" ? new Intl.NumberFormat(lang.place.locale).format(value) : String(value);
    case "date":
      return dateText(String(value), { day: "numeric", month: "long", year: "numeric" });
    case "month":
      return dateText(`${String(value)}-01`, { month: "long", year: "numeric" });
    case "month_day":
      return dateText(`2000-${String(value)}`, { day: "numeric", month: "long" });
    default:
      return String(value);
  }
}

export const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const asPeople = (value: unknown) => asList(value) as Person[];

function personText({ name, share }: Person): string {
  return share ? t("field.person_text", { name, share }) : name;
}

const listOf = (words: string[]) => new Intl.ListFormat(lang.place.locale).format(words);

/** A day on the calendar has no zone: it is the same day everywhere. */
function dateText(value: string, style: Intl.DateTimeFormatOptions): string {
  const date = format.parse(value.length > 10 ? value : `${value}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return value;
  return new Intl.DateTimeFormat(lang.place.locale, { ...style, timeZone: "UTC" }).format(date);
}

export const monthNames = () =>
  Array.from({ length: 12 }, (_, i) =>
    new Intl.DateTimeFormat(lang.place.locale, { month: "long", timeZone: "UTC" }).format(
      new Date(Date.UTC(2000, i, 1)),
    ),
  );
