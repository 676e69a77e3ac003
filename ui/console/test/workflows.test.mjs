// What the pages of workflows and of many requests decide without a screen.
import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { alike, forMany, stepsOf, stillShown } from "../parts/bulk-logic.js";
import { conflictOf, targetOf } from "../parts/request-logic.js";
import { countOf, sorted, stepWords } from "../parts/findings.js";
import { curve, stepsOut, takenSteps } from "../parts/picture.js";
import { dotOf, tagsOf } from "../parts/labels.js";
import { goneStates } from "../parts/mapping.js";
import { isOpen, outcomes, startsIn } from "../parts/run-logic.js";
import { openElsewhere } from "../parts/workflow-words.js";
import { span } from "../parts/plan.js";
import { spanOf } from "../parts/source.js";
import { split } from "../pages/workflows.js";
import { age } from "../parts/states-table.js";
import { wayOf } from "../parts/where.js";

const row = (id, workflow, state) => ({ id, workflow, state });

test("what left the list is no longer chosen", () => {
  assert.deepEqual([...stillShown(new Set(["a", "gone"]), [row("a"), row("b")])], ["a"]);
});

test("steps for many: of each workflow and state once, staff's, and none that asks about single items", () => {
  const groups = alike([row("a", "w", "s1"), row("b", "w", "s2"), row("c", "w", "s1"), row("d", "v", "s1")]);
  assert.deepEqual(
    groups.map((group) => group.map((one) => one.id)),
    [["a", "c"], ["b"], ["d"]],
  );
  const approve = { key: "approve", label: "Approve", by: ["staff"], requires: [] };
  const reject = { key: "reject", label: "Reject", by: ["staff"], requires: [{ key: "client_comment", kind: "text" }] };
  const ask = { key: "ask", label: "Ask", by: ["staff"], requires: [{ key: "comments", kind: "per_item" }] };
  const submit = { key: "submit", label: "Send", by: ["client"], requires: [] };
  assert.deepEqual([approve, reject, ask, submit].map(forMany), [true, true, false, false]);
  const found = stepsOf([
    { rows: groups[0], actions: [reject, ask, submit] },
    { rows: groups[1], actions: [approve, reject] },
  ]);
  assert.deepEqual(
    found.map(({ key, n }) => [key, n]),
    [
      ["reject", 3],
      ["approve", 1],
    ],
  );
});

test("a run is open until it is over, and may be taken back before it starts", () => {
  const now = Date.parse("2026-12-04T10:00:00Z");
  const run = { status: "waiting", start_at: "2026-12-04 10:00:09.200Z" };
  assert.equal(startsIn(run, now), 10);
  assert.equal(startsIn({ ...run, status: "running" }, now), 0);
  assert.equal(startsIn(run, now + 20_000), 0);
  assert.equal(startsIn({ status: "waiting" }, now), 0);
  assert.deepEqual(
    ["waiting", "running", "done", "cancelled", "failed"].map((status) => isOpen({ status })),
    [true, true, false, false, false],
  );
  assert.deepEqual(outcomes({ changed: 2, skipped: 0, failed: 1 }), [
    ["ok", 2],
    ["failed", 1],
  ]);
});

test("states that are gone are asked for once, with a guess where one is near", () => {
  const target = {
    states: [
      { key: "received", label: "Submitted", turn: "staff", category: "review" },
      { key: "review", label: "In review", turn: "staff", category: "review" },
      { key: "with_client", label: "With you", turn: "client", category: "waiting" },
    ],
  };
  const old = (live) => ({
    states: [
      { key: "submitted", label: "Submitted", turn: "staff", category: "review", live },
      { key: "review", label: "In review", turn: "staff", category: "review", live: 4 },
      { key: "waiting", label: "Waiting", turn: "client", category: "waiting", live: 1 },
      { key: "checking", label: "Checking", turn: "staff", category: "review", live: 1 },
      { key: "unused", label: "Unused", turn: "staff", category: "review", live: 0 },
    ],
  });
  assert.deepEqual(goneStates([old(2), old(3)], target), [
    { key: "submitted", label: "Submitted", live: 5, guess: "received" },
    { key: "waiting", label: "Waiting", live: 2, guess: "with_client" },
    { key: "checking", label: "Checking", live: 2, guess: "" },
  ]);
});

test("the list shows the newest version, drafts, and what still has open requests; the rest is older", () => {
  const version = (n, status, live) => ({ version: n, status, live });
  const { shown, older } = split([
    version(1, "retired", 0),
    version(2, "published", 0),
    version(3, "published", 1),
    version(4, "draft", 0),
    version(0, "published", 2),
  ]);
  assert.deepEqual(
    [shown, older].map((list) => list.map((one) => one.version)),
    [
      [4, 3, 0],
      [2, 1],
    ],
  );
  const list = {
    items: [
      {
        key: "w",
        versions: [
          { version: 1, live: 2 },
          { version: 2, live: 3 },
        ],
      },
    ],
  };
  assert.equal(openElsewhere(list, "w", 2), 2);
  assert.equal(openElsewhere(null, "w", 2), 0);
});

test("findings: errors first, then in the order of the source; a trace in words", () => {
  const one = (level, line, column = 1) => ({ level, line, column, code: "", message: "" });
  const list = [one("warning", 1), one("error", 9), one("error", 2, 5), one("error", 2, 1)];
  assert.deepEqual(
    sorted(list).map(({ level, line, column }) => `${level} ${line}:${column}`),
    ["error 2:1", "error 2:5", "error 9:1", "warning 1:1"],
  );
  assert.equal(countOf(list, "error"), 3);
  assert.equal(stepWords({ state: "draft", step: "send", by: "handler" }), "draft: send (handler)");
  assert.equal(stepWords({ state: "waiting", note: "an item provided" }), "waiting: an item provided");
  assert.equal(stepWords({ state: "end" }), "end");
});

test("a line of the source is found by its number", () => {
  const text = "one\ntwo\n\nfour";
  assert.deepEqual(
    [1, 2, 3, 4, 9, 0].map((line) => text.slice(...spanOf(text, line))),
    ["one", "two", "", "four", "four", "one"],
  );
});

const picture = {
  states: [
    { key: "draft", label: "Draft" },
    { key: "open", label: "Open" },
  ],
  steps: [
    { key: "send", label: "Send", from: "draft", to: "open", by: "handler" },
    { key: "back", label: "Back", from: "open", to: "draft", by: "client" },
  ],
};

test("the picture in words: what leads out, and the way a request came", () => {
  assert.deepEqual(stepsOut(picture, "open"), ["Back → Draft (client)"]);
  assert.deepEqual(stepsOut(picture, "nowhere"), []);
  const path = [
    { key: "send", from: "draft", to: "old_state" },
    { key: "migrate", from: "old_state", to: "open" },
  ];
  assert.deepEqual(
    wayOf({ ...picture, path }).map((one) => one.text),
    ["Send: from Draft to Old state", "Move to a new version: from Old state to Open"],
  );
  assert.ok(takenSteps(path).has("send|draft|old_state"));
});

test("lines are straight down a layer and bent between two, as the server draws them", () => {
  assert.equal(
    curve([
      [10, 0],
      [10, 20],
      [30, 40],
    ]),
    "M10 0V20C10 30 30 30 30 40",
  );
});

test("tags: each once, whatever its case, and one colour for one word", () => {
  assert.deepEqual(tagsOf(" VAT, year   end,,vat "), ["VAT", "year end"]);
  assert.deepEqual(tagsOf(" , "), []);
  assert.equal(dotOf("VAT"), dotOf(" vat "));
  for (const word of ["VAT", "Ünïcode", "x", ""]) assert.ok(dotOf(word) >= 0 && dotOf(word) < 8);
});

test("spans of business time", () => {
  assert.deepEqual([0, -5, 3599, 7200, 100_000].map(span), ["0 min", "0 min", "59 min", "2 h", "1 d 3 h"]);
  assert.deepEqual([1, 47.4, 48].map(age), ["1 hour", "47 hours", "2 days"]);
});

test("every code that may stand in a step's way leads somewhere", () => {
  const source = readFileSync(new URL("../../../hooks/problem/problem.go", import.meta.url), "utf8");
  const codes = [...source.matchAll(/Code = "(\w+)"/g)].map((match) => match[1]);
  assert.ok(codes.includes("item_missing") && codes.includes("veto_open"));
  const view = {
    fields: [{ key: "vat" }],
    jobs: [{ id: "j" }],
    sections: [
      {
        items: [
          { id: "a", status: "accepted" },
          { id: "b", status: "provided", can_review: true },
          { id: "c", status: "missing" },
          { id: "d", status: "rejected", review: { veto_open: true } },
        ],
      },
    ],
  };
  for (const code of codes) assert.ok(targetOf({ code }, view), code);
  assert.deepEqual(targetOf({ code: "item_open", item: "a" }, view), { item: "a" });
  assert.deepEqual(targetOf({ code: "item_open", item: "not shown" }, view), { item: "b" });
  assert.deepEqual(targetOf({ code: "item_missing" }, view), { item: "c" });
  assert.deepEqual(targetOf({ code: "veto_open" }, view), { item: "d" });
  assert.deepEqual(targetOf({ code: "field_missing", field: "vat" }, view), { item: "data", at: "field-vat" });
  assert.deepEqual(targetOf({ code: "jobs_open" }, view), { at: "jobs" });
  assert.deepEqual(targetOf({ code: "nobody_invited" }, view), { client: true });
  assert.deepEqual(targetOf({ code: "too_early" }, view), { tab: "plan" });
  assert.equal(targetOf({ code: "condition" }, { fields: [], sections: [] }), null);
});

test("two people at one value: only where both changed it is there a conflict", () => {
  const edit = { key: "vat", was: "1", mine: "2" };
  assert.equal(conflictOf({ ...edit, now: "1" }), null, "nobody else touched it");
  assert.equal(conflictOf({ ...edit, now: "2" }), null, "both mean the same");
  assert.equal(conflictOf({ ...edit, was: undefined, now: null }), null);
  assert.deepEqual(conflictOf({ ...edit, now: "3", by: "Hana" }), { mine: "2", theirs: "3", by: "Hana", at: "" });
  const told = { vat: { mine: "2", theirs: "4", by: "Sam", at: "2026-12-04 10:00:00.000Z" } };
  assert.deepEqual(conflictOf({ ...edit, now: "1", told }), told.vat);
});
