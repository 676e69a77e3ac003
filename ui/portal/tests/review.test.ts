import { describe, expect, it } from "vitest";
import { groupsOf } from "../src/groups";
import { earlierOf, faceOf, isDecided, ownDecision, toReview, vetoes } from "../src/review";
import { missingOf, primaryOf } from "../src/steps";
import { labelOf } from "../src/tone";
import type { Action, Doc, Item, RequestView, Review, Section, Vote } from "../src/types";
import { comeAndGone } from "../src/when";

const item = (id: string, changes: Partial<Item> = {}) =>
  ({
    id,
    title: id,
    status: "provided",
    label: "With us",
    can_review: true,
    answers: {},
    documents: [],
    ...changes,
  }) as Item;
const action = (key: string, changes: Partial<Action> = {}) =>
  ({
    key,
    label: key,
    allowed: false,
    by: ["client"],
    confirm: false,
    primary: false,
    blockers: [],
    ...changes,
  }) as Action;
const view = (items: Item[], actions: Action[] = []) =>
  ({
    turn: "client",
    read_only: "",
    state: "s",
    sections: [{ provider: "staff", items }],
    fields: [],
    actions,
  }) as unknown as RequestView;
const vote = (role: string, status: string): Vote => ({
  name: role,
  role,
  status,
  veto: role === "Legal",
  comment: "",
  at: "",
});
const review = (changes: Partial<Review>): Review => ({
  role: "Approver",
  count: 2,
  needed: "1 of 2 approvals",
  votes: [],
  veto_open: false,
  mine: "",
  ...changes,
});

describe("an item to decide on", () => {
  it("waits until this person has decided, or others have settled it", () => {
    expect(isDecided(item("a"))).toBe(false);
    expect(isDecided(item("a", { status: "rejected" }))).toBe(true);
    expect(isDecided(item("a", { review: review({ mine: "accepted" }) }))).toBe(true);
    expect(isDecided(item("a", { review: review({}) }))).toBe(false);
    expect(ownDecision(item("a", { status: "accepted", review: review({}) }))).toBe("");
    expect(ownDecision(item("a", { status: "more_needed" }))).toBe("more_needed");
  });

  it("is called what it is for this side's eyes", () => {
    expect(labelOf(item("a"))).toBe("Your decision");
    expect(labelOf(item("a", { status: "accepted", label: "Accepted" }))).toBe("Accepted");
    expect(labelOf(item("a", { can_review: false, status: "more_needed" }))).toBe("More needed");
  });

  it("is none for who may only look, and none while it is not our turn", () => {
    expect(toReview(view([item("a")])).length).toBe(1);
    expect(toReview({ ...view([item("a")]), read_only: "You can view this." })).toEqual([]);
    expect(toReview({ ...view([item("a")]), turn: "staff" })).toEqual([]);
  });

  it("names who stands in the way", () => {
    const votes = [vote("Approver", "rejected"), vote("Legal", "rejected")];
    expect(vetoes(item("a", { review: review({ votes }) }))).toEqual([]);
    expect(vetoes(item("a", { review: review({ votes, veto_open: true }) })).map(({ role }) => role)).toEqual([
      "Legal",
    ]);
  });
});

describe("the step that follows a review", () => {
  const change = action("request_changes", {
    primary: true,
    blockers: [{ code: "no_item", message: "Nothing was sent back." }],
  });
  const approve = action("approve", { blockers: [{ code: "item_open", message: "a is open.", item: "a" }] });
  const cancel = action("cancel", { allowed: true, confirm: true });

  it("is the one that names what there is to decide, then the one that the decisions allow", () => {
    const all = [change, approve, cancel];
    expect(primaryOf(view([item("a")], all))?.key).toBe("approve");
    const decided = [item("a", { status: "accepted" })];
    expect(primaryOf(view(decided, [change, { ...approve, allowed: true }, cancel]))?.key).toBe("approve");
    expect(primaryOf(view(decided, [{ ...change, allowed: true }, approve, cancel]))?.key).toBe("request_changes");
  });

  it("leads to the first open decision where the blocker names no item", () => {
    const missing = missingOf(view([item("a", { status: "accepted" }), item("b")], [change]), change);
    expect(missing.map(({ hash }) => hash)).toEqual(["#item-b"]);
  });
});

describe("files", () => {
  const doc = (id: string, version: number, changes: Partial<Doc> = {}) =>
    ({ id, title: "poster.png", version, current: false, created: `2026-01-0${version}`, ...changes }) as Doc;

  it("are shown in place where a browser can do so without running anything", () => {
    expect(faceOf({ mime: "image/png", state: "ready" })).toBe("image");
    expect(faceOf({ mime: "application/pdf", state: "ready" })).toBe("pdf");
    expect(faceOf({ mime: "image/svg+xml", state: "ready" })).toBe("none");
    expect(faceOf({ mime: "image/png", state: "scanning" })).toBe("none");
  });

  it("have the versions before them, those of the same name first", () => {
    const now = doc("3", 3, { current: true });
    const all = [now, doc("1", 1), doc("2", 2), doc("x", 1, { title: "other.png" })];
    expect(earlierOf(now, all).map(({ id }) => id)).toEqual(["2", "1"]);
    expect(earlierOf({ ...now, title: "new.png" }, all).map(({ id }) => id)).toEqual(["2", "1", "x"]);
    expect(earlierOf(now, [now])).toEqual([]);
  });
});

const section = (items: Item[]) => ({ key: "s", title: "", provider: "client", items }) as Section;

describe("what is asked once for each person", () => {
  const owners = {
    key: "owners",
    label: "Owners",
    type: "people_list",
    value: [
      { id: "p1", name: "Ada" },
      { id: "p2", name: "Ben" },
    ],
  };
  const set = [
    item("1", { instance: "p1" }),
    item("2", { instance: "p1" }),
    item("3", { instance: "p2" }),
    item("4", { instance: "" }),
  ];

  it("stands together under the name", () => {
    const shown = { ...view(set), fields: [owners] } as unknown as RequestView;
    const groups = groupsOf(shown, section(set));
    expect(groups.map(({ name, items }) => [name, items.length])).toEqual([
      ["Ada", 2],
      ["Ben", 1],
      ["", 1],
    ]);
  });

  it("is one plain list where each has one item only, and where the list is not shown", () => {
    const single = set.filter(({ id }) => id === "1" || id === "3");
    const shown = { ...view(single), fields: [owners] } as unknown as RequestView;
    expect(groupsOf(shown, section(single)).length).toBe(1);
    expect(groupsOf(view(set), section(set)).length).toBe(1);
  });
});

describe("an answer that changes what is asked", () => {
  const before = view([item("a"), item("b")]);

  it("says by name what came and what went", () => {
    const after = view([item("a"), item("c")]);
    expect(comeAndGone(before, after)).toEqual({ come: ["c"], gone: ["b"] });
  });

  it("is no news when the request itself moved on", () => {
    expect(comeAndGone(before, { ...view([item("c")]), state: "next" })).toEqual({ come: [], gone: [] });
  });
});
