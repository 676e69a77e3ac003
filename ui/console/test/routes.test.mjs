import test from "node:test";
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { address, match, pages, safeReturn } from "../parts/routes.js";

const here = (file) => new URL(`../${file}`, import.meta.url);

test("an address names its page, its parameters and its filters", () => {
  const route = match("#/gatehouse/request/abc%20d?item=x1&tab=notes");
  assert.equal(route.page.name, "request");
  assert.deepEqual(route.params, { id: "abc d" });
  assert.equal(route.query.get("item"), "x1");
  assert.equal(route.query.get("tab"), "notes");
});

test("a slash at the end changes nothing", () => {
  assert.equal(match("#/gatehouse/queue/").page.name, "queue");
});

test("what is no page of the console is nobody's", () => {
  for (const hash of ["", "#/", "#/collections", "#/gatehouse/", "#/gatehouse/request", "#/gatehouse/queue/x"]) {
    assert.equal(match(hash), null, hash);
  }
});

test("a broken escape is no page instead of an exception", () => {
  assert.equal(match("#/gatehouse/request/%E0%A4%A"), null);
});

test("empty filters stay out of the address", () => {
  assert.equal(address("queue", { view: "mine", q: "" }), "#/gatehouse/queue?view=mine");
  assert.equal(address("queue", { q: undefined }), "#/gatehouse/queue");
  assert.equal(match(address("clients", { q: "a & b" })).query.get("q"), "a & b");
});

test("after signing in one only ever lands in the console", () => {
  assert.equal(safeReturn("#/gatehouse/request/r1?tab=notes"), "#/gatehouse/request/r1?tab=notes");
  for (const back of [null, "", "https://elsewhere.example", "#/gatehouse/sign-in", "#/settings"]) {
    assert.equal(safeReturn(back), "#/gatehouse/queue", String(back));
  }
});

test("every page has its module, and the module its function", async () => {
  for (const page of pages) {
    assert.ok(existsSync(here(page.file)), page.file);
    assert.match(readFileSync(here(page.file), "utf8"), new RegExp(`export function ${page.make}\\(`));
  }
});
