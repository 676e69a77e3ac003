import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Answer, summary } from "../src/answer.svelte";
import { Drafts } from "../src/drafts";
import { Problem, problemFrom } from "../src/problem";
import { memory } from "./memory";

const toProblem = (err: unknown) => (err instanceof Problem ? err : new Problem("fault", ""));
const sentence = (problem: Problem) => problem.message;

describe("an answer", () => {
  let drafts: Drafts;
  let save: ReturnType<typeof vi.fn<(value: unknown, was: unknown) => Promise<unknown>>>;
  const answer = (server: unknown) => new Answer("r1:a", server, { drafts, save, toProblem, sentence }, "a");

  beforeEach(() => {
    vi.useFakeTimers();
    drafts = new Drafts(memory(), () => "anna");
    save = vi.fn((value: unknown) => Promise.resolve(value));
  });
  afterEach(() => vi.useRealTimers());

  it("is saved once, 800 ms after typing stops", async () => {
    const a = answer("");
    a.input("N");
    await vi.advanceTimersByTimeAsync(500);
    a.input("No");
    await vi.advanceTimersByTimeAsync(799);
    expect(save).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(save.mock.calls).toEqual([["No", ""]]);
    expect(a.state).toBe("saved");
    expect(drafts.count()).toBe(0);
  });

  it("is saved at once when the field is left", async () => {
    const a = answer("");
    a.focus();
    a.input("No");
    a.blur();
    await vi.advanceTimersByTimeAsync(0);
    expect(save).toHaveBeenCalledOnce();
  });

  it("is kept on the device while the line is away, and saved when it is back", async () => {
    save.mockRejectedValueOnce(problemFrom(0, null));
    const a = answer("");
    a.input("No");
    await vi.advanceTimersByTimeAsync(800);
    expect(a.state).toBe("kept");
    expect(drafts.read("r1:a")?.value).toBe("No");
    await vi.advanceTimersByTimeAsync(15_000);
    expect(a.state).toBe("saved");
    expect(drafts.count()).toBe(0);
  });

  it("typed on while being saved is saved again with the newer text", async () => {
    let arrive: (stored: unknown) => void = () => undefined;
    save.mockImplementationOnce(() => new Promise((done) => (arrive = done)));
    const a = answer("");
    a.input("No");
    await vi.advanceTimersByTimeAsync(800);
    a.input("Nord");
    arrive("No");
    await vi.advanceTimersByTimeAsync(800);
    expect(save.mock.calls).toEqual([
      ["No", ""],
      ["Nord", "No"],
    ]);
    expect(a.dirty).toBe(false);
  });

  it("that the rules refuse says why and is not tried again by itself", async () => {
    save.mockRejectedValue(problemFrom(400, { message: "Too long." }));
    const a = answer("");
    a.input("No");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(a.state).toBe("refused");
    expect(a.problem).toBe("Too long.");
    expect(save).toHaveBeenCalledOnce();
  });

  it("half a number is kept, not sent", async () => {
    const a = answer(null);
    a.input("12x", false);
    a.blur();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(save).not.toHaveBeenCalled();
    expect(drafts.read("r1:a")?.value).toBe("12x");
  });

  it("comes back after a reload and is saved", async () => {
    drafts.write("r1:a", { value: "Nordbank", base: "" });
    const a = answer("");
    expect(a.value).toBe("Nordbank");
    await vi.advanceTimersByTimeAsync(800);
    expect(save.mock.calls).toEqual([["Nordbank", ""]]);
  });

  it("of two people asks which one counts, and saves neither by itself", async () => {
    drafts.write("r1:a", { value: "mine", base: "" });
    const a = answer("theirs");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(a.theirs).toEqual({ value: "theirs" });
    expect(save).not.toHaveBeenCalled();
    a.keepMine();
    await vi.advanceTimersByTimeAsync(0);
    expect(save.mock.calls).toEqual([["mine", "theirs"]]);
  });

  it("takes the other person's when told so, and forgets the draft", () => {
    drafts.write("r1:a", { value: "mine", base: "" });
    const a = answer("theirs");
    a.takeTheirs();
    expect(a.value).toBe("theirs");
    expect(drafts.count()).toBe(0);
  });

  it("is never replaced while somebody is at the field", () => {
    const a = answer("old");
    a.focus();
    a.update("new");
    expect(a.value).toBe("old");
    a.blur();
    expect(a.value).toBe("new");
  });

  it("typed after somebody else's came in asks which one counts", async () => {
    const a = answer("old");
    a.focus();
    a.update("theirs");
    a.input("mine");
    a.blur();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(a.theirs).toEqual({ value: "theirs" });
    expect(save).not.toHaveBeenCalled();
  });

  it("that the server writes its own way, masked, is no other person's answer", async () => {
    save.mockResolvedValue("••••3456");
    const a = answer("");
    a.focus();
    a.input("AB123456");
    await vi.advanceTimersByTimeAsync(800);
    a.update("••••3456");
    a.input("AB1234567");
    a.update("••••3456");
    expect(a.theirs).toBeUndefined();
    await vi.advanceTimersByTimeAsync(800);
    expect(save).toHaveBeenLastCalledWith("AB1234567", "••••3456");
  });

  it("refused because somebody was faster shows both, with who and when; what was typed stays", async () => {
    const theirs = { mine: "mine", theirs: "hers", by: "Ada Kim", at: "2026-03-02 10:00:00.000Z" };
    save.mockRejectedValueOnce(problemFrom(409, { message: "", data: { conflict: { a: theirs } } }));
    const a = answer("old");
    a.input("mine");
    await vi.advanceTimersByTimeAsync(800);
    expect(save).toHaveBeenLastCalledWith("mine", "old");
    expect(a.theirs).toEqual({ value: "hers", by: "Ada Kim", at: theirs.at });
    expect(a.value).toBe("mine");
    expect(drafts.read("r1:a")?.value).toBe("mine");
    a.update("hers"); // the page is fetched again: no second surprise
    expect(a.theirs?.by).toBe("Ada Kim");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(save).toHaveBeenCalledOnce();
    a.keepMine();
    await vi.advanceTimersByTimeAsync(0);
    expect(save).toHaveBeenLastCalledWith("mine", "hers");
    expect(a.state).toBe("saved");
  });

  it("of somebody else that comes in while ours is being saved is not lost", async () => {
    let arrive: (stored: unknown) => void = () => undefined;
    save.mockImplementationOnce(() => new Promise((done) => (arrive = done)));
    const a = answer("old");
    a.input("mine");
    await vi.advanceTimersByTimeAsync(800);
    a.update("hers");
    arrive("mine");
    await vi.advanceTimersByTimeAsync(0);
    expect(a.value).toBe("hers");
  });

  it("is told with the others by the worst of them", async () => {
    const good = answer("");
    good.input("x");
    await vi.advanceTimersByTimeAsync(800);
    save.mockRejectedValueOnce(problemFrom(0, null));
    const bad = answer("");
    bad.input("y");
    await vi.advanceTimersByTimeAsync(800);
    expect(summary([good, bad]).state).toBe("kept");
    expect(summary([good]).state).toBe("saved");
    expect(summary([]).state).toBe("idle");
  });
});
