// Workflows in the staff console: the library, a definition with a fault, a new version and the move to it; where a
// request stands; many requests at once; two people at one field. At a desk and on a phone, each page with axe.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { Browser, desk, look, noBrowser, phone } from "./lib/browser.mjs";
import { Firm } from "./lib/firm.mjs";
import { closer, dashboardStart, enter, heading, press, teller } from "./lib/story.mjs";
import { until } from "./lib/wait.mjs";

const stale = /409 \(Conflict\)/;

describe("workflows in the console", { skip: noBrowser }, () => {
  const later = closer();
  let firm, oda, hana, client, org, page, small, requests, first, second;

  before(async () => {
    firm = await Firm.open(later);
    oda = await firm.guest.signIn("staff", "oda@northgate.example", "a quiet harbour at noon");
    hana = await firm.staff("Hana", "operator", ["handler"]);
    org = await firm.organization("Bluebell Bakery Ltd");
    client = await firm.client("Anna", org);
    requests = [];
    for (const title of ["Year-end papers", "Payroll papers", "Tax papers"]) requests.push(await firm.sentRequest(hana, org, title));
    const browser = await Browser.open(later);
    page = await browser.newPage({ viewport: desk, expected: [dashboardStart, stale] });
    small = await browser.newPage({ viewport: phone });
    await enter(page, oda);
    await enter(small, oda);
  });

  const step = teller("workflows", () => ({ desk: page, phone: small }), { chained: true });

  const at = (path) => `${firm.server.url}/_/#/gatehouse/${path}`;
  const plain = (path) => `${firm.server.url}/staff/#/gatehouse/${path}`;
  const inDialog = (name) => page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
  /** The same page on a phone, in the plain shell. */
  async function onPhone(path, title, name) {
    await small.goto(plain(path));
    await heading(small, title);
    await small.locator(".gh-skeleton").waitFor({ state: "detached" });
    await look(small, name);
  }

  step("the list shows each workflow with what is open on it, and the library what could be added", async () => {
    await page.goto(at("queue"));
    await page.getByRole("link", { name: "Workflows", exact: true }).click();
    await heading(page, "Workflows");
    const card = page.locator("[data-workflow=simple_request]");
    await card.getByText("3 open requests").waitFor();
    first = (await card.getByRole("link", { name: "Version 1" }).getAttribute("href")).split("/").at(-1);
    await page.getByRole("button", { name: /^Add to portal: .*reative/ }).click();
    await page.locator("[data-workflow=agency_creative_approval]").waitFor();
    await look(page, "workflows", ".page");
    await onPhone("workflows", "Workflows", "workflows");
  });

  step("a version shows its picture with what is in it now, and the same as a table", async () => {
    await page.locator("[data-workflow=simple_request]").getByRole("link", { name: "Version 1" }).click();
    await heading(page, "Request for documents and answers");
    await page.getByRole("img", { name: /Request for documents and answers: states/ }).waitFor();
    assert.match(await page.locator(".gh-pic-need").first().textContent(), /Waiting for client.*3 here/);
    const row = page.locator("tr[data-state=waiting_for_client]");
    await row.getByText("Send → Submitted (client)").waitFor();
    await page.getByRole("heading", { name: "If it was opened today" }).waitFor();
    await page.getByText("Reminder after 3 business days. (to the client's people)").waitFor();
    assert.match(await row.textContent(), /With client/);
    await look(page, "workflow", ".page");
    await onPhone(`workflow/${first}`, "Request for documents and answers", "workflow");
  });

  step("a definition with a fault is shown with its line, and nothing is saved", async () => {
    const source = (await firm.oda.must("GET", `/api/portal/definitions/${first}`)).source;
    second = source.replace("version: 1", "version: 2").replaceAll("submitted", "received").replace("label: Submitted", "label: Received");
    await page.goto(at("workflows/import"));
    await heading(page, "Import a workflow");
    await page.getByLabel("Definition").fill(second.replace("to: received, by:", "to: nowhere, by:"));
    await press(page, "Check");
    const finding = page.locator(".gh-findings li").filter({ hasText: "nowhere" }).first();
    const place = finding.getByRole("button", { name: /^Line \d+/ });
    await place.click();
    const marked = await page.getByLabel("Definition").evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
    assert.match(marked, /to: nowhere/, "the finding does not lead to its line");
    await press(page, "Publish…");
    await page.getByText("It has errors and cannot be published.").waitFor();
    assert.equal((await firm.oda.must("GET", "/api/portal/definitions")).items.find((one) => one.key === "simple_request").versions.length, 1);
    await look(page, "workflow-import", ".page");
    await onPhone("workflows/import", "Import a workflow", "workflow-import");
  });

  step("put right, it is published after one question that says what follows", async () => {
    await page.getByLabel("Definition").fill(second);
    await press(page, "Publish…");
    await page.getByRole("dialog").getByText("3 open requests stay on the versions they are on").waitFor();
    await inDialog("Publish");
    await heading(page, "Request for documents and answers");
    await page.getByText("version 2 is published").waitFor();
    second = new URL(page.url()).hash.split("/").at(-1);
    assert.notEqual(second, first);
    await page.getByRole("button", { name: "Compare with version 1" }).click();
    await page.getByRole("heading", { name: "From version 1 to version 2" }).waitFor();
    await page.locator(".gh-diff li[data-kind]").first().waitFor();
  });

  step("moving requests to it asks where a state that is gone goes on, tries it, then does it", async () => {
    const anna = await firm.guest.signIn("users", client.email, "a quiet harbour at noon");
    const { sections } = await anna.must("GET", `/api/portal/requests/${requests[2].id}`);
    for (const item of sections.flatMap((each) => each.items)) {
      await anna.must("PATCH", `/api/portal/items/${item.id}`, { answers: item.kind === "acknowledge" ? { accepted: true } : { text: "Twelve" } });
    }
    await anna.must("POST", `/api/portal/requests/${requests[2].id}/transition`, { transition: "submit" });

    await page.reload();
    await page.getByRole("link", { name: "Move requests here…" }).click();
    await heading(page, /^Move requests to/);
    await page.getByLabel("Submitted (1 request)").selectOption({ label: "Received" });
    await press(page, "Try it without changing anything");
    await page.getByRole("button", { name: "Move 3 requests" }).waitFor();
    assert.equal((await hana.must("GET", `/api/portal/requests/${requests[0].id}`)).workflow_version, 1, "a dry run changed something");
    await look(page, "workflow-move", ".page");
    await press(page, "Move 3 requests");
    await heading(page, "Move to a new version");
    await until("the requests to be moved", async () => (await hana.must("GET", `/api/portal/requests/${requests[2].id}`)).state === "received");
    await page.locator(".gh-run .gh-tag").filter({ hasText: "Done" }).first().waitFor();
    assert.equal(await page.locator("[data-outcome=ok]").count(), 3);
    await look(page, "run", ".page");
    const run = new URL(page.url()).hash.split("/").at(-1);
    await onPhone(`run/${run}`, "Move to a new version", "run");
    await page.getByRole("link", { name: "Runs" }).click();
    await heading(page, "Runs");
    await page.getByRole("link", { name: "Move to a new version" }).first().waitFor();
    await look(page, "runs", ".page");
    await onPhone("runs", "Runs", "runs");
  });

  step("a request shows where it stands and the way it came", async () => {
    await page.goto(at(`request/${requests[2].id}`));
    await heading(page, "Tax papers");
    await press(page, "Where it stands");
    const dialog = page.getByRole("dialog", { name: "Where it stands" });
    await dialog.getByRole("img", { name: /it is at: Received/ }).waitFor();
    assert.match(await dialog.locator(".gh-pic-here").textContent(), /Received.*Here/);
    await dialog.getByText("Send to client: from Draft to Waiting for client").waitFor();
    await dialog.getByText("Now: Received").waitFor();
    await look(page, "where", "dialog");
    await page.keyboard.press("Escape");
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-k")), "where", "the focus is lost");
    await small.goto(plain(`request/${requests[2].id}`));
    await heading(small, "Tax papers");
    await small.getByRole("button", { name: "Where it stands" }).click();
    await small.getByRole("dialog").getByText("Now: Received").waitFor();
    await look(small, "where");
    await small.keyboard.press("Escape");
  });

  step("what comes next is told with its day, and a pause stops it until it goes on", async () => {
    await page.goto(at(`request/${requests[0].id}`));
    await heading(page, "Year-end papers");
    await page.getByRole("tab", { name: "Next" }).click();
    await page.locator(".gh-plan li[data-kind=reminder]").first().waitFor();
    await page.getByText("With the client (running)").waitFor();
    await look(page, "plan", ".page");
    await press(page, "Pause…");
    const dialog = page.getByRole("dialog");
    await inDialog("Pause");
    await dialog.getByText("Choose a day after today.").waitFor();
    await dialog.getByLabel("Until").fill(new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10));
    await dialog.getByLabel("Why").fill("The client is at sea.");
    await inDialog("Pause");
    await page.getByText(/Paused until .* by Oda Lind: The client is at sea\./).waitFor();
    await press(page, "Go on now");
    await page.getByText(/Paused until/).waitFor({ state: "detached" });
    await small.goto(plain(`request/${requests[0].id}?tab=plan`));
    await small.locator(".gh-plan li[data-kind=reminder]").first().waitFor();
    await look(small, "plan");
  });

  step("priority and tags are set, and stand in the queue", async () => {
    await page.goto(at(`request/${requests[2].id}`));
    await heading(page, "Tax papers");
    await press(page, "Priority and tags");
    await page.getByRole("dialog").getByLabel("Priority").selectOption("high");
    await page.getByRole("dialog").getByLabel("Tags").fill("VAT, year end, vat");
    await inDialog("Save");
    await page.locator(".gh-label").nth(1).waitFor();
    assert.deepEqual((await hana.must("GET", `/api/portal/requests/${requests[2].id}`)).tags, ["VAT", "year end"]);
    await page.goto(at("queue?view=all"));
    await page.getByRole("row", { name: /Tax papers/ }).locator(".gh-label").filter({ hasText: "year end" }).waitFor();
  });

  step("another owner gets a note; many items come from a table, looked at first", async () => {
    const id = requests[1].id;
    await page.goto(at(`request/${id}`));
    await heading(page, "Payroll papers");
    await press(page, "Change owner");
    await page.getByRole("dialog").getByLabel("Owner").selectOption({ label: "Oda Lind" });
    await page.getByRole("dialog").getByLabel(/^Note for whoever takes over/).fill("They are slow in May.");
    await inDialog("Save");
    await page.getByRole("tab", { name: "Internal notes" }).click();
    await page.locator(".gh-note").getByText(/They are slow in May\./).waitFor();

    await press(page, "Add several…");
    const dialog = page.getByRole("dialog");
    const fill = async (text) => {
      await dialog.getByLabel("One item on each line").fill(text);
      await inDialog("Look at them first");
    };
    await fill("title,due\nPayslips for May,2099-06-30\nPayslips for June,never");
    await dialog.getByText("1 line cannot be added as it is.", { exact: false }).waitFor();
    assert.equal(await dialog.getByRole("button", { name: /^Add / }).count(), 0, "a table with a fault is offered to be added");
    await look(page, "add-many", "dialog");
    await inDialog("Change the lines");
    await fill("title,due\nPayslips for May,2099-06-30\nPayslips for June,2099-07-31");
    await inDialog("Add 2 items");
    await page.locator(".gh-itemlist").getByText("Payslips for June").waitFor();
    const { sections } = await hana.must("GET", `/api/portal/requests/${id}`);
    assert.equal(sections.flatMap((each) => each.items).length, 4);
  });

  const priorities = async () => (await Promise.all(requests.map((one) => hana.must("GET", `/api/portal/requests/${one.id}`)))).map((one) => one.priority);

  step("many at once: by key and by box, looked at first, undone within ten seconds, then done", async () => {
    await page.goto(at("queue?view=all"));
    await page.getByRole("row", { name: /Tax papers/ }).waitFor();
    await page.keyboard.press("x");
    await page.getByText("1 selected").waitFor();
    await page.getByLabel("Select all shown").check();
    await page.getByText("3 selected").waitFor();
    await press(page, "Priority…");
    await page.getByRole("dialog").getByLabel("Priority").selectOption("urgent");
    await inDialog("See what would happen");
    await page.getByRole("dialog").getByRole("button", { name: "Do it for 3 requests" }).waitFor();
    assert.deepEqual(await priorities(), ["normal", "normal", "high"], "looking changed something");
    await look(page, "bulk", "dialog");
    await inDialog("Do it for 3 requests");
    await press(page, "Undo");
    await page.getByText("Undone. Nothing was changed.").waitFor();
    assert.deepEqual(await priorities(), ["normal", "normal", "high"], "what was undone was done");

    await page.getByLabel("Select all shown").check();
    await press(page, "Priority…");
    await page.getByRole("dialog").getByLabel("Priority").selectOption("urgent");
    await inDialog("See what would happen");
    await inDialog("Do it for 3 requests");
    await page.getByRole("link", { name: "See the run" }).click();
    await heading(page, "New priority");
    await until("every request to be urgent", async () => (await priorities()).every((one) => one === "urgent"));
    await page.locator(".gh-run .gh-tag").filter({ hasText: "Done" }).first().waitFor();
  });

  step("a step for many names who is passed over, and why", async () => {
    await page.goto(at("queue?view=all"));
    await page.getByLabel("Select all shown").check();
    await press(page, "Move on…");
    await page.getByRole("dialog").getByLabel("Step").selectOption({ label: "Start review (possible from 1 of 3)" });
    await inDialog("See what would happen");
    await page.getByRole("dialog").getByRole("button", { name: "Do it for 1 request" }).waitFor();
    assert.equal(await page.locator("dialog [data-outcome=skipped]").count(), 2);
    for (const text of await page.locator("dialog [data-outcome=skipped] td:last-child").allTextContents()) assert.match(text, /\S+ \S+/);
    await page.keyboard.press("Escape");
  });

  step("two people at one field: both values stand there, and one press settles it", async () => {
    const kyc = await hana.must("POST", "/api/portal/requests", { workflow: "acct_onboarding_kyc", organization: org.id });
    const field = kyc.fields.find((one) => one.editable && (one.type === "text" || one.type === "long_text"));
    assert.ok(field, "no field of text is open to staff");
    await page.goto(at(`request/${kyc.id}?item=data`));
    await heading(page, kyc.title);
    await page.getByRole("button", { name: "Request data" }).click();
    const input = page.locator(`[data-k="field-${field.key}"]`);
    await input.fill("What Oda writes");
    await hana.must("PATCH", `/api/portal/requests/${kyc.id}`, { data: { [field.key]: "What Hana wrote" } });
    // The news of it arrives while Oda still types: her words stay in their place, and nothing is saved over Hana's.
    await page.getByText("This request changed just now.").waitFor();
    assert.equal(await input.inputValue(), "What Oda writes");
    await input.blur();
    const both = page.getByRole("group", { name: /Two people changed this/ });
    await both.getByText("You: What Oda writes").waitFor();
    await both.getByText(/: What Hana wrote/).waitFor();
    await look(page, "conflict", ".page");
    await both.getByRole("button", { name: "Keep mine" }).click();
    await both.waitFor({ state: "detached" });
    const saved = await hana.must("GET", `/api/portal/requests/${kyc.id}`);
    assert.equal(saved.fields.find((one) => one.key === field.key).value, "What Oda writes");
  });

  step("who only works requests may look at workflows, and is offered nothing that changes them", async () => {
    const other = await small.context().browser().newContext({ viewport: desk, reducedMotion: "reduce" });
    const its = await other.newPage();
    await enter(its, hana);
    await its.goto(plain("workflows"));
    await its.getByText("You can look at every workflow. Managers and owners change them.").waitFor();
    await its.locator("[data-workflow=simple_request]").waitFor();
    assert.equal(await its.getByRole("link", { name: "Import YAML" }).count(), 0);
    await its.goto(plain(`workflow/${second}`));
    await its.getByRole("button", { name: "Export YAML" }).waitFor();
    for (const name of ["Publish…", "Retire…"]) assert.equal(await its.getByRole("button", { name }).count(), 0, name);
    await other.close();
  });
});
