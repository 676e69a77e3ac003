// The engine as a client meets it: what is missing is named where it is missing, what is asked follows the answers,
// two people at once lose nothing, and the firm's own work is decided on in the page.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { Browser, desk, look, noBrowser, phone } from "./lib/browser.mjs";
import { pdf, png } from "./lib/files.mjs";
import { Firm, itemsOf, upload } from "./lib/firm.mjs";
import { byPassword, closer, teller } from "./lib/story.mjs";
import { until } from "./lib/wait.mjs";

const refusal = /(409 \(Conflict\)|400 \(Bad Request\)) \S+\/api\/portal\//;

describe("a client and the engine", { skip: noBrowser }, () => {
  const later = closer();
  const open = [];
  let firm, browser, bakery, mara, dee, cleo, hana;

  before(async () => {
    firm = await Firm.open(later);
    await firm.publish("agency-creative-approval", "accounting-monthly-close");
    bakery = await firm.organization("Bluebell Bakery Ltd");
    mara = await firm.staff("Mara", "operator", ["account_manager"]);
    dee = await firm.staff("Dee", "operator", ["designer"]);
    cleo = await firm.staff("Cleo", "operator", ["creative_director"]);
    hana = await firm.staff("Hana", "operator", ["handler"]);
    browser = await Browser.open(later);
  });

  const told = teller("engine", () => open);
  /** One story, on pages of its own. */
  const story = (name, run) =>
    told(name, async (t) => {
      open.length = 0;
      await run(t);
    });

  /** A page of somebody who has signed in. */
  async function pageOf(person, { viewport = desk, expected = [], quiet = false } = {}) {
    const page = await browser.newPage({ viewport, expected });
    open.push(page);
    // Without the live line a page learns of others only when it asks: the order of things is the test's.
    if (quiet) await page.route("**/api/realtime", (route) => route.fulfill({ status: 204, body: "" }));
    await byPassword(page, firm.server.url, person.email);
    await page.getByRole("heading", { level: 1 }).filter({ hasText: /need/i }).waitFor();
    return page;
  }

  const view = (who, id) => who.must("GET", `/api/portal/requests/${id}`);
  const step = (who, id, transition, more = {}) => who.must("POST", `/api/portal/requests/${id}/transition`, { transition, ...more });
  const item = async (who, id, key) => itemsOf(await view(who, id)).find((one) => one.key === key || one.title === key);
  const rowOf = (page, name) => page.locator("[data-item]").filter({ hasText: name });
  const opened = async (page, name) => {
    const row = rowOf(page, name);
    if ((await row.getAttribute("aria-expanded")) === "false") await row.click();
    return row.locator("xpath=ancestor::li[1]");
  };
  const focused = (page, selector) => until(`the focus on ${selector}`, () => page.evaluate((s) => !!document.activeElement?.closest(s), selector));

  async function campaign(title) {
    const { id } = await mara.must("POST", "/api/portal/requests", { workflow: "agency_creative_approval", organization: bakery.id, title });
    return id;
  }

  /** A campaign whose artwork for two channels lies with the client. */
  async function inReview(anna, title) {
    const id = await campaign(title);
    await anna.must("PATCH", `/api/portal/requests/${id}`, { data: { campaign: "Spring", go_live: "2027-03-01", channels: ["print", "web"] } });
    await anna.must("PATCH", `/api/portal/items/${(await item(anna, id, "brief_form")).id}`, { answers: { goal: "More bread" } });
    await upload(anna, await view(anna, id), await item(anna, id, "brand_assets"), "logo.pdf");
    await step(anna, id, "submit_brief");
    for (const key of ["brief_form", "brand_assets"]) {
      await mara.must("PATCH", `/api/portal/items/${(await item(mara, id, key)).id}`, { status: "accepted" });
    }
    await step(mara, id, "accept_brief");
    await draw(id, [200, 80, 40]);
    return id;
  }

  /** The studio draws for every channel that is not accepted, and sends the round to the client. */
  async function draw(id, colour) {
    const shown = await view(dee, id);
    for (const one of itemsOf(shown).filter(({ key, status }) => key === "artwork_file" && status !== "accepted")) {
      await upload(dee, shown, one, `${one.instance}.png`, png(colour, 320 + one.instance.length, 200), "image/png");
    }
    await step(dee, id, "to_check");
    await step(cleo, id, "send_round");
  }

  story("a step pressed before its time names all that is missing, and leads to each of it", async () => {
    const anna = await firm.client("Anna", bakery, "admin", ["client_approver"]);
    const id = await campaign("Missing things");
    const page = await pageOf(anna, { viewport: phone });
    await page.goto(`${firm.server.url}/r/${id}`);
    await page.getByRole("button", { name: "See all 5" }).click();
    await page.getByRole("heading", { name: /^Before “Send brief”, \d+ things are missing$/ }).waitFor();
    await focused(page, "#missing");
    await look(page, "engine-missing");

    const links = page.locator("#missing a");
    const spots = await links.evaluateAll((all) => all.map((a) => a.hash));
    assert.ok(spots.some((hash) => hash.startsWith("#field-")) && spots.some((hash) => hash.startsWith("#item-")), `spots: ${spots}`);
    for (const [n, hash] of spots.entries()) {
      await links.nth(n).click();
      if (hash.startsWith("#field-")) await focused(page, hash);
      else {
        await focused(page, `[data-item="${hash.slice(6)}"]`);
        assert.equal(await page.locator(`[data-item="${hash.slice(6)}"]`).getAttribute("aria-expanded"), "true");
      }
    }

    // What is cured says so by going away: there, and from the list.
    await page.getByLabel("Campaign").fill("Spring");
    await page.getByLabel("Campaign").blur();
    await until("one thing less to be missing", async () => (await links.count()) === spots.length - 1);
  });

  story("what is asked follows the answers, and what was given comes back", async () => {
    const anna = await firm.client("Agnes", bakery, "admin");
    const id = await campaign("Conditional things");
    const page = await pageOf(anna);
    await page.goto(`${firm.server.url}/r/${id}`);
    const releases = rowOf(page, "Signed model releases");
    const video = page.getByRole("checkbox", { name: "Video" });
    await video.waitFor();
    assert.equal(await releases.count(), 0);
    await video.check();
    await releases.waitFor();
    await until("it to be said", async () => /Now also asked: .*Signed model releases/.test((await page.locator("[aria-live=polite]").textContent()) ?? ""));
    await opened(page, "Signed model releases");
    await page.getByLabel("Choose files: Signed model releases").setInputFiles({ name: "release.pdf", mimeType: "application/pdf", buffer: pdf("release") });
    await page.getByText("release.pdf", { exact: true }).waitFor();
    await look(page, "engine-conditional");
    await video.uncheck();
    await releases.waitFor({ state: "detached" });
    await video.check();
    await releases.waitFor();
    await opened(page, "Signed model releases");
    await page.getByText("release.pdf", { exact: true }).waitFor();
  });

  story("two people who answer at once both keep their words until one of them chooses", async () => {
    const [ada, ben] = [await firm.client("Ada", bakery, "admin"), await firm.client("Ben", bakery, "admin")];
    const id = await campaign("Two people");
    const [first, second] = [await pageOf(ada, { quiet: true }), await pageOf(ben, { quiet: true, viewport: phone, expected: [refusal] })];
    for (const page of [first, second]) await page.goto(`${firm.server.url}/r/${id}`);
    const field = (page) => page.getByLabel("Campaign");
    await field(second).waitFor();
    await field(first).fill("Summer fair");
    await field(first).blur();
    await first.getByText(/^Saved/).first().waitFor();

    await field(second).fill("Winter market");
    await field(second).blur();
    const both = second.getByRole("group", { name: /^Ada answered this too/ });
    await both.getByText("Summer fair").waitFor();
    await both.getByText("Winter market").waitFor();
    assert.equal(await field(second).inputValue(), "Winter market");
    await look(second, "engine-conflict");
    assert.equal((await view(ada, id)).fields.find(({ key }) => key === "campaign").value, "Summer fair", "what was saved first was lost");
    await both.getByRole("button", { name: "Keep mine" }).click();
    await both.waitFor({ state: "detached" });
    await until("the choice to be saved", async () => (await view(ada, id)).fields.find(({ key }) => key === "campaign").value === "Winter market");

    // The same for a question of an item; this time the other's answer is taken.
    const goal = (page) => page.getByLabel("What should this achieve?");
    for (const page of [first, second]) await opened(page, "Creative brief");
    await goal(second).waitFor();
    await goal(first).fill("More bread");
    await goal(first).blur();
    await until("Ada's answer to be saved", async () => (await item(ada, id, "brief_form")).answers.goal === "More bread");
    await goal(second).fill("More cake");
    await goal(second).blur();
    await second.getByRole("button", { name: "Keep Ada’s" }).click();
    await until("Ada's answer in the field", async () => (await goal(second).inputValue()) === "More bread");
    assert.equal((await item(ada, id, "brief_form")).answers.goal, "More bread");
  });

  for (const [name, viewport] of [["phone", phone], ["desk", desk]]) {
    story(`a client looks at the artwork and decides on each piece, at the ${name}`, async () => {
      const anna = await firm.client(`Rita${name}`, bakery, "admin", ["client_approver"]);
      const id = await inReview(anna, `Artwork at the ${name}`);
      const page = await pageOf(anna, { viewport });
      await page.goto(`${firm.server.url}/r/${id}`);
      await page.getByText("0 of 2 decided").first().waitFor();
      await page.locator(".preview img").first().waitFor();
      await until("the picture to be drawn", () => page.locator(".preview img").first().evaluate((img) => img.naturalWidth > 300));
      await look(page, `engine-review-${name}`);

      // One piece is fine, by keyboard; the decision can be taken back while nothing was sent.
      const accept = page.getByRole("group", { name: /^Your decision on print/i }).getByRole("button", { name: "Accept" });
      await accept.focus();
      await page.keyboard.press("Enter");
      await page.getByText("1 of 2 decided").first().waitFor();
      await focused(page, "[data-begin]");
      await page.keyboard.press("Enter");
      await page.getByText("0 of 2 decided").first().waitFor();
      await accept.click();
      await page.getByText("1 of 2 decided").first().waitFor();

      // The other goes back, with a reason and words; without either it is not taken.
      const web = await opened(page, /web artwork/i);
      await web.getByRole("button", { name: "Send back…" }).click();
      await web.getByRole("button", { name: "Send back", exact: true }).click();
      await web.getByText("Choose a reason or write a few words.").waitFor();
      await web.getByText("Wrong size").click();
      await web.getByLabel("What should change?").fill("The loaf is cut off at the left.");
      await look(page, `engine-send-back-${name}`);
      await web.getByRole("button", { name: "Send back", exact: true }).click();
      await page.getByText("2 of 2 decided").first().waitFor();
      await look(page, `engine-decided-${name}`);

      // The words are asked for once: the step has them ready.
      await page.getByRole("link", { name: "Request changes" }).click();
      await page.getByRole("heading", { level: 1, name: "Check before you send" }).waitFor();
      assert.equal(await page.getByRole("textbox", { name: /web artwork/i }).inputValue(), "The loaf is cut off at the left.");
      await look(page, `engine-review-check-${name}`);
      await page.getByRole("button", { name: "Request changes" }).click();
      await page.getByText("We are making your changes").first().waitFor();
      const [web1] = itemsOf(await view(dee, id)).filter(({ title }) => /web artwork/i.test(title));
      assert.deepEqual([web1.status, web1.reason], ["rejected", "wrong_size"]);

      // The next round: only the new piece waits, beside the version before it.
      await draw(id, [40, 120, 200]);
      await page.goto(`${firm.server.url}/r/${id}`);
      await page.getByText("1 of 2 decided").first().waitFor();
      const again = await opened(page, /web artwork/i);
      await again.getByRole("button", { name: /^Compare with version/ }).click();
      const dialog = page.getByRole("dialog");
      await until("both versions to be drawn", async () => (await dialog.locator("img").count()) === 2 && (await dialog.locator("img").evaluateAll((all) => all.every((img) => img.naturalWidth > 300))));
      await look(page, `engine-compare-${name}`);
      await dialog.getByRole("button", { name: "Close" }).click();
      await again.getByRole("button", { name: "Accept" }).click();
      await page.getByText("2 of 2 decided").first().waitFor();
      await page.getByRole("link", { name: "Approve artwork" }).click();
      await page.getByRole("button", { name: "Approve artwork" }).click();
      await page.getByText("Approved - preparing final files").first().waitFor();
      assert.equal((await view(mara, id)).state, "finalising");
    });
  }

  story("who else decided is shown, and whose veto stands in the way", async () => {
    const anna = await firm.client("Vera", bakery, "admin", ["client_approver"]);
    const lee = await firm.client("Lee", bakery, "member", ["client_legal"]);
    const id = await inReview(anna, "A veto");
    const artwork = itemsOf(await view(lee, id)).filter(({ can_review }) => can_review);
    await lee.must("PATCH", `/api/portal/items/${artwork[0].id}`, { status: "rejected", reason: "legal", comment: "The year is missing." });
    const page = await pageOf(anna, { viewport: phone, expected: [refusal] });
    await page.goto(`${firm.server.url}/r/${id}`);
    const piece = await opened(page, artwork[0].title);
    await piece.getByText("This cannot go on until Lee accepts it.").waitFor();
    await piece.getByText("Lee (Legal)").waitFor();
    await piece.getByText("The year is missing.").first().waitFor();
    await look(page, "engine-veto");
    await lee.must("PATCH", `/api/portal/items/${artwork[0].id}`, { status: "accepted" });
    await piece.getByText("This cannot go on until Lee accepts it.").waitFor({ state: "detached" });
  });

  story("where more is needed, what was sent stays and counts", async () => {
    const anna = await firm.client("Mona", bakery, "admin");
    const id = await campaign("More of it");
    await anna.must("PATCH", `/api/portal/requests/${id}`, { data: { campaign: "Spring", go_live: "2027-03-01", channels: ["print"] } });
    await anna.must("PATCH", `/api/portal/items/${(await item(anna, id, "brief_form")).id}`, { answers: { goal: "More bread" } });
    await upload(anna, await view(anna, id), await item(anna, id, "brand_assets"), "logo.pdf");
    await step(anna, id, "submit_brief");
    const assets = await item(mara, id, "brand_assets");
    await mara.must("PATCH", `/api/portal/items/${assets.id}`, { status: "more_needed", comment: "The fonts too." });
    await step(mara, id, "ask_brief", { comments: { [assets.id]: "The fonts too." } });
    const page = await pageOf(anna);
    await page.goto(`${firm.server.url}/r/${id}`);
    const row = await opened(page, "Logos and brand rules");
    await row.getByText("More needed", { exact: true }).waitFor();
    await row.getByText("What you sent stays and counts. Add the rest.").waitFor();
    await row.getByText(/^Sent .*It stays and counts\./).waitFor();
    await look(page, "engine-more");
    await page.getByLabel("Choose files: Logos and brand rules").setInputFiles({ name: "fonts.pdf", mimeType: "application/pdf", buffer: pdf("fonts") });
    await row.getByText("Saved, not sent").waitFor();
    assert.deepEqual((await item(anna, id, "brand_assets")).documents.filter(({ current }) => current).map(({ title }) => title).sort(), ["fonts.pdf", "logo.pdf"]);
  });

  story("what is locked says why, and whom to ask", async () => {
    const anna = await firm.client("Lola", bakery, "admin");
    const id = await campaign("Locked things");
    await anna.must("PATCH", `/api/portal/requests/${id}`, { data: { campaign: "Spring", go_live: "2027-03-01", channels: ["print"] } });
    await anna.must("PATCH", `/api/portal/items/${(await item(anna, id, "brief_form")).id}`, { answers: { goal: "More bread" } });
    await upload(anna, await view(anna, id), await item(anna, id, "brand_assets"), "logo.pdf");
    await step(anna, id, "submit_brief");
    const page = await pageOf(anna, { viewport: phone });
    await page.goto(`${firm.server.url}/r/${id}`);
    const brief = await opened(page, "Creative brief");
    await brief.getByText("You can look but not change this while we work on it.").waitFor();
    await look(page, "engine-locked");
    await brief.getByRole("link", { name: /^Ask .* about Creative brief$/ }).click();
    const words = page.getByLabel("Write a message");
    await until("the message to name the item", async () => (await words.inputValue()) === "About “Creative brief”: ");
    await until("the cursor behind it", () => words.evaluate((field) => document.activeElement === field && field.selectionStart === field.value.length));
    await page.keyboard.type("May I add a sentence?");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await until("the firm to have it", async () => (await firm.sol.records("messages", `request='${id}'`)).some(({ body }) => body === "About “Creative brief”: May I add a sentence?"));
  });

  story("a long list gives every item a page, and leads from one that needs the client to the next", async () => {
    const anna = await firm.client("Lena", bakery, "admin");
    const { id } = await hana.must("POST", "/api/portal/requests", {
      workflow: "acct_monthly_close",
      organization: bakery.id,
      title: "March close",
      data: { period: "2027-03", bank_accounts: Array.from({ length: 12 }, (_, n) => `Account ${n + 1}`) },
    });
    await until("the month to be opened", async () => (await view(hana, id)).state === "collecting");
    const page = await pageOf(anna, { viewport: phone });
    await page.goto(`${firm.server.url}/r/${id}`);
    await page.getByRole("link", { name: /Statement for Account 1 / }).first().waitFor();
    await look(page, "engine-long");
    const sales = page.locator("a[data-item]").filter({ hasText: "Sales invoices" });
    const bills = await item(anna, id, "purchase_bills");
    await sales.click();
    await page.getByRole("heading", { level: 1, name: /Sales invoices/ }).waitFor();
    await page.getByRole("checkbox", { name: "No sales this month" }).check();
    await page.getByRole("main").getByText("You said: No sales this month").waitFor();
    await look(page, "engine-item");
    await page.getByRole("button", { name: /^Undo: / }).click();
    await page.getByRole("checkbox", { name: "No sales this month" }).check();
    await page.getByRole("main").getByText("You said: No sales this month").waitFor();
    assert.equal((await item(anna, id, "sales_invoices")).status, "not_applicable");
    await page.getByRole("link", { name: /^Next: / }).click();
    await page.getByRole("heading", { level: 1, name: bills.title }).waitFor();
    await focused(page, "h1");
    await page.getByRole("link", { name: /^Previous: Statement for Account 12/ }).waitFor();

    // An address from a mail names the item: it opens its page.
    await page.goto(`${firm.server.url}/r/${id}#item-${bills.id}`);
    await page.waitForURL(new RegExp(`/r/${id}/i/${bills.id}$`));
  });
});
