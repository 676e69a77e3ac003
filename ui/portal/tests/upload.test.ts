import { describe, expect, it } from "vitest";
import {
  faultOf,
  fresh,
  quarterPassed,
  retryDelay,
  secondsLeft,
  step,
  typeNames,
  type UploadEvent,
  type UploadState,
} from "../src/upload";

const run = (events: UploadEvent[], from: UploadState = fresh(100)) => events.reduce(step, from);
const started: UploadEvent[] = [{ type: "queue" }, { type: "start", at: 0 }];

describe("an upload", () => {
  it("goes from checking to saved", () => {
    const states: string[] = [];
    let state = fresh(100);
    const events: UploadEvent[] = [
      ...started,
      { type: "progress", sent: 40 },
      { type: "progress", sent: 100 },
      { type: "saved" },
    ];
    for (const event of events) states.push((state = step(state, event)).status);
    expect(states).toEqual(["waiting", "uploading", "uploading", "finishing", "saved"]);
  });

  it("stops on a lost line, counts the tries, and starts from the beginning again", () => {
    const lost = run([...started, { type: "progress", sent: 60 }, { type: "lost" }]);
    expect(lost).toMatchObject({ status: "stopped", tries: 1 });
    const again = run([{ type: "retry" }, { type: "start", at: 5 }], lost);
    expect(again).toMatchObject({ status: "uploading", sent: 0, tries: 1, startedAt: 5 });
    expect(step(again, { type: "progress", sent: 10 }).tries).toBe(0);
  });

  it("is tried again by itself after 1, 4 and 15 seconds, then left to the person", () => {
    expect([1, 2, 3, 4].map(retryDelay)).toEqual([1_000, 4_000, 15_000, undefined]);
  });

  it("that was refused stays refused", () => {
    const refused = run([...started, { type: "refused", why: "No." }]);
    expect(run([{ type: "retry" }, { type: "progress", sent: 9 }, { type: "saved" }], refused)).toBe(refused);
  });

  it("of the same file waits for the person", () => {
    const same = run([{ type: "same", when: "Mon 8 Dec" }]);
    expect(same).toMatchObject({ status: "same", why: "Mon 8 Dec" });
    expect(step(same, { type: "start", at: 0 }).status).toBe("same");
    expect(step(same, { type: "queue" }).status).toBe("waiting");
  });

  it("is held until its details are filled in", () => {
    expect(run([{ type: "hold" }, { type: "queue" }]).status).toBe("waiting");
  });

  it("tells the time left from the speed so far", () => {
    const state = run([...started, { type: "progress", sent: 25 }]);
    expect(secondsLeft(state, 500)).toBeUndefined();
    expect(secondsLeft(state, 10_000)).toBe(30);
  });

  it("announces each quarter once", () => {
    expect(quarterPassed(20, 26, 100)).toBe(25);
    expect(quarterPassed(26, 49, 100)).toBeUndefined();
    expect(quarterPassed(26, 80, 100)).toBe(75);
    expect(quarterPassed(80, 100, 100)).toBeUndefined();
  });
});

describe("before anything is sent", () => {
  const ask = { accept: ["pdf", "jpg", "jpeg"], max_mb: 25, files_max: 2 };
  it.each([
    ["a PDF that fits is fine", { name: "A.PDF", size: 10 }, 0, undefined],
    ["a wrong type is told", { name: "photo.heic", size: 10 }, 0, "file_type"],
    ["a name without an ending is a wrong type", { name: "scan", size: 10 }, 0, "file_type"],
    ["an empty file is told", { name: "a.pdf", size: 0 }, 0, "file_empty"],
    ["exactly the limit is fine", { name: "a.pdf", size: 25 * 1024 * 1024 }, 0, undefined],
    ["one byte more is not", { name: "a.pdf", size: 25 * 1024 * 1024 + 1 }, 0, "file_size"],
    ["one file too many is told", { name: "a.pdf", size: 10 }, 2, "file_count"],
  ])("%s", (_, file, already, fault) => expect(faultOf(file, ask, already)).toBe(fault));

  it("everything goes where nothing is asked", () => expect(faultOf({ name: "x", size: 1 }, {}, 99)).toBeUndefined());

  it("types are named as people say them", () => expect(typeNames(ask.accept)).toEqual(["PDF", "JPG"]));
});
