// main.js in a stand-in for the dashboard: no DOM, only what it touches.
import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const source = readFileSync(new URL("../main.js", import.meta.url), "utf8");

/** The dashboard as main.js sees it, with a person signed in or nobody. */
function dashboard(record, hash = "") {
  const staffSide = record?.collectionName === "staff";
  const loads = [];
  const listeners = [];
  const location = {
    hash,
    replace(to) {
      location.hash = to;
    },
  };
  const store = {
    superuser: staffSide ? null : record,
    headerLinks: [{ href: "#/collections" }],
    isLoadingCollections: false,
  };
  for (const name of ["loadCollections", "silentlyReloadCollections", "loadSettings", "loadOAuth2Providers"]) {
    store[name] = async () => loads.push(name);
  }
  const authStore = {
    storageKey: "dashboard",
    // Like the real one: what is signed in depends on the key that is read.
    get record() {
      return (this.storageKey === "gatehouse.staff") === staffSide ? record : null;
    },
    get isValid() {
      return this.record !== null;
    },
    onChange: (listener) => listeners.push(listener),
  };
  const app = {
    store,
    pb: { authStore },
    utils: { isActivePath: () => false },
    routes: { blank: (path, handler) => (app.registered = { path, handler }) },
  };
  const document = {
    createElement: () => ({}),
    head: { append() {} },
    documentElement: { dataset: {} },
  };
  const warned = [];
  // As the server inlines it: the body of an async function.
  const run = new Function(
    "app",
    "watch",
    "document",
    "location",
    "addEventListener",
    "console",
    `return (async function(){${source}})()`,
  );
  const done = run(
    app,
    (work) => work(),
    document,
    location,
    () => {},
    { warn: (...words) => warned.push(words) },
  );
  return { app, loads, listeners, location, document, warned, done };
}

const staff = { id: "1", collectionName: "staff", role: "operator" };
const superuser = { id: "2", collectionName: "_superusers" };

test("main.js is small and has no static import", () => {
  assert.ok(Buffer.byteLength(source) <= 15 * 1024);
  assert.doesNotMatch(source, /^\s*import\s+[^(]/m);
});

test("the route stands before anything is awaited", () => {
  const its = dashboard(staff, "#/gatehouse/queue");
  assert.equal(its.app.registered.path, "#/gatehouse/{path...}");
  assert.equal(its.app.routes.fallbackPath, "#/gatehouse/queue");
  assert.deepEqual(its.warned, []);
});

test("staff load collections, for Records, and no settings; superusers load all", async () => {
  for (const [person, expected] of [
    [staff, 2],
    [superuser, 4],
  ]) {
    const { app, loads } = dashboard(person);
    await Promise.all([app.store.loadCollections(), app.store.silentlyReloadCollections()]);
    await Promise.all([app.store.loadSettings(), app.store.loadOAuth2Providers()]);
    assert.equal(loads.length, expected);
  }
});

test("each sees the links that are theirs", () => {
  const links = (person) => dashboard(person).app.store.headerLinks.map((link) => link.href);
  assert.deepEqual(links(staff), [
    "#/gatehouse/queue",
    "#/gatehouse/clients",
    "#/gatehouse/workflows",
    "#/gatehouse/firm",
    "#/gatehouse/mail",
    "#/collections?collection=requests",
    "#/gatehouse/account",
  ]);
  assert.deepEqual(links(superuser), ["#/collections"]);
});

test("everybody starts where they belong", () => {
  assert.equal(dashboard(null, "").location.hash, "#/gatehouse/sign-in");
  assert.equal(dashboard(null, "#/login").location.hash, "#/login", "repair access stays reachable");
  assert.equal(dashboard(staff, "#/settings").location.hash, "#/gatehouse/queue");
  assert.equal(dashboard(staff, "#/gatehouse/request/r1").location.hash, "#/gatehouse/request/r1");
  assert.equal(dashboard(superuser, "#/gatehouse/queue").location.hash, "#/collections");
  assert.equal(dashboard(superuser, "#/logs").location.hash, "#/logs");
});

test("signing out leads to the staff sign-in", () => {
  const its = dashboard(staff, "#/gatehouse/queue");
  for (const listener of its.listeners) listener("", null);
  assert.equal(its.location.hash, "#/gatehouse/sign-in");
});

test("a dashboard with another interface is warned about, never broken", async () => {
  const warned = [];
  const run = new Function("app", "document", "console", `return (async function(){${source}})()`);
  await run({}, {}, { warn: (...words) => warned.push(words) });
  assert.equal(warned.length, 1);
});

test("a staff sign-in is never found by the dashboard itself, and a superuser's always is", () => {
  const its = dashboard(staff, "#/gatehouse/queue");
  assert.equal(its.app.pb.authStore.storageKey, "gatehouse.staff");
  assert.equal(its.app.store.superuser.id, "1");
  for (const listener of its.listeners) listener("", null);
  assert.equal(its.app.pb.authStore.storageKey, "dashboard");
  assert.equal(dashboard(superuser).app.pb.authStore.storageKey, "dashboard");
  assert.equal(dashboard(null).app.pb.authStore.storageKey, "dashboard");
});
