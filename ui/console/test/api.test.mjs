import test from "node:test";
import assert from "node:assert/strict";
import { makeApi, Problem } from "../parts/api.js";
import { makeLive } from "../parts/live.js";

/** A server that answers from a list, one after the other, and keeps what it was asked. */
function server(...answers) {
  const asked = [];
  const fetch = async (url, options) => {
    asked.push({ url, ...options });
    const next = answers.shift();
    if (next instanceof Error) throw next;
    const { status = 200, body = null } = next;
    return { ok: status < 400, status, text: async () => (body === null ? "" : JSON.stringify(body)) };
  };
  return { fetch, asked };
}

const api = (its, more = {}) =>
  makeApi({ token: () => "T", signInAgain: async () => false, fetch: its.fetch, ...more });

test("a call carries the sign-in, the filters that are set, and its body", async () => {
  const its = server({ body: { items: [] } });
  await api(its).send("/api/x", { method: "POST", query: { q: "a b", empty: "", none: undefined }, body: { n: 1 } });
  assert.equal(its.asked[0].url, "/api/x?q=a+b");
  assert.equal(its.asked[0].headers.Authorization, "T");
  assert.equal(its.asked[0].body, '{"n":1}');
});

test("a refusal keeps the server's words, its blockers, and who was faster", async () => {
  const body = {
    message: "1 thing is missing.",
    data: { changed_by: "Ruth" },
    blockers: [{ code: "item_missing", message: "m", item: "i" }],
  };
  const its = server({ status: 409, body });
  const problem = await api(its)
    .get("/api/x")
    .catch((err) => err);
  assert.ok(problem instanceof Problem);
  assert.equal(problem.message, "1 thing is missing.");
  assert.equal(problem.stale, true);
  assert.equal(problem.changedBy, "Ruth");
  assert.equal(problem.blockers[0].item, "i");
});

test("a server that is not there is said in words", async () => {
  const problem = await api(server(new TypeError("failed")))
    .get("/api/x")
    .catch((err) => err);
  assert.equal(problem.status, 0);
  assert.match(problem.message, /cannot be reached/);
});

test("a page in place of an answer is our fault, said in words", async () => {
  const fetch = async () => ({ ok: true, status: 200, text: async () => "<!doctype html>" });
  const problem = await api({ fetch })
    .get("/api/x")
    .catch((err) => err);
  assert.equal(problem.status, 502);
  assert.match(problem.message, /on our side/);
});

test("a lost sign-in asks again and then does what was asked", async () => {
  const its = server({ status: 401, body: {} }, { body: { ok: true } });
  let asked = 0;
  const answer = await api(its, { signInAgain: async () => ++asked > 0 }).post("/api/x", { text: "kept" });
  assert.deepEqual(answer, { ok: true });
  assert.equal(asked, 1);
  assert.equal(its.asked[1].body, '{"text":"kept"}');
});

test("who leaves instead gets the refusal, and a sign-in itself never asks again", async () => {
  const left = await api(server({ status: 401, body: {} }))
    .get("/api/x")
    .catch((err) => err);
  assert.equal(left.status, 401);
  const asks = { signInAgain: async () => assert.fail("asked") };
  const second = { status: 401, body: { mfaId: "M" } };
  const problem = await api(server(second), asks)
    .send("/api/x", { quiet: true })
    .catch((err) => err);
  assert.equal(problem.mfaId, "M");
});

test("a file's address gets a token, and one token serves several files", async () => {
  const its = server({ body: { token: "F&T" } });
  const door = api(its);
  assert.equal(await door.file("/api/files/d/1/a.pdf"), "/api/files/d/1/a.pdf?token=F%26T");
  assert.equal(await door.file("/api/files/d/2/b.pdf?download=1"), "/api/files/d/2/b.pdf?download=1&token=F%26T");
  assert.equal(its.asked.length, 1);
});

class Source {
  static last;
  listeners = {};
  constructor() {
    Source.last = this;
  }
  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }
  emit(name, data) {
    return this.listeners[name]({ data: JSON.stringify(data) });
  }
  close() {
    this.closed = true;
  }
}

test("live pings reach the page until it is left, and a reconnect counts as one", async () => {
  const its = server({}, {});
  const live = makeLive({ person: () => "P", api: api(its), Source });
  const end = new AbortController();
  const heard = [];
  live.listen((change) => heard.push(change), end.signal);
  await Source.last.emit("PB_CONNECT", { clientId: "c1" });
  assert.deepEqual(JSON.parse(its.asked[0].body), { clientId: "c1", subscriptions: ["person/P"] });
  await Source.last.emit("person/P", { type: "changed", request: "r" });
  await Source.last.emit("PB_CONNECT", { clientId: "c2" });
  assert.deepEqual(heard, [{ type: "changed", request: "r" }, { type: "changed" }]);
  end.abort();
  await Source.last.emit("person/P", { type: "changed" });
  assert.equal(heard.length, 2);
  live.close();
  assert.equal(Source.last.closed, true);
});
