// The story of one request, told in a real browser against the real server: from an empty data folder to "All done",
// with the owner at a desk and her client on a phone. The mails are the ones that were sent.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { Api } from "./lib/api.mjs";
import { Browser, desk, look, noBrowser, phone } from "./lib/browser.mjs";
import { pdf } from "./lib/files.mjs";
import { itemsOf, password, superuser, useMailbox } from "./lib/firm.mjs";
import { linkIn, Mailbox } from "./lib/mail.mjs";
import { Server } from "./lib/server.mjs";
import { closer, dashboardStart, heading, press, teller } from "./lib/story.mjs";

const firm = "Northgate Accounting";
const client = "Bluebell Bakery Ltd";
const anna = "anna@bluebell.example";
const title = "Year-end papers";
const statement = "Bank statement, November";
const people = "How many people work for you?";
const address = "The address we have is right";
const reason = "Page 2 is cut off. Scan it once more, all of it.";


describe("a request from the first idea to the end", { skip: noBrowser }, () => {
  const later = closer();
  let server, mailbox, sol, staff, guest, request;

  before(async () => {
    server = await Server.fresh(later);
    mailbox = await Mailbox.open(later);
    const browser = await Browser.open(later);
    staff = await browser.newPage({ viewport: desk, expected: [dashboardStart] });
    guest = await browser.newPage({ viewport: phone });
  });

  const step = teller("story", () => ({ staff, guest }), { chained: true });

  /** The row of an item on the client's page, opened. */
  async function openRow(name) {
    const row = guest.locator("button[aria-expanded][data-item]").filter({ hasText: name });
    if ((await row.getAttribute("aria-expanded")) === "false") await row.click();
    return row;
  }

  const ready = (n) => guest.getByText(`${n} of 3 ready`).first().waitFor();

  async function giveStatement(name) {
    await openRow(statement);
    await guest.getByLabel(`Choose files: ${statement}`).setInputFiles({ name, mimeType: "application/pdf", buffer: pdf(name) });
    await guest.getByText(name).first().waitFor();
  }

  async function send() {
    await guest.getByRole("link", { name: "Check and send" }).click();
    await heading(guest, "Check before you send");
    await look(guest, "client-check");
    await press(guest, `Send to ${firm}`);
    await heading(guest, `Sent to ${firm}`);
  }

  /** An item in the staff's list, chosen. */
  async function choose(name) {
    await staff.locator(".gh-itemlist").getByRole("button", { name: new RegExp(`^${name.replace("?", "\\?")}`) }).click();
    await staff.getByRole("heading", { level: 2, name }).waitFor();
  }

  async function accept(name) {
    await choose(name);
    await press(staff, "Accept");
    await staff.locator(".gh-pane").getByText("Accepted", { exact: true }).waitFor();
  }

  step("the first start prints a link, and whoever opens it becomes the owner", async () => {
    await staff.goto(await server.setupLink());
    await heading(staff, "Set up your portal");
    await look(staff, "setup");
    await staff.getByLabel("Name of your firm").fill(firm);
    await staff.getByLabel("Your name").fill("Oda Lind");
    await staff.getByLabel("Your email").fill("oda@northgate.example");
    await staff.getByLabel("Password", { exact: true }).fill(password);
    await press(staff, "Set up");
    await staff.waitForURL(/#\/gatehouse\/queue/);
    await staff.getByText("Nothing is waiting on you.").waitFor();
    await look(staff, "staff-queue-empty", ".page");
  });

  step("the link works once; then the mail server is set, as superuser", async () => {
    const { status } = await new Api(server.url).post("/api/portal/setup", { token: (await server.setupLink()).split("/").at(-1), firm: "Mine", name: "Me", email: "me@else.example", password });
    assert.equal(status, 404);
    sol = await superuser(server);
    await useMailbox(sol, server, mailbox);
  });

  step("the owner adds a client and invites Anna", async () => {
    await staff.getByRole("link", { name: "Clients", exact: true }).click();
    await heading(staff, "Clients");
    await press(staff, "New client");
    await staff.getByRole("dialog").getByLabel("Name").fill(client);
    await press(staff, "Create the client");
    await heading(staff, client);
    await press(staff, "Invite someone");
    const dialog = staff.getByRole("dialog");
    await dialog.getByLabel("Email").fill(anna);
    await dialog.getByLabel("Name").fill("Anna Bell");
    await dialog.getByLabel("Role").selectOption({ label: "Can send, approve and manage their team" });
    await press(staff, "Send the invitation");
    await staff.getByText("Anna Bell is invited.").waitFor();
    await look(staff, "staff-client", ".page");
  });

  step("Anna accepts on her phone, by the link in the mail", async () => {
    const mail = await mailbox.wait(anna, /invited/i);
    assert.match(mail.text, /Oda Lind/);
    assert.match(mail.text, new RegExp(client));
    assert.equal(mail.headers.get("auto-submitted"), "auto-generated");
    assert.ok(mail.html, "the invitation has no HTML part");
    await guest.goto(linkIn(mail, /\/invite\//));
    await heading(guest, `Welcome to ${firm}`);
    await guest.getByText(client).waitFor();
    await look(guest, "invitation");
    await guest.getByLabel("Password (optional)").fill(password);
    await press(guest, "Accept and continue");
    await heading(guest, "Nothing needs you");
    await look(guest, "client-home-empty");
  });

  step("the owner asks for a file, an answer and a confirmation", async () => {
    await staff.getByRole("link", { name: "New request for this client" }).click();
    await heading(staff, "New request");
    await staff.getByLabel("What kind of request").selectOption({ label: "Request for documents and answers" });
    await staff.getByLabel("Title").fill(title);
    for (const [n, [button, name]] of [["Add: file", statement], ["Add: question", people], ["Add: confirmation", address]].entries()) {
      await press(staff, button);
      await staff.getByLabel("What it is").nth(n).fill(name);
    }
    await staff.getByRole("heading", { name: "Once it is with the client: Waiting for client" }).waitFor();
    await staff.getByText("Reminder after 3 business days. (to Anna Bell)").waitFor();
    await look(staff, "staff-new-request", ".page");
    await press(staff, "Create the request");
    await heading(staff, title);
    await staff.getByText("The client does not see this request yet.").waitFor();
    request = new URL(staff.url()).hash.match(/request\/(\w+)/)[1];
    assert.equal((await sol.records("client_requests", `id='${request}'`)).length, 0, "a draft is in the client's data");
    await look(staff, "staff-request-draft", ".page");
    await press(staff, "Send to client");
    await staff.getByText("Client sees: We need some things from you").waitFor();
  });

  step("Anna learns of it by mail, gives everything, looks it over and sends it", async () => {
    const mail = await mailbox.wait(anna, new RegExp(title));
    await guest.goto(linkIn(mail, new RegExp(`/r/${request}`)));
    await heading(guest, title);
    await guest.getByText(/Your turn/).first().waitFor();
    await look(guest, "client-request");
    await giveStatement("statement-1.pdf");
    await ready(1);
    await openRow(people);
    await guest.getByRole("textbox", { name: people }).fill("Twelve");
    await guest.getByRole("textbox", { name: people }).blur();
    await ready(2);
    await openRow(address);
    await guest.getByLabel("I have read this and accept it.").check();
    await ready(3);
    await look(guest, "client-request-ready");
    await send();
    await look(guest, "client-sent");
  });

  step("the firm looks at it: two things are fine, one goes back with a reason", async () => {
    await press(staff, "Start review");
    await staff.getByText("Client sees: We are checking what you sent").waitFor();
    await accept(people);
    await accept(address);
    await choose(statement);
    await staff.getByText("statement-1.pdf").first().waitFor();
    await press(staff, "Send back…");
    await staff.getByLabel("What should the client do?").fill(reason);
    await staff.locator(".gh-chip").first().click();
    await look(staff, "staff-review", ".page");
    await press(staff, "Send back");
    await staff.locator(".gh-pane").getByText("Sent back", { exact: true }).waitFor();
  });

  step("what was decided is not in Anna's data before the firm says so", async () => {
    const rows = await sol.records("client_items", `request='${request}'`);
    assert.deepEqual(new Set(rows.map((row) => row.status)), new Set(["provided"]));
    assert.ok(!JSON.stringify(rows).includes("cut off"));
    assert.ok(!mailbox.to(anna).some((mail) => mail.text.includes("cut off")));
  });

  step("the firm asks again, with one message for all that goes back", async () => {
    await press(staff, "Ask the client (1)");
    const dialog = staff.getByRole("dialog");
    assert.equal(await dialog.getByLabel("What should the client do?").inputValue(), reason);
    await dialog.getByRole("button", { name: "Ask the client (1)" }).click();
    await staff.getByText("Client sees: We need some things from you").waitFor();
  });

  step("Anna reads why, keeps the rest, fixes it and sends it again", async () => {
    const mail = await mailbox.wait(anna, /cut off/);
    await guest.goto(linkIn(mail, new RegExp(`/r/${request}`)));
    await heading(guest, title);
    await openRow(statement);
    await guest.getByText(reason, { exact: true }).waitFor();
    await guest.getByText("statement-1.pdf").first().waitFor();
    await ready(2);
    await look(guest, "client-sent-back");
    await giveStatement("statement-2.pdf");
    await ready(3);
    await send();
  });

  step("the firm checks the new copy and approves", async () => {
    await press(staff, "Start review");
    await accept(statement);
    await press(staff, "Approve");
    await staff.getByText("Client sees: All done").waitFor();
    await look(staff, "staff-request-done", ".page");
  });

  step("both see that it is done, and what has happened", async () => {
    await guest.goto(`${server.url}/r/${request}/history`);
    await heading(guest, title);
    await guest.getByText("All done").first().waitFor();
    await guest.getByRole("region", { name: "What has happened" }).getByText(/cut off/).first().waitFor();
    await look(guest, "client-history");
    await staff.getByRole("tab", { name: "History" }).click();
    await staff.getByText(/Approved|Approve/).first().waitFor();
    await look(staff, "staff-history", ".page");

    const told = await (await new Api(server.url).signIn("users", anna, password)).must("GET", `/api/portal/requests/${request}/timeline?perPage=100`);
    assert.equal(told.items[0].kind, "summary");
    for (const actor of ["Anna Bell", "Oda Lind"]) {
      assert.ok(told.items.some((entry) => entry.actor_name === actor), `nothing by ${actor} in ${JSON.stringify(told.items)}`);
    }
    assert.ok(!JSON.stringify(told).includes("start_review"), "a code instead of a sentence");
    for (const entry of told.items) assert.match(entry.text, /\S+ \S+/, JSON.stringify(entry));
  });

  step("the history, the items and the mails tell the same", async () => {
    const steps = (await sol.records("transitions", `request='${request}'`, "revision")).map((row) => row.key);
    assert.deepEqual(steps, ["send", "submit", "start_review", "ask_again", "submit", "start_review", "approve"]);
    const owner = await new Api(server.url).signIn("staff", "oda@northgate.example", password);
    const view = await owner.must("GET", `/api/portal/requests/${request}`);
    assert.equal(view.state, "approved");
    assert.deepEqual(itemsOf(view).map(({ status }) => status), ["accepted", "accepted", "accepted"]);
    const finished = await mailbox.wait(anna, /finished|All done|approved/i);
    assert.match(finished.text, /because|Why/i, "a mail that does not say why it was sent");
    const ids = mailbox.mails.map((mail) => mail.messageId);
    assert.equal(new Set(ids).size, ids.length, "one notification went out twice");
  });
});
