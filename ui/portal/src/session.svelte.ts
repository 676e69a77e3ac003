import * as api from "./api";
import { Drafts } from "./drafts";
import { speak } from "./i18n/index.svelte";
import { toProblem } from "./words.svelte";
import { Problem } from "./problem";
import type { Firm, Me } from "./types";

/** Who looks, at whose portal. `again` is set while a sign-in that ended is asked for over the page. */
export const session = $state<{
  firm?: Firm;
  me?: Me;
  /** Whether it is known by now who is signed in; before, nobody is led anywhere. */
  ready: boolean;
  problem?: Problem;
  again?: () => void;
  /** Set while a person is asked for proof before what matters. */
  prove?: (proved: boolean) => void;
  ending: boolean;
  organization: string;
}>({ ready: false, ending: false, organization: "" });

export const drafts = new Drafts(localStorage, () => api.auth.userId);

const CHOICE = "organization";

export async function start() {
  session.problem = undefined;
  try {
    session.firm ??= await api.firm();
    if (api.auth.userId) await enter();
    else await speak([...navigator.languages, session.firm.locale], "", session.firm.timezone);
    session.ready = true;
  } catch (err) {
    session.problem = toProblem(err);
  }
}

/** Learns who signed in. A sign-in that the server no longer takes is forgotten: the person signs in anew. */
export async function enter() {
  try {
    if (api.auth.secondsLeft < 86_400) await api.refresh();
    session.me = await api.me();
  } catch (err) {
    if (!(err instanceof Problem) || !["signed_out", "gone"].includes(err.kind)) throw err;
    api.auth.forget();
  }
  const { me, firm } = session;
  const kept = localStorage.getItem(CHOICE) ?? "";
  session.organization = me?.organizations.some(({ id }) => id === kept) ? kept : "";
  await speak([me?.locale ?? "", firm?.locale ?? ""], me?.timezone ?? "", firm?.timezone ?? "");
}

export function chooseOrganization(id: string) {
  session.organization = id;
  localStorage.setItem(CHOICE, id);
}

/** Leaves this person's things behind: drafts, choice and what pages held. A new page has none of it in memory. */
export async function leave(to = "/sign-in") {
  if (api.viewing) return leaveView();
  drafts.clear();
  await api.signOut();
  localStorage.removeItem(CHOICE);
  api.auth.forget();
  location.assign(to);
}

/** Back to the console, where looking as somebody else began; a tab that was opened for it closes. */
export async function leaveView() {
  await api.leaveView();
  close();
  location.assign("/_/");
}

let waiting: Promise<void> | undefined;

function askAgain(): Promise<void> {
  waiting ??= new Promise<void>((done) => {
    session.again = () => {
      session.again = undefined;
      session.ending = false;
      waiting = undefined;
      done();
    };
  });
  return waiting;
}

export function watchSignIn() {
  api.whenSignedOut(askAgain);
  api.whenProofIsAsked(
    () =>
      new Promise((done) => {
        session.prove = (proved) => {
          session.prove = undefined;
          done(proved);
        };
      }),
  );
  // Another tab signed in as somebody else, or out: this one must not go on showing the first person's things.
  api.auth.onChange((id) => {
    if (session.me && id !== session.me.id && !session.again) location.reload();
  });
  setInterval(() => {
    const left = session.me ? api.auth.secondsLeft : Infinity;
    session.ending = left > 0 && left < 120;
    if (left < 0) void askAgain();
  }, 5_000);
}

export async function stay() {
  await api.refresh();
  session.ending = false;
}
