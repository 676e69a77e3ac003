// Cheats: whoever tries to get round the rules, over HTTP and without a page in between, and the server that is
// pulled out of the wall. What was acknowledged stays; what was refused left nothing behind.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { answerAll, Firm, itemsOf } from "./lib/firm.mjs";
import { command } from "./lib/server.mjs";
import { closer } from "./lib/story.mjs";
import { until } from "./lib/wait.mjs";

const later = closer();

let firm, sam, vic, bakery, anna, mill, cleo;

before(async () => {
  firm = await Firm.open(later);
  [bakery, mill] = [await firm.organization("Bluebell Bakery Ltd"), await firm.organization("Millstone Joinery Ltd")];
  sam = await firm.staff("Sam", "operator", ["handler"]);
  vic = await firm.staff("Vic", "operator", ["compliance"]);
  anna = await firm.client("Anna", bakery);
  cleo = await firm.client("Cleo", mill);
});

const step = (who, id, body, headers) => who.post(`/api/portal/requests/${id}/transition`, body, headers);
const view = (who, id) => who.must("GET", `/api/portal/requests/${id}`);
const history = (id) => firm.sol.records("transitions", `request='${id}'`, "created,revision");

/** The whole truth about a request: what no refused attempt may change. */
async function truth(id) {
  const [request] = await firm.sol.records("requests", `id='${id}'`);
  return JSON.stringify({
    state: request.state,
    revision: request.revision,
    entry: request.entry,
    steps: (await history(id)).length,
    items: (await firm.sol.records("items", `request='${id}'`)).map((item) => [item.id, item.status, item.answers]).sort(),
    shown: (await firm.sol.records("client_requests", `id='${id}'`)).map((row) => [row.state, row.label, row.turn]),
  });
}

async function refused(id, statuses, attempt) {
  const was = await truth(id);
  const answer = await attempt();
  assert.ok([statuses].flat().includes(answer.status), `${answer.status} instead of ${statuses}: ${JSON.stringify(answer.body)}`);
  assert.equal(await truth(id), was, "the refused attempt changed something");
  return answer.body;
}

describe("a client", () => {
  let id, items;
  before(async () => {
    const opened = await firm.sentRequest(sam, bakery);
    id = opened.id;
    items = itemsOf(await view(anna, id));
  });

  for (const [what, patch] of [
    ["requests", { state: "approved" }],
    ["requests", { title: "Mine now" }],
    ["client_requests", { state: "approved", label: "All done" }],
  ]) {
    test(`cannot write ${Object.keys(patch)} of ${what}`, () => refused(id, [403, 404], () => anna.patch(`/api/collections/${what}/records/${id}`, patch)));
  }

  for (const what of ["items", "client_items"]) {
    test(`cannot write the status of a record of ${what}`, () =>
      refused(id, [403, 404], () => anna.patch(`/api/collections/${what}/records/${items[0].id}`, { status: "accepted" })));
  }

  for (const what of ["requests", "items", "transitions", "internal_notes", "events", "audit_log", "jobs"]) {
    test(`sees nothing in ${what}`, async () => {
      const { status, body } = await anna.get(`/api/collections/${what}/records`);
      assert.ok(status === 403 || body.totalItems === 0, `${status} ${JSON.stringify(body).slice(0, 300)}`);
    });
  }

  test("cannot accept an own item", () => refused(id, [400, 403], () => anna.patch(`/api/portal/items/${items[0].id}`, { status: "accepted" })));

  test("cannot send while something is missing, and is told all of it", async () => {
    const { blockers } = await refused(id, 400, () => step(anna, id, { transition: "submit" }));
    assert.deepEqual(new Set(blockers.map(({ code, item }) => `${code} ${item}`)), new Set(items.map((item) => `item_missing ${item.id}`)));
  });

  test("cannot take a step of the firm", async () => {
    for (const transition of ["approve", "reject", "start_review", "reopen", "archive"]) {
      await refused(id, [400, 403], () => step(anna, id, { transition }));
    }
  });

  test("cannot invent a step", async () => {
    const { data } = await refused(id, 400, () => step(anna, id, { transition: "approve_now" }));
    assert.equal(Object.values(data)[0].code, "unknown_transition");
  });

  test("cannot delete a request or an item", async () => {
    await refused(id, [403, 404], () => anna.call("DELETE", `/api/collections/requests/records/${id}`));
    await refused(id, [403, 404], () => anna.call("DELETE", `/api/collections/items/records/${items[0].id}`));
  });

  test("of another organization finds nothing: the same answer as for what does not exist", async () => {
    const nowhere = await cleo.get("/api/portal/requests/abcdefghijklmno");
    assert.equal(nowhere.status, 404);
    for (const path of ["", "/actions", "/timeline"]) {
      const { status, body } = await cleo.get(`/api/portal/requests/${id}${path}`);
      assert.equal(status, 404);
      assert.deepEqual(body, nowhere.body);
    }
    await refused(id, 404, () => step(cleo, id, { transition: "submit" }));
    await refused(id, 404, () => cleo.patch(`/api/portal/items/${items[0].id}`, { answers: { text: "I was here" } }));
    assert.equal((await cleo.get(`/api/collections/client_requests/records/${id}`)).status, 404);
    assert.equal((await cleo.get("/api/collections/client_requests/records")).body.totalItems, 0);
    assert.ok(!JSON.stringify((await cleo.get("/api/portal/home")).body).includes(id));
  });

  test("cannot sit down in another organization", async () => {
    const attempt = await anna.post("/api/collections/memberships/records", { user: anna.id, organization: mill.id, role: "admin", status: "active" });
    assert.ok([400, 403].includes(attempt.status), `${attempt.status}`);
    assert.equal((await firm.sol.records("memberships", `user='${anna.id}'`)).length, 1);
  });

  test("without a sign-in is asked for one", async () => {
    assert.equal((await firm.guest.get(`/api/portal/requests/${id}`)).status, 401);
    assert.equal((await step(firm.guest, id, { transition: "submit" })).status, 401);
  });
});

describe("staff", () => {
  let id;
  before(async () => {
    id = (await firm.sentRequest(sam, bakery, "Payroll set-up")).id;
    await answerAll(anna, id);
    await anna.must("POST", `/api/portal/requests/${id}/transition`, { transition: "submit" });
  });

  test("without the duty cannot take the step", async () => {
    const { blockers } = await refused(id, 400, () => step(vic, id, { transition: "start_review" }));
    assert.equal(blockers[0].code, "not_yours");
  });

  test("without the duty cannot take it by the record either", () => refused(id, 400, () => vic.patch(`/api/collections/requests/records/${id}`, { state: "in_review" })));

  test("with the duty cannot jump over states", () => refused(id, 400, () => sam.patch(`/api/collections/requests/records/${id}`, { state: "approved" })));

  test("cannot approve what nobody has checked", async () => {
    await sam.must("POST", `/api/portal/requests/${id}/transition`, { transition: "start_review" });
    const { blockers } = await refused(id, 400, () => step(sam, id, { transition: "approve" }));
    assert.ok(blockers.every(({ code }) => code === "item_open"), JSON.stringify(blockers));
    assert.equal(blockers.length, 2);
  });

  test("cannot write another request's history, events or trail", async () => {
    for (const collection of ["transitions", "events", "audit_log", "access"]) {
      const { status } = await firm.oda.post(`/api/collections/${collection}/records`, { request: id, key: "approve" });
      assert.ok([400, 403].includes(status), `${collection}: ${status}`);
    }
  });

  test("cannot open the server's own rooms", async () => {
    for (const path of ["/api/settings", "/api/backups", "/api/logs", "/api/crons"]) {
      const { status, body } = await firm.oda.get(path);
      assert.ok(status === 403 || (path === "/api/settings" && !JSON.stringify(body).includes("smtp")), `${path}: ${status}`);
    }
    assert.equal((await firm.oda.post("/api/sql", { query: "SELECT 1" })).status, 403);
  });

  test("cannot make oneself owner", async () => {
    const { status } = await sam.patch(`/api/collections/staff/records/${sam.id}`, { role: "owner" });
    assert.notEqual(status, 200);
    assert.equal((await firm.sol.must("GET", `/api/collections/staff/records/${sam.id}`)).role, "operator");
  });
});

describe("a superuser", () => {
  let id;
  before(async () => {
    id = (await firm.sentRequest(sam, bakery, "Lease review")).id;
  });

  test("cannot set a state that no step leads to", () => refused(id, 400, () => firm.sol.patch(`/api/collections/requests/records/${id}`, { state: "approved" })));

  test("cannot set a state that the workflow does not know", () => refused(id, 400, () => firm.sol.patch(`/api/collections/requests/records/${id}`, { state: "done" })));

  test("cannot delete a request", () => refused(id, [400, 403], () => firm.sol.call("DELETE", `/api/collections/requests/records/${id}`)));

  for (const [what, sql] of [
    ["write a state", "UPDATE requests SET state = 'approved' WHERE id = ID"],
    ["write a state behind a comment", "/* */ UPDATE requests SET state = 'approved', revision = revision + 1 WHERE id = ID"],
    ["write a state with a common table expression", "WITH x AS (SELECT ID AS id) UPDATE requests SET state = 'approved' WHERE id = (SELECT id FROM x)"],
    ["replace the row", "REPLACE INTO requests SELECT * FROM requests WHERE id = ID"],
    ["invent history", "INSERT INTO transitions (id, request, key, \"from\", \"to\", entry, revision, actor_kind) SELECT 'forgedforgedfor', id, 'approve', state, 'approved', entry + 1, revision + 1, 'staff' FROM requests WHERE id = ID"],
    ["rewrite history", "UPDATE transitions SET \"to\" = 'approved' WHERE request = ID"],
    ["delete history", "DELETE FROM transitions WHERE request = ID"],
    ["rewrite the audit log", "UPDATE audit_log SET actor = 'nobody'"],
    ["delete the audit log", "DELETE FROM audit_log"],
    ["delete events", "DELETE FROM events"],
    ["delete the request", "DELETE FROM requests WHERE id = ID"],
    ["change a published workflow", "UPDATE workflows SET definition = '{}' WHERE status = 'published'"],
  ]) {
    test(`cannot ${what} by SQL`, async () => {
      const { message } = await refused(id, 400, () => firm.sol.post("/api/sql", { query: sql.replaceAll("ID", `'${id}'`) }));
      assert.match(message, /wall: /, "refused, but not by a wall of the database");
    });
  }
});

describe("two people at once", () => {
  test("one of them takes the step; one row of history", async () => {
    const id = (await firm.sentRequest(sam, bakery, "Two at once")).id;
    await answerAll(anna, id);
    const before = (await history(id)).length;
    const answers = await Promise.all(Array.from({ length: 6 }, () => step(anna, id, { transition: "submit" })));
    const statuses = answers.map(({ status }) => status).sort();
    assert.equal(statuses.filter((status) => status === 200).length, 1, `${statuses}`);
    assert.ok(statuses.every((status) => [200, 400, 409].includes(status)), `${statuses}`);
    assert.equal((await history(id)).length, before + 1);
  });

  test("whoever looked before a colleague's change is told, and nothing is undone", async () => {
    const id = (await firm.sentRequest(sam, bakery, "Stale page")).id;
    const { revision } = await view(sam, id);
    await sam.must("PATCH", `/api/portal/requests/${id}`, { priority: "high" });
    const { data } = await refused(id, 409, () => step(sam, id, { transition: "reject", client_comment: "No longer needed.", expected_revision: revision }));
    assert.ok(data.revision > revision, JSON.stringify(data));
  });

  test("the same Idempotency-Key takes the step once, and answers the same again", async () => {
    const id = (await firm.sentRequest(sam, bakery, "Sent twice")).id;
    await answerAll(anna, id);
    const key = { "Idempotency-Key": "sent-twice-0001" };
    const first = await step(anna, id, { transition: "submit" }, key);
    const second = await step(anna, id, { transition: "submit" }, key);
    assert.equal(first.status, 200);
    assert.equal(second.status, 200);
    assert.deepEqual(second.body, first.body);
    assert.equal((await history(id)).filter((row) => row.key === "submit").length, 1);
    await refused(id, 409, () => step(anna, id, { transition: "take_back" }, key));
  });
});

describe("a power cut", () => {
  /** What must hold at any time: the history of each request is one chain that ends in its state. */
  async function holds() {
    for (const request of await firm.sol.records("requests")) {
      const rows = (await history(request.id)).sort((a, b) => a.revision - b.revision);
      let state = "draft";
      for (const row of rows) {
        assert.equal(row.from, state, `${request.number}: a gap in the history`);
        state = row.to;
      }
      assert.equal(request.state, state, `${request.number}: the history says ${state}`);
      assert.equal(request.entry, rows.at(-1)?.entry ?? 1);
      const events = await firm.sol.records("events", `request='${request.id}' && type~'request.'`);
      for (const row of rows) {
        assert.equal(events.filter((event) => event.type === `request.${row.key}`).length, rows.filter((other) => other.key === row.key).length, `${request.number}: events of ${row.key}`);
      }
    }
    const { rows } = await firm.sol.must("POST", "/api/sql", { query: "PRAGMA integrity_check" });
    assert.deepEqual(rows, [["ok"]]);
  }

  /** The cursors of all consumers reach the newest event. */
  const caughtUp = () =>
    until("every consumer to have taken every event", async () => {
      const { rows } = await firm.sol.must("POST", "/api/sql", { query: "SELECT COUNT(*) FROM event_cursors WHERE seq < (SELECT MAX(seq) FROM events)" });
      return Number(rows[0][0]) === 0;
    });

  test("right after an answer loses nothing of it", async () => {
    const id = (await firm.sentRequest(sam, bakery, "Power cut")).id;
    await answerAll(anna, id);
    const answer = await step(anna, id, { transition: "submit" });
    await firm.server.kill();
    assert.equal(answer.status, 200);
    await firm.server.start();
    assert.equal((await view(anna, id)).state, "submitted");
    await holds();
    await caughtUp();
    await firm.mailbox.wait(anna.email, /Power cut/);
  });

  test("in the middle of many loses nothing that was acknowledged, and leaves nothing half done", async () => {
    const requests = [];
    for (let n = 1; n <= 4; n++) {
      const { id } = await firm.sentRequest(sam, bakery, `Many ${n}`);
      await answerAll(anna, id);
      requests.push(id);
    }
    for (let cut = 1; cut <= 3; cut++) {
      const acknowledged = new Map();
      let count = 0;
      let enough;
      const many = new Promise((reached) => (enough = reached));
      // Each request goes to and fro between the client's hands and ours until the server is gone.
      const walkers = requests.map(async (id) => {
        for (;;) {
          const { state, revision } = await view(anna, id);
          const transition = state === "submitted" ? "take_back" : "submit";
          const { status, body } = await step(anna, id, { transition, expected_revision: revision });
          assert.equal(status, 200, JSON.stringify(body));
          acknowledged.set(id, { state: body.state, revision: body.revision });
          if (++count === 20 * cut) enough();
        }
      });
      const gone = Promise.allSettled(walkers);
      await Promise.race([many, gone]);
      await firm.server.kill();
      for (const { reason } of await gone) assert.ok(!(reason instanceof assert.AssertionError), String(reason));
      await firm.server.start();
      for (const [id, { state, revision }] of acknowledged) {
        const now = await view(anna, id);
        assert.ok(now.revision >= revision, `${id}: revision ${now.revision} after ${revision} was acknowledged`);
        if (now.revision === revision) assert.equal(now.state, state);
      }
      await holds();
      await caughtUp();
    }
  });
});

// The last one: what it breaks stays broken.
describe("a superuser who takes a wall of the database away", () => {
  const doctor = () => command("doctor", "--dir", firm.server.dir);

  test("is found by the doctor, and every attempt of this file is in an audit log that still fits", async () => {
    const before = await doctor();
    assert.equal(before.code, 0, before.output);
    const statement = "DROP TRIGGER wall_requests_state";
    await firm.sol.must("POST", "/api/sql", { query: statement });
    const { code, output } = await doctor();
    assert.equal(code, 1, output);
    assert.match(output, /wall_requests_state/);
    assert.equal((await command("audit", "verify", "--dir", firm.server.dir)).code, 0);
    const noted = await firm.sol.records("audit_log", "action='sql'", "-seq");
    assert.ok(JSON.stringify(noted[0] ?? {}).includes(statement), "the statement is not in the audit log");
  });
});
