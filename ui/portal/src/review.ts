import type { Doc, Item, RequestView } from "./types";

/** Rules of looking at what the firm made: what is decided, what can be shown in place, which versions belong together. */

const SETTLED = ["accepted", "rejected", "more_needed", "waived", "not_applicable"];

/** Whether nothing is left for this person to say; where others decide too, their word settles it as well. */
export const isDecided = (item: Item) => !!item.review?.mine || SETTLED.includes(item.status);

/** This person's own decision; where one person decides, it is the item's status. */
export function ownDecision(item: Item): string {
  if (item.review) return item.review.mine;
  return SETTLED.includes(item.status) ? item.status : "";
}

/** The items that this person may decide on now; none while it is not our turn. */
export const toReview = (view: RequestView): Item[] =>
  view.read_only || view.turn !== "client"
    ? []
    : view.sections.flatMap(({ items }) => items).filter(({ can_review }) => can_review);

export type Face = "image" | "pdf" | "none";

/** How a file can be shown in the page. An SVG may carry scripts, so it is not. */
export function faceOf({ mime, state }: Pick<Doc, "mime" | "state">): Face {
  if (state !== "ready") return "none";
  if (/^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(mime)) return "image";
  return mime === "application/pdf" ? "pdf" : "none";
}

/** The versions before a file, newest first: those of the same name, else all that were replaced. */
export function earlierOf(doc: Doc, all: Doc[]): Doc[] {
  const old = all.filter((one) => !one.current && one.id !== doc.id);
  const named = old.filter(({ title }) => title === doc.title);
  return (named.length ? named : old).sort((a, b) => b.version - a.version || b.created.localeCompare(a.created));
}

/** Whose veto still stands, if one does: only they can lift it, by accepting. */
export const vetoes = ({ review }: Item) =>
  review?.veto_open ? review.votes.filter(({ veto, status }) => veto && status !== "accepted") : [];
