// A client's admin looks after the own team; a member lets somebody else act; staff see all of it. In a real browser
// against the real server, with the mails that were sent.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { Browser, desk, look, noBrowser, phone } from "./lib/browser.mjs";
import { Firm, password, tokenOf } from "./lib/firm.mjs";
import { linkIn } from "./lib/mail.mjs";
import { closer, dashboardStart, enter, heading, press, teller } from "./lib/story.mjs";

const inDays = (n) => new Date(Date.now() + n * 86_400_000).toISOString();

describe("the people of a client", { skip: noBrowser }, () => {
  const later = closer();
  let firm, browser, client, office, anna, mo, handler, request, secret;
  const pages = new Map();

  before(async () => {
    firm = await Firm.open(later);
    browser = await Browser.open(later);
    client = await firm.organization("Bluebell Bakery Ltd");
    office = await firm.oda.must("POST", "/api/collections/organizations/records", { name: "Leeds shop", kind: "office", parent: client.id });
    handler = await firm.staff("Helen", "operator", ["handler"]);
    anna = await firm.client("Anna", client);
    mo = await firm.client("Mo", client, "member");
    request = await firm.sentRequest(handler, client);
    secret = await firm.sentRequest(handler, client, "Pay rise of the manager");
    await handler.must("PATCH", `/api/portal/requests/${secret.id}/people`, { visibility: "restricted", participants: [anna.id, mo.id] });
  });

  /** What the console says of an open page when its sign-in is ended by somebody else. */
  const ended = /status of 401 \(Unauthorized\)/;

  /** A page on which somebody has signed in. */
  async function pageOf(api, viewport = desk, expected = []) {
    const page = await browser.newPage({ viewport, expected });
    const record = api.record ?? { ...(await api.must("GET", "/api/portal/me")), collectionName: "users" };
    await enter(page, { token: api.token, record });
    pages.set(api, page);
    return page;
  }

  const step = teller("team", () => [...pages.values()], { chained: true });

  const said = (page, text) => page.getByText(text, { exact: true }).first().waitFor({ state: "attached" });

  step("the admin opens the team from the account menu", async () => {
    // The browser logs the refusals that this story provokes: no address, the last admin, an old proof and a wrong one.
    const page = await pageOf(anna, desk, [/(400 \(Bad Request\)|403 \(Forbidden\)) \S+\/api\/portal\/(invitations|prove|delegations|team\/\w+)$/]);
    await page.goto(firm.server.url);
    await page.getByRole("button", { name: "Account of Anna" }).click();
    await page.getByRole("link", { name: "Team" }).click();
    await heading(page, "Team of Bluebell Bakery Ltd");
    await page.getByText("Not here yet").first().waitFor();
    await look(page, "team-admin");
  });

  step("she invites, sends again and withdraws", async () => {
    const page = pages.get(anna);
    await press(page, "Invite somebody");
    await look(page, "team-invite");
    const dialog = page.getByRole("dialog");
    await press(dialog, "Send the invitation");
    await dialog.getByText("Enter the e-mail address of the person to invite.").waitFor();
    await dialog.getByLabel("Email").fill("nora@bluebell.example");
    await dialog.getByLabel("Name (optional)").fill("Nora");
    await dialog.getByLabel("Viewer").check();
    await press(dialog, "Send the invitation");
    await said(page, "The invitation is on its way to nora@bluebell.example.");
    const mail = await firm.mailbox.wait("nora@bluebell.example", /Anna at Northgate Accounting/);
    assert.ok(linkIn(mail, /invite/));
    await page.getByRole("button", { name: "Send again to nora@bluebell.example" }).click();
    await said(page, "Sent again to nora@bluebell.example.");
    await page.getByRole("button", { name: "Withdraw the invitation of nora@bluebell.example" }).click();
    await said(page, "The invitation of nora@bluebell.example is withdrawn.");
    await page.getByRole("button", { name: "Withdraw the invitation of nora@bluebell.example" }).waitFor({ state: "detached" });
    await page.getByText("Viewer · Withdrawn").waitFor();
  });

  step("the last admin stays: the page says so instead of offering it", async () => {
    const page = pages.get(anna);
    await page.getByRole("button", { name: "Change Anna" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Anna is the last admin. Make somebody else an admin first.").waitFor();
    assert.equal(await dialog.getByRole("button", { name: "End access…" }).count(), 0);
    await dialog.getByLabel("Viewer").check();
    await press(dialog, "Save");
    await dialog.getByRole("alert").getByText("This is the last admin of Bluebell Bakery Ltd").waitFor();
    await press(dialog, "Cancel");
  });

  step("whoever gives powers long after the sign-in shows again who it is", async () => {
    const page = pages.get(anna);
    await firm.sol.must("POST", "/api/sql", { query: `UPDATE sessions SET created = '2026-01-01 00:00:00.000Z' WHERE principal = '${anna.id}'` });
    await page.getByRole("button", { name: "Change Mo" }).click();
    const dialog = page.getByRole("dialog", { name: "Mo" });
    await dialog.getByLabel("Viewer").check();
    await press(dialog, "Save");
    const proof = page.getByRole("dialog", { name: "Show that it is you" });
    await proof.getByRole("textbox", { name: "Password" }).fill("not this one");
    await look(page, "team-prove");
    await press(proof, "Go on");
    await proof.getByText("This password is not right.").waitFor();
    await proof.getByRole("textbox", { name: "Password" }).fill(password);
    await press(proof, "Go on");
    await proof.waitFor({ state: "detached" });
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Change Mo" }).click();
    await dialog.getByLabel("Member").check();
    await press(dialog, "Save");
    await dialog.waitFor({ state: "detached" });
  });

  step("a member sees the team read-only, on a phone, and lets a bookkeeper act", async () => {
    // He writes once more for somebody who has taken it back.
    const page = await pageOf(mo, phone, [ended, /400 \(Bad Request\) \S+\/messages\/records$/]);
    await page.goto(`${firm.server.url}/team`);
    await heading(page, "Team of Bluebell Bakery Ltd");
    await page.getByText("Only an admin of Bluebell Bakery Ltd looks after its people.").waitFor();
    assert.equal(await page.getByText("anna@bluebell.example").count(), 0);
    await press(page, "Let somebody act for you");
    await look(page, "team-lend");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Email").fill("books@keeper.example");
    await dialog.getByLabel("Name (optional)").fill("Bea Keeper");
    await dialog.getByLabel("Take steps, such as sending a request off").check();
    await dialog.getByLabel("Until the end of").fill(inDays(30).slice(0, 10));
    await dialog.getByLabel("Reason (optional)").fill("On leave");
    await press(dialog, "Let them act for me");
    await said(page, "We have asked Bea Keeper.");
    await page.goto(`${firm.server.url}/settings/profile`);
    await page.getByText("Asked, not accepted yet").waitFor();
    await look(page, "team-profile");
  });

  let bea;
  step("the bookkeeper agrees, and acts under both names", async () => {
    const mail = await firm.mailbox.wait("books@keeper.example", /Mo at Northgate Accounting/);
    const page = await browser.newPage({ viewport: desk });
    pages.set("bea", page);
    await page.goto(linkIn(mail, /invite/));
    await page.getByText("You act for somebody else, for a limited time.").waitFor();
    const { token } = await firm.guest.must("POST", "/api/portal/invitations/accept", { token: tokenOf(linkIn(mail, /invite/)), name: "Bea Keeper", password });
    bea = firm.guest.as(token);
    const hers = await pageOf(bea, desk, [ended]);
    await hers.goto(`${firm.server.url}/r/${request.id}`);
    await hers.getByText(/You are acting for Mo \(until .+\)\. What you do here is recorded as done for Mo\./).waitFor();
    await hers.getByRole("textbox").first().fill("Good morning");
    await look(hers, "team-acting");
    await bea.must("POST", "/api/collections/messages/records", { request: request.id, body: "The papers follow." });
    await hers.goto(`${firm.server.url}/r/${request.id}/messages`);
    await hers.getByText("Bea Keeper for Mo").first().waitFor();
    assert.equal((await bea.get(`/api/portal/requests/${secret.id}`)).status, 404);
  });

  step("who takes part sees that few do, and the admin changes it", async () => {
    const page = pages.get(anna);
    await page.goto(`${firm.server.url}/r/${secret.id}`);
    await page.getByText("Only you and 1 other see this.").waitFor();
    await press(page, "People on this");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Mo").waitFor();
    await look(page, "team-participants");
    await dialog.getByLabel("Mo").uncheck();
    await press(dialog, "Save");
    await page.getByText("Only you see this.").waitFor();
    assert.equal((await mo.get(`/api/portal/requests/${secret.id}`)).status, 404);
  });

  step("she keeps Mo away from one request, and lets him see it again", async () => {
    const page = pages.get(anna);
    await page.goto(`${firm.server.url}/r/${request.id}`);
    await page.getByText("People of Bluebell Bakery Ltd see this, unless they are kept away.").waitFor();
    await press(page, "People on this");
    const dialog = page.getByRole("dialog");
    await press(dialog, "Keep away");
    await dialog.getByText("Choose a person and say why.").waitFor();
    await dialog.getByLabel("Keep away").selectOption({ label: "Mo" });
    await dialog.getByLabel("Why").fill("It is about his pay.");
    await look(page, "team-keep-away");
    await press(dialog, "Keep away");
    await dialog.getByText(/Kept away by Anna on .+: It is about his pay\./).waitFor();
    await look(page, "team-kept-away");
    assert.equal((await mo.get(`/api/portal/requests/${request.id}`)).status, 404);
    await press(dialog, "Let Mo see this again");
    await dialog.getByText("Nobody is kept away.").waitFor();
    assert.equal((await mo.get(`/api/portal/requests/${request.id}`)).status, 200);
    await press(dialog, "Close");
  });

  step("she lets Mo handle one request, after her proof, and he chooses for whom he acts", async () => {
    const page = pages.get(anna);
    await page.goto(`${firm.server.url}/r/${request.id}`);
    await firm.sol.must("POST", "/api/sql", { query: `UPDATE sessions SET created = '2026-01-01 00:00:00.000Z', proved = '' WHERE principal = '${anna.id}'` });
    await press(page, "Let somebody else handle this");
    const dialog = page.getByRole("dialog", { name: /^Let somebody else handle “/ });
    await dialog.getByLabel("Who", { exact: true }).selectOption({ label: "Mo" });
    await dialog.getByLabel("Take steps, such as sending a request off").check();
    await dialog.getByLabel("Until the end of").fill(inDays(10).slice(0, 10));
    await look(page, "request-lend");
    await press(dialog, "Let them act for me");
    const proof = page.getByRole("dialog", { name: "Show that it is you" });
    await proof.getByRole("textbox", { name: "Password" }).fill(password);
    await press(proof, "Go on");
    await page.getByText(/^Mo handles this for you until/).waitFor();
    await look(page, "request-lent");

    const his = pages.get(mo);
    await his.goto(`${firm.server.url}/r/${request.id}`);
    const forWhom = his.getByLabel("You act for:");
    await forWhom.selectOption({ label: (await forWhom.getByRole("option", { name: /^Anna, until/ }).textContent()).trim() });
    await his.getByText("What you do here is recorded as done for Anna.").waitFor();
    await look(his, "request-acts-for");
    await his.reload();
    await his.getByText("What you do here is recorded as done for Anna.").waitFor();
    await his.goto(`${firm.server.url}/r/${request.id}/messages`);
    await his.getByRole("textbox", { name: /message/i }).fill("Anna asked me to send this.");
    await his.getByRole("button", { name: "Send", exact: true }).click();
    await said(his, "Mo for Anna wrote a message.");

    await page.goto(`${firm.server.url}/team`);
    await page.getByRole("button", { name: "Take it back from Mo" }).waitFor();
    await page.goto(`${firm.server.url}/r/${request.id}`);
    await page.getByRole("button", { name: "Take it back from Mo" }).click();
    await page.getByText(/^Mo handles this for you until/).waitFor({ state: "detached" });
    await his.getByRole("textbox", { name: /message/i }).fill("One more thing.");
    await his.getByRole("button", { name: "Send", exact: true }).click();
    await said(his, "You cannot act for this person here any more: what was lent to you has ended. Choose again for whom you act.");
    await forWhom.waitFor({ state: "detached" });
  });

  step("staff see people, units and delegations on the client's page, and end one", async () => {
    firm.oda.record = (await firm.guest.must("POST", "/api/collections/staff/auth-with-password", { identity: "oda@northgate.example", password })).record;
    const page = await pageOf(firm.oda, desk, [dashboardStart]);
    await page.goto(`${firm.server.url}/_/#/gatehouse/client/${client.id}`);
    await heading(page, "Bluebell Bakery Ltd");
    await page.getByText("Bea Keeper acts for Mo").waitFor();
    await page.getByRole("link", { name: "Leeds shop" }).waitFor();
    await look(page, "staff-client-team", ".page");
    // Every invitation says how far it got, also those that are over; the open ones are sent again together.
    await firm.oda.must("POST", "/api/portal/invitations", { email: "una@bluebell.example", organization: client.id, role: "viewer" });
    await firm.oda.must("POST", "/api/portal/invitations", { email: "vic@bluebell.example", organization: client.id, role: "viewer" });
    await page.reload();
    await page.getByText("Withdrawn", { exact: false }).first().waitFor();
    await press(page, "Resend all 2 that are open");
    await look(page, "staff-resend-all", ".gh-dialog");
    await press(page.getByRole("dialog"), "Resend");
    await page.getByText("2 invitations are sent again.").waitFor();
    await firm.mailbox.wait("una@bluebell.example", /Northgate/);
    await page.getByRole("button", { name: "End it: Bea Keeper acts for Mo" }).click();
    await page.getByText("Nobody acts for anybody here.").waitFor();
    // Nothing is left to be signed in for.
    assert.equal((await bea.get(`/api/portal/requests/${request.id}`)).status, 401);
    await page.getByRole("button", { name: "End access of Mo" }).click();
    await press(page.getByRole("dialog"), "End access");
    await page.getByText("The access of Mo has ended.").waitFor();
    assert.equal((await mo.get(`/api/portal/requests/${request.id}`)).status, 401);
    await programs(page);
    await page.goto(`${firm.server.url}/_/#/gatehouse/request/${secret.id}`);
    await press(page, "Change who sees it");
    await page.getByRole("dialog").getByLabel("Anna").waitFor();
    await look(page, "staff-participants", ".gh-dialog");
    await page.getByRole("dialog").getByLabel("Visible to").selectOption({ label: "Everybody of the client" });
    await press(page.getByRole("dialog"), "Save");
    await page.getByText("Everybody of the client can see this.").waitFor();
    await press(page, "Kept away…");
    await page.getByLabel("Person").selectOption({ label: "Anna" });
    await page.getByLabel("Why").fill("It is about her.");
    await look(page, "staff-keep-away", ".gh-dialog");
    await press(page.getByRole("dialog"), "Keep away");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal((await anna.get(`/api/portal/requests/${secret.id}`)).status, 404);
    await press(page, "Kept away…");
    await page.getByText(/Kept away by Oda Lind, .+: It is about her\./).waitFor();
    await press(page.getByRole("dialog"), "Let Anna see this again");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal((await anna.get(`/api/portal/requests/${secret.id}`)).status, 200);
  });

  /** An owner makes a program; its token works until it is revoked. */
  async function programs(page) {
    await page.goto(`${firm.server.url}/_/#/gatehouse/firm`);
    await page.locator("[data-k=programs]").click();
    await heading(page, "Programs");
    await page.getByText("No program has a token.").waitFor();
    await press(page, "Make a program");
    const dialog = page.getByRole("dialog");
    await press(dialog, "Make the token");
    await dialog.getByText("Enter a name.").waitFor();
    await dialog.getByLabel("Name").fill("CRM");
    assert.deepEqual(await dialog.getByLabel("Clients").evaluate((select) => [...select.selectedOptions].length), 0);
    await look(page, "staff-program-new", ".gh-dialog");
    await press(dialog, "Make the token");
    const token = await page.getByLabel("Token", { exact: true }).inputValue();
    await look(page, "staff-program-token", ".gh-dialog");
    await press(page.getByRole("dialog"), "I have kept it");
    assert.equal((await firm.guest.as(token).must("GET", "/api/portal/me")).name, "CRM for Oda Lind");
    await page.reload();
    await page.getByText("Until ").first().waitFor();
    await look(page, "staff-programs", ".page");
    await page.setViewportSize(phone);
    await look(page, "staff-programs-phone", ".page");
    await page.setViewportSize(desk);
    await page.getByRole("button", { name: "Revoke: CRM" }).click();
    await press(page.getByRole("dialog"), "Revoke");
    await page.getByText("Revoked", { exact: false }).first().waitFor();
    assert.equal((await firm.guest.as(token).get("/api/portal/me")).status, 401);
  }

  step("a suspended client looks and is told why; an archived one is gone", async () => {
    await firm.oda.must("PATCH", `/api/collections/organizations/records/${client.id}`, { status: "suspended" });
    const page = pages.get(anna);
    await page.goto(`${firm.server.url}/r/${request.id}`);
    await page.getByText(/Bluebell Bakery Ltd is suspended: you can look at everything/).first().waitFor();
    await look(page, "team-suspended");
    await firm.oda.must("PATCH", `/api/collections/organizations/records/${client.id}`, { status: "archived" });
    assert.equal((await anna.get(`/api/portal/requests/${request.id}`)).status, 401);
    assert.ok(office.id);
  });
});
