import { t } from "./i18n/index.svelte";
import type { IconName } from "./parts/Icon.svelte";
import { isDecided } from "./review";
import type { Item, RequestView, Tone } from "./types";

/** Colour and icon of where a request stands: from category, turn and outcome, never from a state's name. */
export function toneOf(view: Pick<RequestView, "category" | "turn" | "outcome">): { tone: Tone; icon: IconName } {
  if (view.category === "done") {
    if (view.outcome === "success") return { tone: "ok", icon: "check" };
    if (view.outcome === "void") return { tone: "bad", icon: "back" };
    return { tone: "todo", icon: "box" };
  }
  if (view.category === "blocked") return { tone: "block", icon: "bang" };
  if (view.turn === "client") return { tone: "need", icon: "pen" };
  return { tone: "us", icon: "eye" };
}

/** The same for an item. */
export function toneOfItem(item: Item): { tone: Tone; icon: IconName } {
  if (item.can_review && !isDecided(item)) return { tone: "need", icon: "eye" };
  if (item.stale) return { tone: "need", icon: "bang" };
  switch (item.status) {
    case "accepted":
      return { tone: "ok", icon: "check" };
    case "more_needed":
      return { tone: "need", icon: "up" };
    case "rejected":
    case "expired":
      return { tone: "bad", icon: "back" };
    case "waived":
    case "not_applicable":
      return { tone: "todo", icon: "box" };
    case "provided":
      return item.editable ? { tone: "us", icon: "check" } : { tone: "us", icon: "eye" };
    case "missing":
      return isBegun(item) ? { tone: "need", icon: "pen" } : { tone: "todo", icon: "circle" };
  }
}

/** The words on an item's tag: the server's, but for what only this side's eyes make of it. */
export function labelOf(item: Item): string {
  if (item.can_review && !isDecided(item)) return t("review.to_decide");
  if (item.stale) return t("item.stale");
  return item.status === "more_needed" ? t("item.more_needed") : item.label;
}

export const isSentBack = (item: Item) => ["rejected", "more_needed", "expired"].includes(item.status);

function isBegun(item: Item): boolean {
  return item.documents.length > 0 || Object.values(item.answers).some((value) => value !== null && value !== "");
}
