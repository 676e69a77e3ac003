import type { Catalogue, Message } from "./translate";

const PLAIN = "aceilnorsuyACEINORSUY";
const MARKED = "áçéíľñóŕšúýÁÇÉÍÑÓŔŠÚÝ";

/**
 * A made-up language to test with: marked letters show texts that are not in the catalogue, brackets show joined
 * sentences, and the extra length shows what would not fit in a wordier language.
 */
export function pseudo<C extends Catalogue>(catalogue: C): C {
  return Object.fromEntries(Object.entries(catalogue).map(([key, message]) => [key, mark(message)])) as C;
}

function mark(message: Message): Message {
  if (typeof message === "string") return markText(message);
  return Object.fromEntries(Object.entries(message).map(([form, text]) => [form, markText(text)])) as Message;
}

function markText(text: string): string {
  const marked = text.replace(/\{\w+\}|<\/?b>|[a-zA-Z]/g, (part) => {
    const at = part.length === 1 ? PLAIN.indexOf(part) : -1;
    return at < 0 ? part : (MARKED[at] ?? part);
  });
  return `[${marked}${"~".repeat(Math.ceil(text.length * 0.4))}]`;
}
