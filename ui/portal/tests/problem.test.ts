import { describe, expect, it } from "vitest";
import { kindOf, problemFrom } from "../src/problem";

describe("an answer of the server that is not a yes", () => {
  it.each([
    [0, "offline"],
    [502, "offline"],
    [401, "signed_out"],
    [404, "gone"],
    [409, "stale"],
    [429, "busy"],
    [400, "refused"],
    [403, "refused"],
    [413, "refused"],
    [500, "fault"],
    [507, "fault"],
  ])("%d is %s", (status, kind) => expect(kindOf(status)).toBe(kind));

  it("keeps the words, the fields and every blocker", () => {
    const problem = problemFrom(400, {
      status: 400,
      message: "2 things are missing.",
      data: { photo: { code: "item_missing", message: "Photo ID is missing." } },
      blockers: [{ code: "item_missing", message: "Photo ID is missing.", item: "photo" }],
    });
    expect(problem.message).toBe("2 things are missing.");
    expect(problem.fields.photo).toEqual({ code: "item_missing", message: "Photo ID is missing." });
    expect(problem.has("item_missing")).toBe(true);
    expect(problem.has("stale")).toBe(false);
    expect(problem.blockers[0]?.item).toBe("photo");
  });

  it("with plain facts in its data has no fields of them", () => {
    expect(problemFrom(409, { message: "Stale.", data: { revision: 5, changed_by: "Ada" } }).fields).toEqual({});
  });

  it.each([[null], ["<html>"], [undefined], [{ data: null }]])("with the body %o is a problem too", (body) => {
    expect(problemFrom(500, body)).toMatchObject({ kind: "fault", message: "", fields: {}, blockers: [] });
  });
});
