// What the engine lets a client do beside sending: use again what was sent before, answer with a file, see what went
// stale, what is on hold, what goes by itself, look without touching, go on without a line. And the queue as a board.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { Browser, desk, look, noBrowser, phone } from "./lib/browser.mjs";
import { pdf } from "./lib/files.mjs";
import { Firm, itemsOf, upload } from "./lib/firm.mjs";
import { byPassword, closer, teller } from "./lib/story.mjs";
import { until } from "./lib/wait.mjs";

// Who works there is asked for once it is known how many do.
const staffing = `schema: gatehouse/workflow/v1
key: staffing
version: 1
title: Staffing
subject: {collection: organizations}
numbering: "STF-{yyyy}-{seq:4}"
initial: asked
roles:
  client: [client_admin, client_member]
  staff: [handler]
calendar: {timezone: firm, hours: "mon-fri 09:00-17:00", holidays: firm}
fields: []
sections:
  - key: papers
    title: Papers
    provider: client
    reviewer: handler
    items:
      - {key: people, title: "How many people?", kind: answer, answer_types: [text], retention: client_file}
      - {key: names, title: "Who are they?", kind: answer, answer_types: [text], when: "items.people != 'missing'", required: false, retention: client_file}
states:
  - {key: asked, label: Asked, client_label: Your turn, category: waiting, turn: client, owner: client_member, can: {provide: [papers]}}
  - {key: review, label: Review, client_label: We look, category: review, turn: staff, owner: handler, can: {review: [papers]}}
  - {key: closing, label: Closing, client_label: Almost done, category: review, turn: staff, owner: handler, can: {}}
  - {key: finished, label: Finished, client_label: Finished, category: done, outcome: success, turn: nobody, owner: handler, terminal: true, can: {}}
transitions:
  - {key: give, label: Give, from: [asked], to: review, by: [client_admin, client_member], guard: [{items: {sections: [papers], required: true, status_in: [provided, accepted, waived]}}]}
  - {key: ask_again, label: Ask again, from: [review], to: asked, by: [handler], guard: [{any_item: {sections: [papers], status_in: [rejected]}}]}
  - {key: close_up, label: Close up, from: [review], to: closing, by: [handler], guard: [{items: {sections: [papers], required: true, status_in: [accepted, waived]}}]}
  - {key: look_again, label: Look again, from: [closing], to: review, by: [handler]}
  - {key: finish, label: Finish, from: [closing], to: finished, by: [handler]}
reminders: []
notifications: []
integrations: []
ai: []
reports: {targets: {end_to_end: 12bd}, split_clock: [client, firm, system]}
`;

const lineLost = /ERR_INTERNET_DISCONNECTED/;

describe("a client beside sending", { skip: noBrowser }, () => {
  const later = closer();
  const open = [];
  let firm, browser, bakery, anna, mara, dee, cleo, hana;

  before(async () => {
    firm = await Firm.open(later);
    await firm.publish("agency-creative-approval", "accounting-monthly-close");
    bakery = await firm.organization("Bluebell Bakery Ltd");
    anna = await firm.client("Anna", bakery, "admin", ["client_approver"]);
    mara = await firm.staff("Mara", "operator", ["account_manager"]);
    dee = await firm.staff("Dee", "operator", ["designer"]);
    cleo = await firm.staff("Cleo", "operator", ["creative_director"]);
    hana = await firm.staff("Hana", "operator", ["handler"]);
    browser = await Browser.open(later);
  });

  const told = teller("rows", () => open);
  /** One story, on pages of its own. */
  const story = (name, run) =>
    told(name, async (t) => {
      open.length = 0;
      await run(t);
    });

  /** A page of a client, on a request. */
  async function pageOf(person, id, { viewport = desk, expected = [] } = {}) {
    const page = await browser.newPage({ viewport, expected });
    open.push(page);
    await byPassword(page, firm.server.url, person.email);
    await page.getByRole("heading", { level: 1 }).filter({ hasText: /need/i }).waitFor();
    await page.goto(`${firm.server.url}/r/${id}`);
    return page;
  }

  const view = (who, id) => who.must("GET", `/api/portal/requests/${id}`);
  const step = (who, id, transition, more = {}) => who.must("POST", `/api/portal/requests/${id}/transition`, { transition, ...more });
  const item = async (who, id, key) => itemsOf(await view(who, id)).find((one) => one.key === key || one.title === key);
  const decide = async (who, id, key, status, comment = "") => who.must("PATCH", `/api/portal/items/${(await item(who, id, key)).id}`, { status, comment });
  async function opened(page, name) {
    const row = page.locator("[data-item]").filter({ hasText: name });
    await row.waitFor();
    if ((await row.getAttribute("aria-expanded")) === "false") await row.click();
    return row.locator("xpath=ancestor::li[1]");
  }

  async function campaign(title) {
    const { id } = await mara.must("POST", "/api/portal/requests", { workflow: "agency_creative_approval", organization: bakery.id, title });
    await anna.must("PATCH", `/api/portal/requests/${id}`, { data: { campaign: "Spring", go_live: "2027-03-01", channels: ["print"] } });
    await anna.must("PATCH", `/api/portal/items/${(await item(anna, id, "brief_form")).id}`, { answers: { goal: "More bread" } });
    return id;
  }

  const sent = async (title) => (await firm.sentRequest(hana, bakery, title)).id;

  story("a file that was sent before is used again by one press, and the artwork is a PDF in the page", async () => {
    const spring = await campaign("Spring campaign");
    await upload(anna, await view(anna, spring), await item(anna, spring, "brand_assets"), "logo.pdf");
    await step(anna, spring, "submit_brief");
    const summer = await campaign("Summer campaign");
    const page = await pageOf(anna, summer, { viewport: phone });
    const assets = await opened(page, "Logos and brand rules");
    await assets.getByText("You sent this on").waitFor();
    await look(page, "rows-reuse");
    await assets.getByRole("button", { name: "Use it again: logo.pdf" }).click();
    await assets.getByText("Saved, not sent").waitFor();
    await until("the focus on the item", () => page.evaluate(() => document.activeElement?.matches("[data-item]") === true));
    assert.equal(await assets.getByRole("button", { name: "Use it again: logo.pdf" }).count(), 0);
    await assets.getByText("logo.pdf", { exact: true }).waitFor();
    assert.deepEqual((await item(anna, summer, "brand_assets")).documents.map(({ title, current }) => [title, current]), [["logo.pdf", true]]);

    for (const key of ["brief_form", "brand_assets"]) await decide(mara, spring, key, "accepted");
    await step(mara, spring, "accept_brief");
    await upload(dee, await view(dee, spring), await item(dee, spring, "artwork_file"), "poster.pdf");
    await step(dee, spring, "to_check");
    await step(cleo, spring, "send_round");
    const wide = await pageOf(anna, spring);
    const poster = wide.locator("object[type='application/pdf']").first();
    await poster.waitFor();
    assert.match((await poster.getAttribute("data")) ?? "", /\/api\/files\/documents\/\S+\?token=/);
    await look(wide, "rows-pdf");

    await wide.goto(`${firm.server.url}/requests?show=all`);
    await wide.getByLabel("Sort by").selectOption("Whose turn");
    await wide.waitForURL(/sort=turn/);
    await until("Anna's turn to be first", async () => /left|Not started|Your/.test((await wide.locator(".rows > li").first().textContent()) ?? ""));
    await look(wide, "rows-list-by-turn");
  });

  story("what was confirmed before something was opened again says so, with who decided and when", async () => {
    const id = await sent("Papers that went stale");
    const [question, confirm] = ["How many people work for you?", "The address we have is right"];
    for (const [title, answers] of [[question, { text: "Twelve" }], [confirm, { accepted: true }]])
      await anna.must("PATCH", `/api/portal/items/${(await item(anna, id, title)).id}`, { answers });
    await step(anna, id, "submit");
    await step(hana, id, "start_review");
    await decide(hana, id, question, "accepted");
    await decide(hana, id, confirm, "rejected", "Is it the new one?");
    await step(hana, id, "ask_again", { comments: { [(await item(hana, id, confirm)).id]: "Is it the new one?" } });
    await anna.must("PATCH", `/api/portal/items/${(await item(anna, id, confirm)).id}`, { answers: { accepted: true } });
    await step(anna, id, "submit");
    await step(hana, id, "start_review");
    await decide(hana, id, question, "rejected", "Since January?");
    await step(hana, id, "ask_again", { comments: { [(await item(hana, id, question)).id]: "Since January?" } });
    const page = await pageOf(anna, id);
    const stale = await opened(page, confirm);
    await stale.getByText(`This was accepted before ${question} was opened again.`).waitFor();
    const back = await opened(page, question);
    await back.getByText(/Given by Anna on .* · Sent back by Hana on /).waitFor();
    await look(page, "rows-stale");
  });

  story("what was accepted because of an item that is opened again is confirmed by one press", async () => {
    await firm.oda.must("POST", "/api/portal/definitions", { source: staffing, publish: true });
    const { id } = await hana.must("POST", "/api/portal/requests", { workflow: "staffing", organization: bakery.id, title: "Staffing" });
    for (const key of ["people", "names"]) await anna.must("PATCH", `/api/portal/items/${(await item(anna, id, key)).id}`, { answers: { text: "Twelve" } });
    await step(anna, id, "give");
    for (const key of ["people", "names"]) await decide(hana, id, key, "accepted");
    for (const key of ["close_up", "look_again"]) await step(hana, id, key);
    await decide(hana, id, "people", "rejected", "Since January?");
    await step(hana, id, "ask_again");
    const page = await browser.newPage({ viewport: phone });
    open.push(page);
    await page.addInitScript((session) => localStorage.setItem("gatehouse.plain", session), JSON.stringify({ token: hana.token, person: hana.record }));
    await page.goto(`${firm.server.url}/staff/#/gatehouse/request/${id}?item=${(await item(hana, id, "names")).id}`);
    const note = page.getByText("This was accepted before How many people? was opened again.");
    await note.waitFor();
    await look(page, "rows-look-again");
    await page.getByRole("button", { name: "It is still right" }).click();
    await note.waitFor({ state: "detached" });
    const shown = await item(hana, id, "names");
    assert.deepEqual([shown.status, shown.look_again], ["accepted", ""]);
  });

  story("a request on hold says until when, and one that closes by itself says when", async () => {
    const id = await sent("Papers on hold");
    const until = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
    await hana.must("POST", `/api/portal/requests/${id}/pause`, { until, reason: "The client is away" });
    const page = await pageOf(anna, id, { viewport: phone });
    await page.getByRole("heading", { name: /^On hold until / }).waitFor();
    await look(page, "rows-hold");
    assert.doesNotMatch(await page.content(), /The client is away/);
    await hana.must("POST", `/api/portal/requests/${id}/resume`);
    await page.getByRole("heading", { name: /^Your turn/ }).waitFor();
    await step(hana, id, "reject", { client_comment: "Not needed any more." });
    await page.getByText(/^On .* this goes on by itself: Closed\.$/).waitFor();
    await look(page, "rows-by-itself");
  });

  story("what is asked for each person stands under the name, and goes with the person", async () => {
    const { id } = await hana.must("POST", "/api/portal/requests", { workflow: "acct_onboarding_kyc", organization: bakery.id, title: "Onboarding" });
    await step(hana, id, "invite");
    const owners = (...names) => ({ data: { beneficial_owners: names.map((name) => ({ id: name.toLowerCase(), name, share: 50 })) } });
    await anna.must("PATCH", `/api/portal/requests/${id}`, owners("Zoe", "Yan"));
    const page = await pageOf(anna, id, { viewport: phone });
    const group = (name) => page.getByRole("heading", { name, exact: true });
    await group("Zoe").waitFor();
    await group("Yan").waitFor();
    await look(page, "rows-people");
    const before = itemsOf(await view(anna, id)).length;
    await anna.must("PATCH", `/api/portal/requests/${id}`, owners("Zoe"));
    await group("Yan").waitFor({ state: "detached" });
    assert.ok(itemsOf(await view(anna, id)).length < before);
    await anna.must("PATCH", `/api/portal/requests/${id}`, owners("Zoe", "Yan"));
    await group("Yan").waitFor();
    assert.equal(itemsOf(await view(anna, id)).length, before);
  });

  story("a question is answered with a file", async () => {
    const { id } = await hana.must("POST", "/api/portal/requests", {
      workflow: "acct_monthly_close",
      organization: bakery.id,
      title: "April close",
      data: { period: "2027-04", bank_accounts: ["Main"] },
    });
    await until("the month to be opened", async () => (await view(hana, id)).state === "collecting");
    await step(hana, id, "start_anyway", { internal_note: "We begin." });
    await hana.must("POST", `/api/portal/requests/${id}/items`, { section: "queries", template: "txn_query", values: { payee: "Northmill", amount: "420.00", date: "4 April" } });
    await step(hana, id, "ask");
    const page = await pageOf(anna, id);
    await page.locator("[data-item]").filter({ hasText: "Northmill" }).click();
    await page.getByText("Or answer with a file:").waitFor();
    await look(page, "rows-answer-file");
    await page.locator("input[type=file]").first().setInputFiles({ name: "receipt.pdf", mimeType: "application/pdf", buffer: pdf("receipt") });
    await page.getByText("receipt.pdf", { exact: true }).waitFor();
    await until("the question to be answered", async () => itemsOf(await view(anna, id)).find(({ title }) => /Northmill/.test(title)).status === "provided");
  });

  story("a viewer sees everything and can touch nothing", async () => {
    const vera = await firm.client("Vera", bakery, "viewer");
    const id = await sent("Papers to look at");
    const page = await pageOf(vera, id);
    await page.getByText("You can view this. Only an admin or a member can send.").first().waitFor();
    await opened(page, "The address we have is right");
    await opened(page, "How many people work for you?");
    await look(page, "rows-viewer");
    const main = page.getByRole("main");
    assert.deepEqual(
      [await main.locator("input:not([disabled]), textarea, select").count(), await main.getByRole("button", { name: /^(Send|Take back|See all)/ }).count()],
      [0, 0],
    );
  });

  story("without a line what is typed stays, and is saved when the line is back", async () => {
    const id = await sent("Papers on a train");
    const page = await pageOf(anna, id, { viewport: phone, expected: [lineLost] });
    const row = await opened(page, "How many people work for you?");
    const answer = row.getByRole("textbox");
    await answer.waitFor();
    await page.context().setOffline(true);
    await page.getByText(/^You are offline\./).waitFor();
    await answer.fill("Fourteen");
    await answer.blur();
    await row.getByText(/^Not saved/).waitFor();
    await look(page, "rows-offline");
    assert.equal(await answer.inputValue(), "Fourteen");
    await page.context().setOffline(false);
    await until("the answer to be saved", async () => (await item(anna, id, "How many people work for you?")).answers.text === "Fourteen");
    await page.getByText(/^You are offline\./).waitFor({ state: "detached" });
  });

  for (const [name, viewport] of [["desk", desk], ["phone", phone]]) {
    story(`staff look at the queue as a board, at the ${name}`, async () => {
      const page = await browser.newPage({ viewport });
      open.push(page);
      await page.addInitScript((session) => localStorage.setItem("gatehouse.plain", session), JSON.stringify({ token: hana.token, person: hana.record }));
      const title = `Board at the ${name}`;
      await sent(title);
      await page.goto(`${firm.server.url}/staff/#/gatehouse/queue?view=all`);
      await page.getByRole("link", { name: "Board", exact: true }).click();
      const column = page.getByRole("region", { name: /^With the client/ });
      await column.getByRole("link", { name: title }).waitFor();
      assert.equal(await page.locator(".gh-board-column").count(), 4);
      await look(page, "rows-board");
      await page.getByRole("searchbox").fill(title);
      await until("one card to be left", async () => (await page.locator(".gh-board [data-row]").count()) === 1);
      await page.reload();
      await column.getByRole("link", { name: title }).waitFor();
      await page.getByRole("link", { name: "List", exact: true }).click();
      await page.locator("[data-row]").filter({ hasText: title }).waitFor();
      assert.equal(await page.locator(".gh-board").count(), 0);
      await page.getByRole("link", { name: "Whose turn", exact: true }).click();
      await page.getByText("Our turn first, then the client’s, then what goes by itself").waitFor();
      await page.locator("[data-row]").filter({ hasText: title }).waitFor();
      await look(page, "rows-queue-by-turn");

      // What keeps a request from going on is named, with the way to put it right, on the list and on the board.
      const lonely = await firm.organization(`Lonely at the ${name} Ltd`);
      await firm.sentRequest(hana, lonely, `Nobody there at the ${name}`);
      for (const as of ["", "&as=board"]) {
        await page.goto(`${firm.server.url}/staff/#/gatehouse/queue?view=all${as}`);
        await page.getByText(`Nobody of Lonely at the ${name} Ltd can act: no admin or member has joined.`).waitFor();
        await look(page, `rows-blocked${as && "-board"}`);
      }
      await page.getByRole("link", { name: `Open the client: Nobody there at the ${name}` }).click();
      await page.getByRole("heading", { level: 1, name: lonely.name }).waitFor();

      // A step before its time is a button that says all that is in the way and leads to the first of it.
      const id = await sent(`Papers to check at the ${name}`);
      for (const [title, answers] of [["How many people work for you?", { text: "Twelve" }], ["The address we have is right", { accepted: true }]])
        await anna.must("PATCH", `/api/portal/items/${(await item(anna, id, title)).id}`, { answers });
      await step(anna, id, "submit");
      await step(hana, id, "start_review");
      await page.goto(`${firm.server.url}/staff/#/gatehouse/request/${id}`);
      await page.getByText(/^Given by Anna, /).first().waitFor();
      await page.getByRole("button", { name: "Approve", exact: true }).click();
      await page.getByText(/^Approve: not yet\. 2 things are in the way\. /).first().waitFor();
      await until("the focus on the first item", () => page.evaluate(() => document.activeElement?.getAttribute("data-k") === "pane-title"));
      await look(page, "rows-not-yet");
    });
  }
});
