// Debian's Chromium, driven by playwright-core; a page that complains fails its test.

import assert from "node:assert/strict";
import { accessSync, constants, mkdirSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const shots = resolve(import.meta.dirname, "../../../test-results");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

export const phone = { width: 390, height: 844 };
export const desk = { width: 1280, height: 820 };

/** The path of a Chromium: CHROME_PATH, else the first in PATH, else nothing. */
export function chromePath() {
  if (process.env.CHROME_PATH) return process.env.CHROME_PATH;
  for (const name of names) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}

/** Why browser stories are skipped, or false. */
export const noBrowser = chromePath() ? false : "there is no Chromium here: run make install, or set CHROME_PATH";

export class Browser {
  #browser;

  static async open(t) {
    const it = new Browser();
    it.#browser = await chromium.launch({
      executablePath: chromePath(),
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    });
    t.after(() => it.#browser.close());
    return it;
  }

  /**
   * A page of a new person: own cookies, own storage. What it complains about is kept, and `page.clean()` fails on
   * it; `expected` are the refusals that the story provokes, as patterns of what the browser logs for them.
   */
  async newPage({ viewport = desk, scheme = "light", expected = [] } = {}) {
    const context = await this.#browser.newContext({
      viewport,
      colorScheme: scheme,
      locale: "en-GB",
      timezoneId: "Europe/London",
      reducedMotion: "reduce",
      hasTouch: viewport.width < 700,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const complaints = [];
    const complain = (what) => {
      if (!expected.some((pattern) => pattern.test(what))) complaints.push(what);
    };
    page.on("pageerror", (err) => complain(`page error: ${err.stack ?? err}`));
    page.on("console", (message) => {
      if (message.type() === "error") complain(`console: ${message.text()} ${message.location().url}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 500) complain(`HTTP ${response.status()} ${response.request().method()} ${response.url()}`);
    });
    page.complaints = complaints;
    page.clean = () => assert.deepEqual(complaints, [], `${page.url()} complained`);
    return page;
  }
}

/** Fails on anything that axe finds in the page, or in the part of it that `include` selects. */
export async function axe(page, include) {
  let builder = new AxeBuilder({ page }).withTags(rules);
  if (include) builder = builder.include(include);
  const { violations } = await builder.analyze();
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => `${node.html}\n    ${node.failureSummary}`).join("\n  ")}`);
  assert.deepEqual(told, [], `axe on ${page.url()}`);
}

export async function shot(page, name) {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

export async function noSidewaysScroll(page) {
  const { wide, room } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth }));
  assert.ok(wide <= room, `${page.url()} is ${wide} px wide in a window of ${room} px`);
}

const widths = [320, 390, 768, 1280];

/**
 * What every screen of a story has to pass: nothing complained; nothing sticks out, however wide the window; axe is
 * content, in light and in dark. A picture of each is kept. `include` is the part that is ours, where not all is.
 */
export async function look(page, name, include) {
  const viewport = page.viewportSize();
  for (const width of widths) {
    await page.setViewportSize({ width, height: viewport.height });
    await noSidewaysScroll(page);
  }
  await page.setViewportSize(viewport);
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    await shot(page, `${name}-${viewport.width}-${colorScheme}`);
    await axe(page, include);
  }
  page.clean();
}
