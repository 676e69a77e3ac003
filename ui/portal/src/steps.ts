import type { Action, Blocker, Item, RequestView } from "./types";

/** The steps that this side may take. The server lists also what others may do next; that is not ours to offer. */
export const ownActions = (view: RequestView) => view.actions.filter(({ by }) => by.includes("client"));

/** What moves the request on. While it is with us nothing does: taking back is possible, but no next step. */
export const primaryOf = (view: RequestView): Action | undefined =>
  view.turn === "client" ? ownActions(view).find(({ primary }) => primary) : undefined;

/** Sending answers in, as against signing or taking back: only this ends on the page that says "sent". */
export const isSending = ({ key }: Action) => key.startsWith("submit");

/** A blocker and the spot on the page that lifts it. */
export interface Missing {
  blocker: Blocker;
  name: string;
  /** The address of the spot within the request's page; empty where there is none. */
  hash: string;
}

export function missingOf(view: RequestView, action: Action): Missing[] {
  const items = view.sections.flatMap((section) => section.items);
  const order = (missing: Missing) => items.findIndex(({ id }) => missing.hash === `#item-${id}`);
  const all = action.blockers.map((blocker) => toMissing(blocker, view, items));
  const once = all.filter(({ hash }, i) => !hash || all.findIndex((other) => other.hash === hash) === i);
  // Fields stand above the items on the page; what has no spot comes last.
  return once.sort((a, b) => Number(!a.hash) - Number(!b.hash) || order(a) - order(b));
}

function toMissing(blocker: Blocker, view: RequestView, items: Item[]): Missing {
  const item = items.find(({ id }) => id === blocker.item);
  if (item) return { blocker, name: item.title, hash: `#item-${item.id}` };
  const field = view.fields.find(({ key }) => key === blocker.field);
  if (field) return { blocker, name: field.label, hash: `#field-${field.key}` };
  return { blocker, name: blocker.message, hash: "" };
}

/** Whether there is anything of the client's own to look over before the step. */
export const worthChecking = (view: RequestView) =>
  view.sections.some(({ provider, items }) => provider === "client" && items.length > 0) || view.fields.length > 0;
