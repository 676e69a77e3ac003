// Records: PocketBase's own list, search and editor on the real dashboard, for staff of every role under their rules.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Browser, noBrowser, shot } from "./lib/browser.mjs";
import { Firm, password } from "./lib/firm.mjs";
import { until } from "./lib/wait.mjs";

async function signIn(page, url, email) {
  await page.goto(`${url}/_/`);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("link", { name: "Records" }).waitFor();
}

test("records", { skip: noBrowser, timeout: 300_000 }, async (t) => {
  const firm = await Firm.open(t);
  const bluebell = await firm.organization("Bluebell Bakery");
  const staff = { viewer: await firm.staff("Ines", "viewer", ["handler"]), operator: await firm.staff("Sam", "operator", ["handler"]), manager: await firm.staff("Mia", "manager", []) };
  const anna = await firm.client("Anna", bluebell);
  const view = await firm.sentRequest(staff.operator, bluebell, "Year-end papers");
  assert.ok(anna.id);
  const browser = await Browser.open(t);

  for (const [role, email] of Object.entries({ viewer: "ines@northgate.example", operator: "sam@northgate.example", manager: "mia@northgate.example", owner: "oda@northgate.example" })) {
    await t.test(role, async () => {
      const page = await browser.newPage();
      const refused = [];
      page.on("response", (r) => r.status() >= 400 && refused.push(`${r.status()} ${r.request().method()} ${r.url()}`));
      await signIn(page, firm.server.url, email);
      await page.getByRole("link", { name: "Records" }).click();
      await page.getByText("Year-end papers").first().waitFor();
      await shot(page, `records-${role}`);
      console.log(role, refused, page.complaints);
      console.log(await page.locator(".collections-sidebar").innerText());
      await page.getByText("Year-end papers").first().click();
      await page.locator(".record-upsert-modal, .modal").first().waitFor();
      await page.waitForTimeout(1500);
      await shot(page, `records-editor-${role}`);
      console.log(role, refused, page.complaints);
    });
  }
});
