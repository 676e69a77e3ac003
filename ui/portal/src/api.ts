/** The one door to the server: every call of the portal is a function here. */
import PocketBase, { BaseAuthStore, ClientResponseError, type RecordModel, type SendOptions } from "pocketbase";
import { Problem, problemFrom } from "./problem";
import type {
  AppOffer,
  Card,
  Decision,
  Doc,
  Factor,
  Firm,
  Gone,
  Home,
  Invitation,
  LibraryDoc,
  Loans,
  Me,
  Message,
  Passkeys,
  Persona,
  RequestView,
  Sharing,
  Session,
  Show,
  Sort,
  Team,
  Timeline,
} from "./types";

export interface AuthAnswer {
  token: string;
  record: RecordModel;
}

/**
 * Staff who look at the portal as a client come with a token behind the "#". It is taken out of the address at once,
 * kept for this tab alone, and beside whatever sign-in the browser has.
 */
const VIEW = "gatehouse.view";

const given = new URLSearchParams(location.hash.slice(1));
if (given.has("view")) {
  sessionStorage.setItem(VIEW, `${given.get("view")} ${given.get("user")}`);
  history.replaceState(null, "", location.pathname);
}
const view = sessionStorage.getItem(VIEW)?.split(" ");
/** Whether somebody of the firm looks with this person's eyes: nothing can be changed. */
export const viewing = !!view;

const pb = new PocketBase(location.origin, view ? new BaseAuthStore() : undefined);
if (view) pb.authStore.save(view[0] ?? "", { id: view[1] ?? "", collectionId: "", collectionName: "users" });
pb.autoCancellation(false);

/** Where PocketBase's dashboard, which the staff console lives in, keeps its sign-in. */
const CONSOLE_STORE = "gatehouse.staff";

let onSignedOut: (() => Promise<void>) | undefined;

/** `ask` shows the sign-in over the page; the interrupted call waits for it and is then made again. */
export function whenSignedOut(ask: () => Promise<void>) {
  onSignedOut = ask;
}

let onProve: (() => Promise<boolean>) | undefined;

/** `ask` lets the person prove to be the same one still; false where the person would rather not. */
export function whenProofIsAsked(ask: () => Promise<boolean>) {
  onProve = ask;
}

/** Stops looking as somebody else; what is left of it is forgotten even where the server is not reached. */
export async function leaveView(): Promise<void> {
  // Where this fails it is over already, or ends by itself.
  await pb.send("/api/portal/view-as/end", { method: "POST" }).catch(() => {});
  sessionStorage.removeItem(VIEW);
}

export const auth = {
  get userId() {
    return pb.authStore.record?.id ?? "";
  },
  /** Seconds until the sign-in ends; negative when it has. */
  get secondsLeft() {
    if (viewing) return Infinity; // the server says when it is over
    const payload = pb.authStore.token.split(".")[1];
    if (!payload) return -1;
    const { exp } = JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/"))) as { exp: number };
    return exp - Date.now() / 1000;
  },
  keep: (answer: AuthAnswer) => pb.authStore.save(answer.token, answer.record),
  keepForConsole: (answer: AuthAnswer) =>
    localStorage.setItem(CONSOLE_STORE, JSON.stringify({ token: answer.token, record: answer.record })),
  forget: () => pb.authStore.clear(),
  onChange: (listener: (id: string) => void) => pb.authStore.onChange((_, record) => listener(record?.id ?? "")),
};

/** Makes a call; an ended sign-in is asked for again first, any other failure comes out as a Problem. */
async function call<T>(run: () => Promise<T>, signedIn = true): Promise<T> {
  try {
    if (signedIn && auth.userId && auth.secondsLeft < 0) throw new Problem("signed_out", "");
    return await run();
  } catch (err) {
    const problem = toProblem(err);
    if (problem.has("prove_again") && onProve && (await onProve())) return call(run, signedIn);
    if (viewing || !signedIn || !auth.userId || !onSignedOut || !(await hasEnded(problem))) throw problem;
  }
  await onSignedOut();
  return call(run, signedIn);
}

/** The record API answers a withdrawn sign-in like a stranger (404, 400), so only `me` tells the two apart. */
async function hasEnded(problem: Problem): Promise<boolean> {
  if (problem.kind === "signed_out") return true;
  if (![400, 403, 404].includes(problem.status) || problem.blockers.length) return false;
  try {
    await pb.send("/api/portal/me", {});
    return false;
  } catch (err) {
    return toProblem(err).kind === "signed_out";
  }
}

function toProblem(err: unknown): Problem {
  if (err instanceof Problem) return err;
  if (err instanceof ClientResponseError) return problemFrom(err.status, err.response);
  throw err;
}

const send = <T>(path: string, options: SendOptions = {}, signedIn = true) =>
  call<T>(() => pb.send<T>(`/api/portal/${path}`, options), signedIn);
const post = <T>(path: string, body: object, signedIn = true) => send<T>(path, { method: "POST", body }, signedIn);

/** For whom this person acts on a request, where there is a choice; kept for this tab. */
const placeOfChoice = (request: string) => `gatehouse.for:${auth.userId}:${request}`;
export const chosenFor = (request: string) => sessionStorage.getItem(placeOfChoice(request)) ?? "";
/** Nobody's id leaves it to the server: the own right first, then what somebody lent. */
export function actFor(request: string, giver: string) {
  if (giver) sessionStorage.setItem(placeOfChoice(request), giver);
  else sessionStorage.removeItem(placeOfChoice(request));
}
const headersFor = (request: string): Record<string, string> => {
  const giver = chosenFor(request);
  return giver ? { "Gatehouse-On-Behalf-Of": giver } : {};
};

let onLapsed: ((request: string, problem: Problem) => void) | undefined;

/** `tell` is called when what was lent has ended; the choice is forgotten by then. */
export function whenLapsed(tell: (request: string, problem: Problem) => void) {
  onLapsed = tell;
}

/** Makes a call about a request for the person that was chosen. */
async function callFor<T>(request: string, run: (headers: Record<string, string>) => Promise<T>): Promise<T> {
  try {
    return await call(() => run(headersFor(request)));
  } catch (err) {
    if (err instanceof Problem && err.fields.on_behalf_of) {
      actFor(request, "");
      onLapsed?.(request, err);
    }
    throw err;
  }
}
const sendFor = <T>(request: string, path: string, { headers, ...options }: SendOptions = {}) =>
  callFor(request, (given) => pb.send<T>(`/api/portal/${path}`, { ...options, headers: { ...headers, ...given } }));

// People

export const firm = () => send<Firm>("firm", {}, false);
export const me = () => send<Me>("me", {}, false);
export const refresh = () => call(() => pb.collection("users").authRefresh(), false);
export const requestCode = async (email: string) =>
  (await call(() => pb.collection("users").requestOTP(email), false)).otpId;
/** `mfaId` makes it the second step of a sign-in that has begun. */
export const signInWithCode = (otpId: string, code: string, mfaId = "") =>
  call(() => pb.collection("users").authWithOTP(otpId, code, mfaId ? { body: { mfaId } } : {}), false);
export const signInWithPassword = (email: string, password: string, mfaId = "") =>
  call(() => pb.collection("users").authWithPassword(email, password, mfaId ? { body: { mfaId } } : {}), false);
/** A code of the authenticator app or a recovery code; an app that was just set up answers with recovery codes. */
export async function signInWithApp(mfaId: string, code: string): Promise<string[]> {
  const answer = await post<AuthAnswer & { meta?: { recovery_codes?: string[] } }>(
    "second-factor",
    { mfaId, code },
    false,
  );
  auth.keep(answer);
  return answer.meta?.recovery_codes ?? [];
}
export const setUpAtTheDoor = (mfaId: string) => post<AppOffer>("second-factor/setup", { mfaId }, false);
/** Ends the session on the server; whether or not that works, the browser forgets it afterwards. */
export const signOut = () => post<unknown>("sign-out", {}, false).catch(() => undefined);

/** A password, a code of the app, or a code of the mail that `otp_id` names. */
export const prove = (proof: { password?: string; code?: string; otp_id?: string }) => post<unknown>("prove", proof);

export const sessions = async () => (await send<{ items: Session[] }>("sessions")).items;
export const endSession = (id: string) => send<unknown>(`sessions/${id}`, { method: "DELETE" });
export const endOtherSessions = () => send<unknown>("sessions", { method: "DELETE" });
export const factor = () => send<Factor>("second-factor");
export const startApp = (password: string) => post<AppOffer>("second-factor/start", { password });
export const confirmApp = async (code: string) =>
  (await post<{ recovery_codes: string[] }>("second-factor/confirm", { code })).recovery_codes;
export const newRecoveryCodes = async (password: string) =>
  (await post<{ recovery_codes: string[] }>("second-factor/recovery", { password })).recovery_codes;
export const removeApp = (code: string) => post<unknown>("second-factor/remove", { code });

/** How somebody who is signed in shows to be the same person still: one of these. */
export interface Proof {
  password?: string;
  code?: string;
  /** Names the mail that `code` came with. */
  otp_id?: string;
  passkey?: object;
}
export const startPasskeySignIn = (mfaId: string) =>
  post<PublicKeyCredentialRequestOptionsJSON>(
    "passkeys/sign-in/start",
    mfaId ? { mfaId } : { collection: "users" },
    false,
  );
/** The caller keeps the answer. */
export const signInWithPasskey = (credential: object) => post<AuthAnswer>("passkeys/sign-in", { credential }, false);
export const passkeys = () => send<Passkeys>("passkeys");
export const startPasskey = (proof: Proof) => post<PublicKeyCredentialCreationOptionsJSON>("passkeys/start", proof);
export const addPasskey = (credential: object, name: string) => post<unknown>("passkeys", { credential, name });
export const provePasskey = () => post<PublicKeyCredentialRequestOptionsJSON>("passkeys/prove", {});
export const renamePasskey = (id: string, name: string) =>
  send<unknown>(`passkeys/${id}`, { method: "PATCH", body: { name } });
export const removePasskey = (id: string, proof: Proof) => post<unknown>(`passkeys/${id}/remove`, proof);

export const saveProfile = (changes: { name?: string; locale?: string; timezone?: string }) =>
  call(() => pb.collection("users").update(auth.userId, changes));
/** Every other device is signed out by it; this one goes on with a new token. */
export const savePassword = async (old: string, password: string) =>
  auth.keep(await post<AuthAnswer>("password", { old, password }));

export const lookAtInvitation = (token: string) => post<Invitation>("invitations/look", { token }, false);
/** Somebody who had an account before signs in with it: a link alone opens no account in use. */
export const acceptInvitation = (body: { token: string; name?: string; password?: string }) =>
  post<AuthAnswer | { sign_in: true; email: string }>("invitations/accept", body, false);
export const renewInvitation = (token: string) => post<unknown>("invitations/renew", { token }, false);
export const lookAtSetup = (token: string) => post<unknown>("setup/look", { token }, false);
export const setUp = (body: { token: string; firm: string; name: string; email: string; password: string }) =>
  post<AuthAnswer>("setup", body, false);

export const demo = () => send<{ firm: string; personas: Persona[] }>("demo", {}, false);
export const enterDemo = (persona: string) => post<AuthAnswer & { go: string }>("demo/enter", { persona }, false);
export const emptyDemo = () => post<{ link: string }>("demo/empty", {}, false);
export const isReady = async () => (await fetch("/readyz").catch(() => undefined))?.ok ?? false;

// The team, and who acts for whom

export const team = (organization: string) => send<Team>("team", { query: { organization } });
export const changeMember = (membership: string, body: { role?: string; duties?: string[]; status?: string }) =>
  send<unknown>(`team/${membership}`, { method: "PATCH", body });
export const removeMember = (membership: string, hand_over: string) =>
  post<Gone>(`team/${membership}/remove`, { hand_over });
export const invite = (body: { email: string; name: string; organization: string; role: string; duties: string[] }) =>
  post<unknown>("invitations", body);
export const resendInvitation = (id: string) => post<unknown>(`invitations/${id}/resend`, {});
export const revokeInvitation = (id: string) => post<unknown>(`invitations/${id}/revoke`, {});
export const loans = () => send<Loans>("delegations");
export const lend = (body: {
  to?: string;
  email?: string;
  name?: string;
  organization: string;
  request?: string;
  powers: string[];
  ends: string;
  reason: string;
}) => post<{ delegation?: string; invitation?: string }>("delegations", body);
/** Ends what was lent, or withdraws the question whether somebody would act. */
export const endLoan = ({ id, invitation }: { id: string; invitation: string }) =>
  invitation ? revokeInvitation(invitation) : post<unknown>(`delegations/${id}/revoke`, {});
export const sharing = (request: string) => send<Sharing>(`requests/${request}/people`);
export const share = (request: string, participants: string[]) =>
  send<Sharing | undefined>(`requests/${request}/people`, { method: "PATCH", body: { participants } });
export const exclude = (request: string, user: string, reason: string) =>
  post<Sharing>(`requests/${request}/exclusions`, { user, reason });
export const readmit = (request: string, user: string) =>
  send<Sharing>(`requests/${request}/exclusions/${user}`, { method: "DELETE" });

// Requests

export const home = (organization: string) => send<Home>("home", { query: { organization } });
export const requests = (query: { show: Show; sort: Sort; organization: string; q: string; after: string }) =>
  send<{ items: Card[]; next: string }>("requests", { query });
export const request = (id: string) => sendFor<RequestView>(id, `requests/${encodeURIComponent(id)}`);
export const timeline = (id: string, page: number) =>
  send<Timeline>(`requests/${encodeURIComponent(id)}/timeline`, { query: { page, perPage: 20 } });
/** `was` is what the editor started from: where the server holds something else by now, it answers with both. */
export const saveFields = (id: string, data: Record<string, unknown>, was: Record<string, unknown>) =>
  sendFor<RequestView>(id, `requests/${id}`, { method: "PATCH", body: { data, was } });
export const saveItem = (
  request: string,
  id: string,
  body: { answers: Record<string, unknown>; was: Record<string, unknown> } | { none: boolean } | Decision,
) => sendFor<RequestView>(request, `items/${id}`, { method: "PATCH", body });
export const useAgain = (request: string, id: string, document: string) =>
  sendFor<RequestView>(request, `items/${id}/reuse`, { method: "POST", body: { document } });
export const transition = (id: string, body: Record<string, unknown>, idempotencyKey: string) =>
  sendFor<RequestView>(id, `requests/${id}/transition`, {
    method: "POST",
    body,
    headers: { "Idempotency-Key": idempotencyKey },
  });

// Records

const MESSAGE_FIELDS = "id,request,author_user,author_name,body,created";

export const messages = (request: string) =>
  call(() =>
    pb.collection<Message>("messages").getFullList({
      filter: pb.filter("request = {:request}", { request }),
      sort: "created",
      fields: MESSAGE_FIELDS,
    }),
  );
export const latestMessages = async () =>
  (await call(() => pb.collection<Message>("messages").getList(1, 200, { sort: "-created", fields: MESSAGE_FIELDS })))
    .items;
export const sendMessage = (request: string, body: string) =>
  callFor(request, (headers) => pb.collection<Message>("messages").create({ request, body }, { headers }));

export interface RequestName {
  id: string;
  title: string;
  number: string;
  organization: string;
}
export const requestNames = async () =>
  (
    await call(() =>
      pb
        .collection<RequestName>("client_requests")
        .getList(1, 200, { sort: "-created", fields: "id,title,number,organization" }),
    )
  ).items;

/** A page of the documents that this person may see, newest first. */
export async function documents(query: { q: string; organization: string; page: number }) {
  const conditions: string[] = [];
  if (query.q) conditions.push(pb.filter("title ~ {:q}", { q: query.q }));
  if (query.organization) conditions.push(pb.filter("organization = {:o}", { o: query.organization }));
  const list = await call(() =>
    pb.collection("documents").getList(query.page, 30, { sort: "-created", filter: conditions.join(" && ") }),
  );
  return { items: list.items.map(toLibraryDoc), more: list.page < list.totalPages };
}

function toLibraryDoc(record: RecordModel): LibraryDoc {
  return {
    id: record.id,
    title: record.title,
    size: record.size,
    mime: record.mime,
    state: record.state,
    created: record.created,
    author_name: record.author_name,
    by_client: !record.uploader_staff,
    request: record.request,
    url: `/api/files/documents/${record.id}/${record.file}`,
  };
}

export interface Look {
  id: string;
  staff_name: string;
  created: string;
}
/** Who of the firm looked at the portal as this person, the newest first. */
export const looks = async () =>
  (
    await call(() =>
      pb.collection<Look>("viewings").getList(1, 20, { sort: "-created", fields: "id,staff_name,created" }),
    )
  ).items;

export const removeDocument = (request: string, id: string) =>
  callFor(request, (headers) => pb.collection("documents").delete(id, { headers }));

/** The address of a protected file, good for three minutes. */
export async function fileAddress(url: Doc["url"], download = false): Promise<string> {
  const token = viewing ? (await send<{ token: string }>("view-as/file")).token : await call(() => pb.files.getToken());
  return `${url}?token=${token}${download ? "&download=1" : ""}`;
}

/** Sends one file in one piece and tells how far it is; a broken line rejects with an "offline" Problem. */
export function sendFile(body: FormData, progress: (sent: number) => void, stop: AbortSignal): Promise<void> {
  return callFor(
    String(body.get("request")),
    (headers) =>
      new Promise<void>((resolve, reject) => {
        const xhr = new XMLHttpRequest();
        xhr.open("POST", "/api/collections/documents/records");
        xhr.setRequestHeader("Authorization", pb.authStore.token);
        for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
        xhr.responseType = "json";
        xhr.upload.onprogress = (event) => progress(event.loaded);
        xhr.onload = () => (xhr.status < 300 ? resolve() : reject(problemFrom(xhr.status, xhr.response)));
        xhr.onerror = xhr.ontimeout = () => reject(problemFrom(0, null));
        xhr.onabort = () => reject(new Problem("refused", ""));
        stop.addEventListener("abort", () => xhr.abort());
        xhr.send(body);
      }),
  );
}

/** Calls back when something that this person may see has changed, and after the line was away. */
export async function live(changed: (request: string) => void): Promise<void> {
  if (viewing) return;
  let watch: ReturnType<typeof setInterval> | undefined;
  // What happens while the line is away is not told later: once it is back, everything shown is fetched again.
  pb.realtime.onDisconnect = (topics) => {
    if (!topics.length || watch) return;
    watch = setInterval(() => {
      if (!pb.realtime.isConnected) return;
      clearInterval(watch);
      watch = undefined;
      changed("");
    }, 1_000);
  };
  await pb.realtime.subscribe(`person/${auth.userId}`, (message: { request?: string; type?: string }) => {
    // Whose sign-in was ended gets no line any more: the page would knock for ever.
    if (message.type === "signed_out") void pb.realtime.unsubscribe();
    changed(message.request ?? "");
  });
}
