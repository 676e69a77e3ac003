import { describe, expect, it } from "vitest";
import { hrefOf, isLong, missingOf, needsYou, neighbours, ownActions, primaryOf } from "../src/steps";
import { toneOf, toneOfItem } from "../src/tone";
import type { Action, Item, RequestView } from "../src/types";

const action = (changes: Partial<Action>): Action => ({
  key: "submit",
  label: "Send",
  to: "submitted",
  allowed: false,
  by: ["client"],
  confirm: false,
  primary: true,
  consequence: "",
  blockers: [],
  requires: [],
  ...changes,
});
const item = (id: string, changes: Partial<Item> = {}) =>
  ({ id, title: `Item ${id}`, status: "missing", editable: true, answers: {}, documents: [], ...changes }) as Item;
const view = (actions: Action[], turn = "client") =>
  ({
    turn,
    sections: [{ items: [item("a"), item("b")] }],
    fields: [{ key: "year_end", label: "Year end" }],
    actions,
  }) as unknown as RequestView;

describe("the steps of a request", () => {
  it("are those of this side; what staff may do next is not offered", () => {
    const shown = view([action({ key: "approve", by: ["staff"] }), action({ key: "submit" })]);
    expect(ownActions(shown).map(({ key }) => key)).toEqual(["submit"]);
    expect(primaryOf(shown)?.key).toBe("submit");
  });

  it("have no next one while it is not our turn", () => {
    expect(primaryOf(view([action({ key: "take_back" })], "staff"))).toBeUndefined();
  });

  it("name what is missing in the order of the page, each spot once", () => {
    const blockers = [
      { code: "item_missing", message: "b", item: "b" },
      { code: "item_missing", message: "a", item: "a" },
      { code: "rounds", message: "No rounds left." },
      { code: "field_missing", message: "year", field: "year_end" },
      { code: "item_open", message: "a again", item: "a" },
    ];
    const missing = missingOf(view([]), action({ blockers }));
    expect(missing.map(({ hash }) => hash)).toEqual(["#field-year_end", "#item-a", "#item-b", ""]);
    expect(missing.at(-1)?.name).toBe("No rounds left.");
  });
});

const many = (n: number, changes: (at: number) => Partial<Item>) =>
  ({ sections: [{ items: Array.from({ length: n }, (_, at) => item(`i${at}`, changes(at))) }] }) as RequestView;

describe("a long list", () => {
  it("begins with the thirteenth item: from there on each has a page of its own", () => {
    const [short, long] = [many(12, () => ({})), many(13, () => ({}))];
    expect([isLong(short), isLong(long)]).toEqual([false, true]);
    expect(hrefOf({ ...short, id: "r" }, "#item-i3")).toBe("/r/r#item-i3");
    expect(hrefOf({ ...long, id: "r" }, "#item-i3")).toBe("/r/r/i/i3");
    expect(hrefOf({ ...long, id: "r" }, "#field-year")).toBe("/r/r#field-year");
  });

  it("leads from an item to those before and after it that need the person", () => {
    const view = many(6, (at) => ({ status: at % 3 === 0 ? "missing" : "provided" }));
    expect(neighbours(view, "i3").before?.id).toBe("i0");
    expect(neighbours(view, "i1").after?.id).toBe("i3");
    expect(neighbours(view, "i4").after).toBeUndefined();
    expect(needsYou(item("a", { editable: false }))).toBe(false);
    expect(needsYou(item("a", { status: "provided", stale: true }))).toBe(true);
  });
});

describe("the tone", () => {
  it.each([
    ["waiting", "client", "", "need"],
    ["review", "staff", "", "us"],
    ["review", "system", "", "us"],
    ["blocked", "staff", "", "block"],
    ["done", "nobody", "success", "ok"],
    ["done", "nobody", "void", "bad"],
    ["done", "nobody", "", "todo"],
  ] as const)("of %s, %s's turn, outcome %o is %s", (category, turn, outcome, tone) => {
    expect(toneOf({ category, turn, outcome }).tone).toBe(tone);
  });

  it("of an item follows its status, and a begun one differs from an untouched one", () => {
    expect(toneOfItem(item("a")).icon).toBe("circle");
    expect(toneOfItem(item("a", { answers: { text: "x" } })).icon).toBe("pen");
    expect(toneOfItem(item("a", { status: "rejected" })).tone).toBe("bad");
    expect(toneOfItem(item("a", { status: "more_needed" })).tone).toBe("need");
    expect(toneOfItem(item("a", { status: "provided", editable: false })).icon).toBe("eye");
  });
});
