// What the pages tell a reader to type has to exist.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";

import { command } from "./lib/server.mjs";

const root = resolve(import.meta.dirname, "../..");
const read = (path) => readFileSync(join(root, path), "utf8");
const docs = readdirSync(join(root, "docs"), { recursive: true })
  .filter((name) => name.endsWith(".md"))
  .map((name) => join("docs", name));
const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...docs];

/** Everything that a page sets as code: blocks and `words`. */
const code = (text) => [...text.matchAll(/```[^\n]*\n([\s\S]*?)```|`([^`\n]+)`/g)].map((match) => match[1] ?? match[2]).join("\n");

test("every `make` target that a page names is in the Makefile", () => {
  const targets = new Set([...read("Makefile").matchAll(/^([a-z-]+):/gm)].map((match) => match[1]));
  for (const page of pages) {
    for (const [, target] of code(read(page)).matchAll(/(?:^|[\s&;])make ([a-z-]+)/gm)) {
      assert.ok(targets.has(target), `${page} names make ${target}`);
    }
  }
});

test("every command of the program that a page names answers --help", async () => {
  const named = new Map();
  // The design also describes what is not built yet; the other pages tell a reader what to type.
  for (const page of pages.filter((name) => name !== "docs/design.md")) {
    for (const [, words] of code(read(page)).matchAll(/(?:^|[\s/])gatehouse((?: [a-z][a-z-]*)+)/gm)) {
      named.set(words.trim(), page);
    }
  }
  assert.ok(named.size > 0, "the pages name no command at all");
  const { output: help } = await command("--help");
  const known = new Set([...help.matchAll(/^ {2}([a-z-]+) /gm)].map((match) => match[1]));
  for (const [words, page] of named) {
    const [first, second] = words.split(" ");
    assert.ok(known.has(first), `${page} names gatehouse ${words}, which --help does not`);
    const { code: exit, output } = await command(first, "--help");
    assert.equal(exit, 0, `gatehouse ${first} --help:\n${output}`);
    // A second word is a subcommand where the command has any, else an argument.
    if (second && /^Available Commands:/m.test(output)) {
      assert.match(output, new RegExp(`^ {2}${second} `, "m"), `${page} names gatehouse ${words}`);
    }
  }
});

test("every link between the pages leads to a file", () => {
  for (const page of pages) {
    for (const [, target] of read(page).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)) {
      assert.doesNotThrow(() => readdirSync(dirname(join(root, dirname(page), target))), `${page} links to ${target}`);
      const folder = dirname(join(root, dirname(page), target));
      assert.ok(readdirSync(folder).includes(target.split("/").filter(Boolean).at(-1)), `${page} links to ${target}, which is not there`);
    }
  }
});
