import test from "node:test";
import assert from "node:assert/strict";
import { counted, merge, step } from "../parts/queue-logic.js";
import { firstToCheck, mainStep, moveBody, needsForm, nextItem, reasonsSent } from "../parts/request-logic.js";
import { mayAct } from "../parts/keys.js";
import { kindsOf, missingIn, moved, toItem } from "../parts/wishes.js";
import { onWhite, readable } from "../parts/colour.js";
import { secondsLeft } from "../parts/session.js";
import { showValue } from "../parts/value.js";
import { stateOf } from "../parts/invitations.js";
import { previewKind } from "../parts/documents.js";

const rows = (...ids) => ids.map((id) => ({ id }));

test("a live update changes rows in place, drops those that left, and holds new ones back", () => {
  const shown = [
    { id: "a", n: 1 },
    { id: "b", n: 1 },
    { id: "c", n: 1 },
  ];
  const now = [
    { id: "new", n: 1 },
    { id: "c", n: 2 },
    { id: "a", n: 1 },
  ];
  assert.deepEqual(merge(shown, now), {
    rows: [
      { id: "a", n: 1 },
      { id: "c", n: 2 },
    ],
    fresh: [{ id: "new", n: 1 }],
  });
});

test("a count that was not counted to its end says so", () => {
  assert.equal(counted(200, 200), "200+");
  assert.equal(counted(12, 200), 12);
  assert.equal(counted(200, 0), 200);
  assert.equal(counted(undefined, 0), "");
});

test("j and k stop at both ends", () => {
  const list = rows("a", "b", "c");
  assert.equal(step(list, "a", 1), "b");
  assert.equal(step(list, "c", 1), "c");
  assert.equal(step(list, "a", -1), "a");
  assert.equal(step(list, "gone", 1), "a");
  assert.equal(step([], "a", 1), "");
});

const item = (id, status, can_review = true) => ({ id, status, can_review });
const view = {
  sections: [
    { items: [item("a", "accepted"), item("b", "provided")] },
    { items: [item("c", "provided"), item("d", "rejected")] },
  ],
};

test("n goes to the next item to check, round the end, else simply on", () => {
  assert.equal(firstToCheck(view), "b");
  assert.equal(nextItem(view, "b"), "c");
  assert.equal(nextItem(view, "c"), "b");
  assert.equal(nextItem(view, "d"), "b");
  const done = { sections: [{ items: [item("a", "accepted"), item("b", "accepted")] }] };
  assert.equal(nextItem(done, "a"), "b");
  assert.equal(nextItem({ sections: [] }, "data"), "data");
});

const ask = { key: "ask_again", requires: [{ key: "comments", kind: "per_item" }] };
const reopen = {
  key: "reopen",
  requires: [
    { key: "items", kind: "items" },
    { key: "comments", kind: "per_item" },
  ],
};
const reject = { key: "reject", confirm: true, requires: [{ key: "client_comment", kind: "text" }] };
const nothing = { texts: {}, comments: {}, items: [] };

test("asking the client counts the reasons it sends", () => {
  assert.equal(reasonsSent(ask, view), 1);
  assert.equal(reasonsSent(reopen, view), 0, "there the items are chosen first");
  assert.equal(reasonsSent(reject, view), 0);
});

test("a step opens a form only where something is asked", () => {
  assert.equal(needsForm({ key: "approve", confirm: false, requires: [] }), false);
  assert.equal(needsForm({ key: "archive", confirm: true }), true);
  assert.equal(needsForm(ask), true);
});

test("the step that stands out is the named one, never a final one by chance, and none while items wait", () => {
  const done = { sections: [] };
  const send = { key: "send", primary: false, confirm: false };
  const close = { key: "close", primary: false, confirm: true };
  assert.equal(mainStep([close, send], done), send);
  assert.equal(mainStep([send, { ...close, primary: true }], done).key, "close");
  assert.equal(mainStep([close], done), undefined);
  assert.equal(mainStep([send], view), undefined);
});

test("the body of a step brings exactly what it asks", () => {
  assert.deepEqual(moveBody({ key: "approve" }, 4, nothing), { transition: "approve", expected_revision: 4 });
  assert.deepEqual(moveBody(reject, 4, { ...nothing, texts: { client_comment: " Bye. ", other: "no" } }), {
    transition: "reject",
    expected_revision: 4,
    client_comment: "Bye.",
  });
  assert.deepEqual(moveBody(reopen, 1, { texts: {}, comments: { a: "again", b: "not chosen" }, items: ["a"] }), {
    transition: "reopen",
    expected_revision: 1,
    items: ["a"],
    comments: { a: "again" },
  });
});

const free = { on: true, dialog: false };
const press = (key, tagName, more = {}) => ({ key, target: tagName ? { tagName, type: "text", ...more } : null });

test("single keys rest while somebody types, in a dialog, and with a modifier", () => {
  assert.equal(mayAct(press("a", "BODY"), free), true);
  assert.equal(mayAct(press("a", "INPUT"), free), false);
  assert.equal(mayAct(press("a", "TEXTAREA"), free), false);
  assert.equal(mayAct(press("a", "DIV", { isContentEditable: true }), free), false);
  assert.equal(mayAct(press("a", "INPUT", { type: "checkbox" }), free), true);
  assert.equal(mayAct({ ...press("a", "BODY"), ctrlKey: true }, free), false);
  assert.equal(mayAct(press("a", "BODY"), { on: true, dialog: true }), false);
});

test("turned off, only the list of keys answers; Enter belongs to a focused link", () => {
  assert.equal(mayAct(press("a", "BODY"), { on: false, dialog: false }), false);
  assert.equal(mayAct(press("?", "BODY"), { on: false, dialog: false }), true);
  assert.equal(mayAct(press("Enter", "A"), free), false);
  assert.equal(mayAct(press("j", "A"), free), true);
});

test("items move by one place and stop at both ends", () => {
  assert.deepEqual(moved(["a", "b", "c"], 1, -1), ["b", "a", "c"]);
  assert.deepEqual(moved(["a", "b"], 0, -1), ["a", "b"]);
  assert.deepEqual(moved(["a", "b"], 1, 1), ["a", "b"]);
});

const kinds = kindsOf({
  sections: [
    {
      key: "things",
      templates: [
        { key: "file", title: "File", kind: "file" },
        { key: "scan", title: "Scan of {title}", kind: "file" },
        { key: "question", title: "{title}", kind: "answer" },
      ],
    },
  ],
});
const wish = { n: 1, kind: kinds[0], title: " Bank statement ", hint: "", required: true, answer: "text", choices: "" };

test("what a workflow takes is named in words", () => {
  assert.deepEqual(
    kinds.map((kind) => [kind.section, kind.title]),
    [
      ["things", "File"],
      ["things", "scan"],
      ["things", "Question"],
    ],
  );
  assert.deepEqual(kindsOf(undefined), []);
});

test("a wish becomes an item; only questions carry options", () => {
  assert.deepEqual(toItem(wish), {
    section: "things",
    template: "file",
    title: "Bank statement",
    hint: "",
    required: true,
    options: undefined,
  });
  const question = { ...wish, kind: kinds[2], answer: "choice", choices: "Yes\n\n No \n" };
  assert.deepEqual(toItem(question).options, { answer_type: "choice", choices: ["Yes", "No"] });
});

test("a wish says which part is missing", () => {
  assert.equal(missingIn(wish), "");
  assert.equal(missingIn({ ...wish, title: " " }), "title");
  assert.equal(missingIn({ ...wish, kind: kinds[2], answer: "choice", choices: "Yes" }), "choices");
});

test("white words stay readable on any colour of a firm", () => {
  for (const colour of ["#0b5f59", "#ffee00", "#ffffff", "#ff8800", "#7fc7bf"]) {
    const rgb = [1, 3, 5].map((i) => parseInt(readable(colour).slice(i, i + 2), 16));
    assert.ok(onWhite(rgb) >= 4.6, colour);
  }
  assert.equal(readable("#0b5f59"), "#0b5f59", "a good colour stays as it is");
  assert.equal(readable("nonsense"), "#0b5f59");
  assert.equal(readable(undefined), "#0b5f59");
});

test("how long a sign-in still holds is read from its token", () => {
  const token = (exp) => `x.${btoa(JSON.stringify({ exp })).replaceAll("=", "")}.y`;
  assert.equal(secondsLeft(token(1000), 940_000), 60);
  assert.equal(secondsLeft(token(1000), 2_000_000), 0);
  assert.equal(secondsLeft("broken"), 0);
  assert.equal(secondsLeft(""), 0);
});

test("values are shown in words", () => {
  const choice = { type: "choice", options: [{ value: "ltd", text: "Limited company" }] };
  assert.equal(showValue(choice, "ltd"), "Limited company");
  assert.equal(showValue({ type: "bool" }, false), "No");
  assert.equal(showValue({ type: "text" }, ""), "No answer");
  assert.equal(showValue({ type: "list" }, ["a", "b"]), "a and b");
  assert.equal(
    showValue({ type: "people_list" }, [{ id: "1", name: "Ana", email: "a@x.example", share: 60 }]),
    "Ana, a@x.example, 60 %",
  );
});

test("an invitation says how far it got", () => {
  const one = { sent_at: "2026-12-03 09:00:00.000Z", expires: "2026-12-10 09:00:00.000Z", accepted_at: "" };
  const year = new Date().getFullYear() === 2026 ? "" : " 2026";
  assert.equal(
    stateOf({ ...one, status: "opened" }),
    `Invited Thu 3 Dec${year}, opened, not accepted · ends Thu 10 Dec${year}`,
  );
  assert.equal(stateOf({ ...one, status: "revoked" }), "Withdrawn");
});

test("only what a browser shows safely is shown in place", () => {
  assert.equal(previewKind("application/pdf"), "pdf");
  assert.equal(previewKind("image/jpeg"), "image");
  assert.equal(previewKind("image/svg+xml"), "none");
  assert.equal(previewKind("text/html"), "none");
});
