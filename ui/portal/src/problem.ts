import type { Blocker } from "./types";

/** `kind` is what the page has to do about it; the message is for reading. */
export type ProblemKind = "offline" | "signed_out" | "gone" | "stale" | "refused" | "busy" | "fault";

/** What two people answered at the same time: nobody's answer is thrown away, one of them chooses. */
export interface Conflict {
  mine: unknown;
  theirs: unknown;
  by: string;
  at: string;
}

/** A refusal or failure that a person can act on. `fields` holds the message for each field, item or code. */
export class Problem extends Error {
  constructor(
    readonly kind: ProblemKind,
    message: string,
    readonly fields: Record<string, { code: string; message: string }> = {},
    readonly blockers: Blocker[] = [],
    readonly status = 0,
    /** By answer or field: what somebody else saved meanwhile. */
    readonly conflict: Record<string, Conflict> = {},
    /** Set where the sign-in asks for a second step: what it goes on with, and by which means. */
    readonly second?: { mfaId: string; methods: string[] },
  ) {
    super(message);
  }

  /** Whether one of the fields was refused with this code. */
  has(code: string): boolean {
    return Object.values(this.fields).some((field) => field.code === code);
  }
}

export function kindOf(status: number): ProblemKind {
  if (status === 0 || status === 502 || status === 504) return "offline";
  if (status === 401) return "signed_out";
  if (status === 404) return "gone";
  if (status === 409) return "stale";
  if (status === 429) return "busy";
  return status >= 500 ? "fault" : "refused";
}

/** Makes a Problem of PocketBase's error body; `data` may also hold plain facts such as `changed_by`. */
export function problemFrom(status: number, body: unknown): Problem {
  const answer = isObject(body) ? body : {};
  const fields: Problem["fields"] = {};
  if (isObject(answer.data)) {
    for (const [key, value] of Object.entries(answer.data)) {
      if (isObject(value) && typeof value.message === "string") {
        fields[key] = { code: String(value.code ?? ""), message: value.message };
      }
    }
  }
  const message = typeof answer.message === "string" ? answer.message : "";
  const blockers = Array.isArray(answer.blockers) ? (answer.blockers as Blocker[]) : [];
  return new Problem(
    kindOf(status),
    message,
    fields,
    blockers,
    status,
    conflictsOf(answer.data),
    typeof answer.mfaId === "string"
      ? { mfaId: answer.mfaId, methods: Array.isArray(answer.methods) ? answer.methods.map(String) : [] }
      : undefined,
  );
}

function conflictsOf(data: unknown): Problem["conflict"] {
  if (!isObject(data) || !isObject(data.conflict)) return {};
  const all = Object.entries(data.conflict).filter((entry): entry is [string, Record<string, unknown>] =>
    isObject(entry[1]),
  );
  return Object.fromEntries(
    all.map(([key, { mine, theirs, by, at }]) => [key, { mine, theirs, by: String(by ?? ""), at: String(at ?? "") }]),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
