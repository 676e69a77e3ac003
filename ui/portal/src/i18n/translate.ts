type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };
export type Message = string | Plural;
export type Catalogue = Record<string, Message>;

type Names<S> = S extends `${string}{${infer N}}${infer Rest}` ? N | Names<Rest> : never;
type Text<M> = M extends string ? M : M extends { other: infer O } ? O : never;

/** What a message wants filled in, read from its own text: a forgotten name does not compile. */
export type ArgsOf<M> = [Names<Text<M>>] extends [never] ? [] : [Record<Names<Text<M>>, string | number>];

/** Fills in a message; `n` chooses the plural form, and numbers are written the way the language does. */
export function translate(message: Message, language: string, args: Record<string, string | number> = {}): string {
  const text = typeof message === "string" ? message : choose(message, language, Number(args.n ?? 0));
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = args[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? new Intl.NumberFormat(language).format(value) : value;
  });
}

function choose(message: Plural, language: string, n: number): string {
  return message[new Intl.PluralRules(language).select(n)] ?? message.other;
}

/** Splits a filled message at its <b> marks, so that it can be shown without touching markup. */
export function segments(text: string): { text: string; bold: boolean }[] {
  return text
    .split(/(<b>.*?<\/b>)/)
    .filter(Boolean)
    .map((part) => ({ text: part.replace(/<\/?b>/g, ""), bold: part.startsWith("<b>") }));
}
