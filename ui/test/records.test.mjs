// Records: PocketBase's own list, search and editor on the real dashboard, for staff of every role under their rules.
// Who sees what, walls, the firm's people, and seeing the portal as a client: the console's pages about access.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { Browser, desk, look, noBrowser, phone, shot } from "./lib/browser.mjs";
import { Firm, password } from "./lib/firm.mjs";
import { closer, enter } from "./lib/story.mjs";
import { code } from "./lib/totp.mjs";
import { until } from "./lib/wait.mjs";

const refusals = [/400 \(Bad Request\)/, /403 \(Forbidden\)/, /404 \(Not Found\)/, /409 \(Conflict\)/];

describe("records and access in the console", { skip: noBrowser }, () => {
  const later = closer();
  let firm, browser, bluebell, kestrel, anna, view, people;

  before(async () => {
    firm = await Firm.open(later);
    bluebell = await firm.organization("Bluebell Bakery");
    kestrel = await firm.organization("Kestrel Joinery");
    people = {
      viewer: await firm.staff("Ines", "viewer", ["handler"]),
      operator: await firm.staff("Sam", "operator", ["handler"]),
      manager: await firm.staff("Mia", "manager", []),
      owner: await firm.guest.signIn("staff", "oda@northgate.example", password),
    };
    anna = await firm.client("Anna", bluebell);
    view = await firm.sentRequest(people.operator, bluebell, "Year-end papers");
    browser = await Browser.open(later);
  });

  for (const role of ["viewer", "operator", "manager", "owner"]) {
    test(`records as ${role}`, async () => {
      const writes = role !== "viewer";
      const page = await browser.newPage({ expected: writes ? [/409 \(Conflict\)/] : [/400 \(Bad Request\)/] });
      await enter(page, people[role]);
      const list = `${firm.server.url}/_/#/collections?collection=requests`;
      await page.goto(list);
      const row = page.locator("tr", { hasText: "Year-end papers" });
      await row.waitFor();
      const names = await page.locator(".page-sidebar, .sidebar, aside").first().innerText();
      assert.match(names, /internal_notes/);
      assert.equal(/walls/.test(names), role === "manager" || role === "owner", names);
      assert.doesNotMatch(names, /_superusers|sessions|access|settings|events/);
      for (const gone of [".new-record-btn", ".btn-collection-settings", ".api-preview-btn"]) assert.equal(await page.locator(gone).isVisible(), false, gone);

      await row.click();
      const editor = page.locator(".record-upsert-modal");
      const title = editor.locator('textarea[name="title"], input[name="title"]').first();
      await title.waitFor();
      await shot(page, `records-editor-${role}`);
      const before = await firm.oda.must("GET", `/api/collections/requests/records/${view.id}`);
      await title.fill(`Year-end papers of ${role}`);
      await editor.getByRole("button", { name: "Save changes" }).first().click();
      if (writes) {
        await until("the title to be saved", async () => (await firm.oda.must("GET", `/api/collections/requests/records/${view.id}`)).title === `Year-end papers of ${role}`);
      } else {
        await page.getByText("Your role lets you look, not change.").first().waitFor();
      }
      const now = await firm.oda.must("GET", `/api/collections/requests/records/${view.id}`);
      assert.equal(now.state, before.state);
      assert.equal(now.revision, before.revision + (writes ? 1 : 0));
      page.clean();

      if (role === "operator") {
        // An editor that was opened before a colleague's change never takes it back.
        await page.goto(`${firm.server.url}/healthz`); // the address may name the open record, which would open by itself
        await page.goto(list);
        await row.waitFor();
        const read = page.waitForResponse((answer) => answer.url().includes(`/api/collections/requests/records/${view.id}`));
        await row.click();
        await title.waitFor();
        await read;
        await firm.oda.must("PATCH", `/api/portal/requests/${view.id}`, { priority: "high" });
        await title.fill("Written on an old picture");
        await editor.getByRole("button", { name: "Save changes" }).first().click();
        await until("the conflict to be told", async () => page.complaints.length === 0 && (await page.locator(".toast, .toasts, [class*=toast]").first().innerText()).length > 0);
        const kept = await firm.oda.must("GET", `/api/collections/requests/records/${view.id}`);
        assert.equal(kept.priority, "high");
        assert.notEqual(kept.title, "Written on an old picture");
        page.clean();
      }
      // What is not theirs answers 403, whoever of the staff asks.
      const closed = ["/api/settings/x", "/api/logs", "/api/backups", "/api/crons", "/api/collections/requests", "/api/collections/_superusers/records"];
      for (const path of closed) {
        const status = (await fetch(firm.server.url + path, { headers: { Authorization: people[role].token } })).status;
        assert.ok([403, 404].includes(status), `${path} answers ${status}`);
      }
      for (const [method, path] of [["POST", "/api/sql"], ["PATCH", "/api/settings"], ["POST", "/api/collections"], ["PATCH", "/api/collections/requests"], ["POST", "/api/backups"]]) {
        const { status } = await fetch(firm.server.url + path, { method, headers: { Authorization: people[role].token, "Content-Type": "application/json" }, body: "{}" });
        assert.equal(status, 403, `${method} ${path}`);
      }
      await page.context().close();
    });
  }

  for (const viewport of [desk, phone]) {
    test(`who can see this, walls and people at ${viewport.width}`, async () => {
      const page = await browser.newPage({ viewport });
      await enter(page, people.owner);
      await page.goto(`${firm.server.url}/_/#/gatehouse/request/${view.id}`);
      await page.getByRole("button", { name: "Who can see this?" }).click();
      await page.getByText("Anna is an admin of Bluebell Bakery.").waitFor();
      await look(page, "explain-who", "dialog");
      await page.getByRole("link", { name: "Anna", exact: true }).click();
      await page.getByRole("heading", { name: "What can Anna see?" }).waitFor();
      await page.getByRole("link", { name: "Bluebell Bakery", exact: true }).waitFor();
      await look(page, "explain-person", ".gh-page");

      await page.goto(`${firm.server.url}/_/#/gatehouse/firm`);
      await page.getByText("Sam", { exact: true }).first().waitFor();
      await page.getByText("No walls stand.").waitFor();
      await page.getByRole("button", { name: "Build a wall" }).click();
      const dialog = page.locator("dialog");
      await dialog.getByLabel("Who is kept away?").selectOption({ label: "Sam" });
      await dialog.getByLabel("From which client?").selectOption({ label: "Bluebell Bakery" });
      await dialog.getByLabel(/^Why/).fill("His sister works there");
      await dialog.getByRole("button", { name: "Build a wall" }).click();
      await page.getByText("His sister works there").waitFor();
      await look(page, "team", ".gh-page");
      const hidden = await people.operator.call("GET", `/api/portal/requests/${view.id}`);
      assert.equal(hidden.status, 404);

      const sams = await browser.newPage({ expected: refusals });
      await enter(sams, people.operator);
      await sams.goto(`${firm.server.url}/_/#/gatehouse/request/${view.id}`);
      await sams.getByText("This is not here, or you do not have access.").waitFor();
      await sams.goto(`${firm.server.url}/_/#/gatehouse/queue?view=all`);
      await sams.getByText("0 requests").waitFor();
      await sams.context().close();

      await page.getByRole("button", { name: "Take down: Sam" }).click();
      await page.locator("dialog").getByRole("button", { name: "Take down" }).click();
      await page.getByText("No walls stand.").waitFor();
      page.clean();
      await page.context().close();
    });
  }

  test("the firm looks after the sign-ins of a client, two people for a lost app", async () => {
    const nora = await firm.client("Nora", bluebell, "viewer");
    const { secret } = await nora.must("POST", "/api/portal/second-factor/start", { password });
    await nora.must("POST", "/api/portal/second-factor/confirm", { code: code(secret) });
    const at = `${firm.server.url}/_/#/gatehouse/person/${nora.id}`;
    const pageOf = async (person) => {
      const page = await browser.newPage();
      await enter(page, person);
      await page.goto(at);
      await page.getByRole("heading", { name: "What can Nora see?" }).waitFor();
      return page;
    };
    const sams = await pageOf(people.operator);
    await sams.getByRole("link", { name: "Bluebell Bakery", exact: true }).waitFor();
    assert.equal(await sams.getByRole("heading", { name: "Sign-ins" }).count(), 0, "an operator is offered nothing");

    const odas = await pageOf(people.owner);
    await odas.getByText("Nora signs in with an authenticator app.").waitFor();
    await look(odas, "person-sign-ins", ".gh-page");
    await odas.getByRole("button", { name: "Take app and passkeys away…" }).click();
    await odas.getByLabel("Why").fill("She lost her phone; I called her back");
    await look(odas, "person-reset", ".gh-dialog");
    await odas.locator("dialog").getByRole("button", { name: "Take them away" }).click();
    await odas.getByText(/^Oda Lind asked .* to take app and passkeys away: She lost her phone/).waitFor();
    assert.equal(await odas.getByRole("button", { name: "Confirm it…" }).count(), 0, "nobody is both");

    const mias = await pageOf(people.manager);
    await mias.getByRole("button", { name: "Sign out everywhere" }).click();
    await mias.locator("dialog").getByRole("button", { name: "Sign out everywhere" }).click();
    await mias.getByText("Nora is not signed in anywhere.").waitFor();
    assert.equal((await nora.call("GET", "/api/portal/me")).status, 401);
    await mias.getByRole("button", { name: "Confirm it…" }).click();
    await mias.getByLabel("Why").fill("I know her voice");
    await mias.locator("dialog").getByRole("button", { name: "Take them away" }).click();
    await mias.getByText("Nora signs in with an authenticator app.").waitFor({ state: "detached" });
    for (const page of [sams, odas, mias]) page.clean();
  });

  test("seeing the portal as a client", async () => {
    const page = await browser.newPage();
    await enter(page, people.operator);
    await page.goto(`${firm.server.url}/_/#/gatehouse/person/${anna.id}`);
    await page.getByRole("button", { name: "See the portal as Anna" }).click();
    const opened = page.context().waitForEvent("page");
    await page.locator("dialog").getByRole("button", { name: "See the portal" }).click();
    const portal = await opened;
    await portal.getByText("You see the portal as Anna. Nothing can be changed.").waitFor();
    assert.ok(!portal.url().includes("view"), portal.url());
    await portal.getByText(/Year-end papers/).first().waitFor();
    await shot(portal, "view-as-home");
    await portal.goto(`${firm.server.url}/settings/profile`);
    await portal.getByText(/Sam from Northgate Accounting looked at your portal/).waitFor();
    assert.equal(await portal.getByLabel(/new password/i).count(), 0);
    await portal.setViewportSize(phone);
    await shot(portal, "view-as-profile");
    await portal.getByLabel("Your name").or(portal.getByLabel("Name")).first().fill("Somebody else");
    await portal.getByRole("button", { name: /save/i }).first().click();
    await portal.getByText("You see the portal as Anna. Nothing can be changed.").nth(1).waitFor();
    await portal.getByRole("button", { name: "Leave" }).click();
    await until("the viewing to end", async () => (await anna.must("GET", "/api/collections/viewings/records")).items[0].ended !== "");
    page.clean();
  });
});
