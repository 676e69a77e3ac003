import type { RequestView } from "./types";

/** What an answer made appear and disappear, by name: items and fields that depend on it. */
export function comeAndGone(before: RequestView, after: RequestView): { come: string[]; gone: string[] } {
  // Another state shows other things; that is no surprise, and told by the state itself.
  if (before.state !== after.state) return { come: [], gone: [] };
  const [old, now] = [namesOf(before), namesOf(after)];
  return {
    come: [...now].filter(([id]) => !old.has(id)).map(([, name]) => name),
    gone: [...old].filter(([id]) => !now.has(id)).map(([, name]) => name),
  };
}

function namesOf({ sections, fields }: RequestView): Map<string, string> {
  const items = sections.flatMap((section) => section.items);
  return new Map([
    ...fields.map(({ key, label }): [string, string] => [`field:${key}`, label]),
    ...items.map(({ id, title }): [string, string] => [id, title]),
  ]);
}
