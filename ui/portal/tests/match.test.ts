import { describe, expect, it } from "vitest";
import { isOurs, matchPath, safeReturn } from "../src/match";

describe("an address", () => {
  it.each([
    ["/", "/", {}],
    ["/r/:id", "/r/abc", { id: "abc" }],
    ["/r/:id", "/r/abc/", { id: "abc" }],
    ["/r/:id/messages", "/r/abc/messages", { id: "abc" }],
    ["/invite/:token", "/invite/a%2Fb", { token: "a/b" }],
    ["/r/:id", "/r/abc/messages", undefined],
    ["/r/:id", "/r/", undefined],
    ["/r/:id", "/r/%E0%A4%A", undefined],
    ["/requests", "/request", undefined],
  ])("%s matches %s as %o", (pattern, path, params) => {
    expect(matchPath(pattern, path)).toEqual(params);
  });

  it.each([
    ["/r/abc", true],
    ["/invite/a.b", true],
    ["/_/", false],
    ["/api/files/x", false],
    ["/assets/x.js", false],
    ["/_about", true],
  ])("%s is the portal's own: %s", (path, own) => expect(isOurs(path)).toBe(own));
});

describe("the way back after signing in", () => {
  it.each([
    ["/r/abc#item-x", "/r/abc#item-x"],
    [null, "/"],
    ["//evil.example", "/"],
    ["/\\evil.example", "/"],
    ["https://evil.example", "/"],
    ["/_/", "/"],
    ["/sign-in?next=/sign-in", "/"],
  ])("%s leads to %s", (next, to) => expect(safeReturn(next)).toBe(to));
});
