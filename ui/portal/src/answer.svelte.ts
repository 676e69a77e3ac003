import { same, type Drafts } from "./drafts";
import type { Problem } from "./problem";

export type SaveState = "idle" | "waiting" | "saving" | "saved" | "kept" | "refused";

const PAUSE = 800;
const RETRY = 15_000;

export interface AnswerDoor {
  drafts: Drafts;
  /** Saves the value; `was` is what the server said when typing began. Answers with what the server made of it. */
  save: (value: unknown, was: unknown) => Promise<unknown>;
  toProblem: (err: unknown) => Problem;
  sentence: (problem: Problem) => string;
}

/** Somebody else's answer; who and when where that is known. */
export interface Theirs {
  value: unknown;
  by?: string;
  at?: string;
}

/**
 * One answer between the person and the server. It is saved 800 ms after typing stops and when the field is left; until
 * the server has confirmed it, it is kept on the device. What the server says never replaces what is being typed.
 */
export class Answer {
  value = $state.raw<unknown>();
  state = $state<SaveState>("idle");
  problem = $state("");
  savedAt = $state<Date>();
  /** What somebody else answered meanwhile; set while the person has to choose. */
  theirs = $state.raw<Theirs>();
  private base: unknown;
  /** What the server said last, in its own way of writing. */
  private seen: unknown;
  /** What of that the present text builds upon: if the server holds something else when it is saved, two people answered. */
  private was: unknown;
  /** What the server said while a save was under way. */
  private heard: { value: unknown } | undefined;
  /** Somebody else's answer that came while the field had the focus and nothing was typed yet. */
  private unshown: { value: unknown } | undefined;
  private focused = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private valid = true;

  constructor(
    private readonly place: string,
    server: unknown,
    private readonly door: AnswerDoor,
    /** The name that the server calls this answer by. */
    private readonly key = "",
  ) {
    this.base = this.value = this.seen = this.was = server;
    const draft = door.drafts.read(place);
    if (draft) this.restore(draft.value, draft.base);
  }

  get dirty() {
    return !same(this.value, this.base);
  }

  private restore(value: unknown, base: unknown) {
    if (same(value, this.base)) return this.door.drafts.remove(this.place);
    this.value = value;
    this.was = base;
    if (!same(base, this.base)) this.theirs = { value: this.base };
    else {
      this.state = "waiting";
      this.later();
    }
  }

  /** `valid` is false while the text cannot be sent, half a number for instance: it is kept, not sent. */
  input(value: unknown, valid = true) {
    this.value = value;
    this.valid = valid;
    this.problem = "";
    if (!this.dirty) {
      this.door.drafts.remove(this.place);
      this.state = this.savedAt ? "saved" : "idle";
      return clearTimeout(this.timer);
    }
    this.state = "waiting";
    this.door.drafts.write(this.place, { value, base: this.was });
    if (this.unshown) {
      this.theirs = this.unshown;
      this.unshown = undefined;
    }
    if (valid) this.later();
  }

  focus() {
    this.focused = true;
  }

  blur() {
    this.focused = false;
    if (this.unshown) {
      this.base = this.value = this.was = this.unshown.value;
      this.unshown = undefined;
    }
    if (this.dirty && this.valid && !this.theirs) void this.flush();
  }

  /** The server's present answer. Taken over, unless the person is at it. */
  update(server: unknown) {
    if (this.state === "saving") return void (this.heard = { value: server });
    if (same(server, this.seen)) return;
    this.seen = server;
    if (same(server, this.value)) this.settle(server, server);
    else if (!this.dirty && !this.focused) this.base = this.value = this.was = server;
    else if (this.dirty) this.theirs = { value: server };
    else this.unshown = { value: server };
  }

  keepMine() {
    this.base = this.was = this.theirs?.value;
    this.theirs = undefined;
    void this.flush();
  }

  takeTheirs() {
    const value = this.theirs?.value;
    this.theirs = undefined;
    this.value = value;
    this.settle(value, value);
  }

  private settle(value: unknown, was: unknown) {
    this.base = value;
    this.was = was;
    this.door.drafts.confirm(this.place, value);
    if (!this.dirty) {
      this.state = "saved";
      this.savedAt = new Date();
      this.door.drafts.remove(this.place);
    }
  }

  private later(pause = PAUSE) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), pause);
  }

  async flush() {
    clearTimeout(this.timer);
    if (!this.dirty || !this.valid || this.theirs || this.state === "saving") return;
    const value = this.value;
    this.state = "saving";
    try {
      const stored = await this.door.save(value, this.was ?? null);
      // The server may write an answer its own way, masked for instance: that is nobody else's answer.
      this.seen = stored;
      this.settle(value, stored);
      if (this.dirty) {
        this.state = "waiting";
        this.door.drafts.write(this.place, { value: this.value, base: this.was });
        this.later();
      }
    } catch (err) {
      this.failed(this.door.toProblem(err));
    }
    const { heard } = this;
    this.heard = undefined;
    if (heard) this.update(heard.value);
  }

  private failed(problem: Problem) {
    const conflict = problem.conflict[this.key];
    if (conflict) {
      this.state = "waiting";
      this.seen = conflict.theirs;
      this.theirs = { value: conflict.theirs, by: conflict.by, at: conflict.at };
      return;
    }
    this.state = problem.kind === "refused" || problem.kind === "gone" ? "refused" : "kept";
    this.problem = this.state === "refused" ? this.door.sentence(problem) : "";
    if (this.state === "kept") this.later(RETRY);
  }
}

/** What one line says about several answers: the worst first. */
export function summary(answers: Answer[]): { state: SaveState; savedAt?: Date; problem: string } {
  const order: SaveState[] = ["refused", "kept", "saving", "waiting", "saved"];
  for (const state of order) {
    const found = answers.filter((answer) => answer.state === state);
    if (found.length) {
      const times = found.map(({ savedAt }) => savedAt?.getTime() ?? 0);
      return { state, savedAt: new Date(Math.max(...times)), problem: found.find((a) => a.problem)?.problem ?? "" };
    }
  }
  return { state: "idle", problem: "" };
}
