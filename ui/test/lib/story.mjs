// The frame of a story: what it opens is closed behind it, and a step that breaks leaves pictures.

import { after, test } from "node:test";

import { shot } from "./browser.mjs";
import { password } from "./firm.mjs";

/** The dashboard may ask for these before the console's script can keep it from it; staff are refused, as they should be. */
export const dashboardStart = /403 \(Forbidden\) \S+\/api\/(settings|collections\?\S+|collections\/meta\/(scaffolds|oauth2-providers))$/;

/** What is opened in `before` and closed after everything: node:test's hooks give no `t.after` of their own. */
export function closer() {
  const closing = [];
  after(async () => {
    for (const close of closing.reverse()) await close();
  });
  return { after: (close) => closing.push(close) };
}

/**
 * Tests about pages: none of them must have complained, and a broken test leaves a picture of each behind. `pages`
 * gives them by name when the test has run. With `chained`, steps build on each other: what follows a broken one would
 * only repeat its fault, so it fails at once and says why.
 */
export function teller(name, pages, { chained = false } = {}) {
  let broken = false;
  return (what, run) =>
    test(what, async (t) => {
      if (broken && chained) throw new Error("not reached: an earlier step failed");
      broken = true;
      try {
        await run(t);
        for (const page of Object.values(pages())) page.clean();
      } catch (err) {
        for (const [who, page] of Object.entries(pages())) {
          await shot(page, `failed-${name}-${who}`);
          t.diagnostic(`${who} at ${page.url()}: ${page.complaints.join("; ") || "no complaint"}`);
        }
        throw err;
      }
      broken = false;
    });
}

/** A client's first step of a sign-in to the portal: the password. */
export async function byPassword(page, url, email) {
  await page.goto(`${url}/sign-in`);
  await page.getByRole("button", { name: "Use a password instead" }).click();
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** Signs in without the form, where the form is not what is looked at: staff in the dashboard and the plain shell, clients in the portal. */
export async function enter(page, { token, record }) {
  const staff = record.collectionName === "staff";
  const stores = staff ? { "gatehouse.staff": { token, record }, "gatehouse.plain": { token, person: record } } : { pocketbase_auth: { token, record } };
  await page.addInitScript((stores) => {
    for (const [name, store] of Object.entries(stores)) localStorage.setItem(name, JSON.stringify(store));
  }, stores);
}

// The words of the pages, as a person finds them.
export const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
export const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
