// Weighs what a first visit to home loads, and everything together, and fails above the budget. Gzip, level 9.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const DIR = new URL("../../../pb_public/", import.meta.url);
const BUDGET = { "home script": 60, style: 12, html: 4, "all script": 140, "largest page": 25, "home requests": 5 };

const read = (name) => readFileSync(new URL(name, DIR));
const weigh = (names) => [...names].reduce((sum, name) => sum + gzipSync(read(name), { level: 9 }).length / 1000, 0);

const assets = readdirSync(new URL("assets/", DIR)).map((name) => `assets/${name}`);
const scripts = assets.filter((name) => name.endsWith(".js"));
const styles = assets.filter((name) => name.endsWith(".css"));

/** A script with everything that it imports at once. */
function reach(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, other] of read(name)
    .toString()
    .matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g))
    reach(`assets/${other}`, seen);
  return seen;
}

const html = read("index.html").toString();
const [, entry] = /<script[^>]+src="\/(assets\/[^"]+)"/.exec(html);
const home = scripts.find((name) => name.startsWith("assets/Home-"));
if (!home) throw new Error("The home page has no chunk of its own: is it still loaded on demand?");

const first = reach(home, reach(entry));
const later = scripts.filter((name) => !reach(entry).has(name));
const found = {
  "home script": weigh([...first]),
  style: weigh(styles),
  html: weigh(["index.html"]),
  "all script": weigh(scripts),
  "largest page": Math.max(...later.map((name) => weigh([name]))),
  "home requests": 1 + styles.length + first.size,
};

let over = false;
for (const [what, limit] of Object.entries(BUDGET)) {
  const bad = found[what] > limit;
  over ||= bad;
  const unit = what.endsWith("requests") ? "" : " kB gzip";
  console.log(`${bad ? "OVER" : "ok  "} ${what.padEnd(13)} ${found[what].toFixed(1).padStart(6)} of ${limit}${unit}`);
}
if (over) process.exit(1);
