import type { Item, RequestView, Section } from "./types";
import { asList } from "./values";

export interface Group {
  key: string;
  /** Whose set of items it is; empty for those that belong to nobody in particular. */
  name: string;
  items: Item[];
}

/** A section in sets: what is asked once for each person or thing of a list stands together under its name. */
export function groupsOf(view: RequestView, { items }: Section): Group[] {
  const names = elements(view);
  const groups: Group[] = [];
  for (const item of items) {
    const key = item.instance.split("/")[0] ?? "";
    const name = names.get(key) ?? "";
    const last = groups.find((group) => group.key === (name ? key : "") && group.name === name);
    if (last) last.items.push(item);
    else groups.push({ key: name ? key : "", name, items: [item] });
  }
  // One item each is no set: its own title says whose it is.
  return groups.some(({ name, items }) => name && items.length > 1) ? groups : [{ key: "", name: "", items }];
}

/** What the lists of the request hold: by the id that an item's instance begins with. */
function elements({ fields }: RequestView): Map<string, string> {
  const names = new Map<string, string>();
  for (const { type, value } of fields) {
    if (type !== "people_list" && type !== "list" && type !== "multi_choice") continue;
    for (const one of asList(value)) {
      if (typeof one === "string") names.set(slug(one), one);
      else if (isNamed(one)) names.set(one.id || slug(one.name), one.name);
    }
  }
  return names;
}

const isNamed = (one: unknown): one is { id?: string; name: string } =>
  typeof one === "object" && one !== null && "name" in one && typeof one.name === "string";

/** The id of an element that is a plain text, as the server makes it. */
const slug = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9\u0080-\uffff]+/g, "-")
    .replace(/^-|-$/g, "");
