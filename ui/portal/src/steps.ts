import { isDecided, toReview } from "./review";
import type { Action, Blocker, Item, RequestView } from "./types";

/** The steps that this side may take. The server lists also what others may do next; that is not ours to offer. */
export const ownActions = (view: RequestView) => view.actions.filter(({ by }) => by.includes("client"));

/** What moves the request on. While it is with us nothing does: taking back is possible, but no next step. */
export function primaryOf(view: RequestView): Action | undefined {
  if (view.turn !== "client") return undefined;
  const own = ownActions(view);
  const named = own.find(({ primary }) => primary);
  if (!toReview(view).length) return named;
  // What was decided says which step follows; before that, the one that names what there is to decide.
  const open = own.filter(({ confirm }) => !confirm);
  return open.find(({ allowed }) => allowed) ?? open.find(({ blockers }) => blockers.some(({ item }) => item)) ?? named;
}

/** What is offered beside it. Of two steps that differ by the rounds that are left, only the one that counts now. */
export function otherActions(view: RequestView): Action[] {
  const own = ownActions(view);
  const spent = ({ blockers }: Action) => blockers.some(({ code }) => code === "rounds");
  const alike = (a: Action, b: Action) => JSON.stringify(a.requires) === JSON.stringify(b.requires);
  return own.filter((action) => !spent(action) || !own.some((other) => !spent(other) && alike(action, other)));
}

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
  const item = items.find(({ id }) => id === blocker.item) ?? reviewedSpot(blocker, view);
  if (item) return { blocker, name: item.title, hash: `#item-${item.id}` };
  const field = view.fields.find(({ key }) => key === blocker.field);
  if (field) return { blocker, name: field.label, hash: `#field-${field.key}` };
  return { blocker, name: blocker.message, hash: "" };
}

/** A blocker about decisions as such is lifted at the first item that waits for one. */
function reviewedSpot({ code }: Blocker, view: RequestView): Item | undefined {
  if (code === "veto_open") return toReview(view).find(({ review }) => review?.veto_open);
  if (code !== "no_item" && code !== "item_open") return undefined;
  return toReview(view).find((item) => !isDecided(item));
}

/** Up to here all items open in place; from the next one on each has a page of its own. */
const FEW = 12;

export const isLong = ({ sections }: RequestView) => sections.reduce((n, { items }) => n + items.length, 0) > FEW;

/** The address of a spot: on a long list an item is a page. */
export const hrefOf = (view: RequestView, hash: string) =>
  isLong(view) && hash.startsWith("#item-") ? `/r/${view.id}/i/${hash.slice(6)}` : `/r/${view.id}${hash}`;

/** Whether this person has something to do about an item: give it, give more, accept it, decide on it. */
export function needsYou(item: Item): boolean {
  if (item.can_review) return !isDecided(item);
  return item.editable && (["missing", "rejected", "more_needed", "expired"].includes(item.status) || !!item.stale);
}

/** The items before and after one that need this person. */
export function neighbours(view: RequestView, id: string): { before?: Item; after?: Item } {
  const items = view.sections.flatMap((section) => section.items);
  const at = items.findIndex((item) => item.id === id);
  return { before: items.slice(0, Math.max(0, at)).findLast(needsYou), after: items.slice(at + 1).find(needsYou) };
}

/** Whether there is anything of the client's own to look over before the step. */
export const worthChecking = (view: RequestView) =>
  toReview(view).length > 0 ||
  view.sections.some(({ provider, items }) => provider === "client" && items.length > 0) ||
  view.fields.length > 0;
