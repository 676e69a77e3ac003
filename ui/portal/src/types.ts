/** The shapes that the server answers with; docs/api.md is the contract. */

export type Tone = "need" | "us" | "ok" | "bad" | "block" | "todo";
export type Turn = "client" | "staff" | "system" | "nobody";

export interface Firm {
  name: string;
  accent: string;
  logo: string;
  contact_email: string;
  demo: boolean;
  needs_setup: boolean;
  mail: "ready" | "none";
  timezone: string;
  locale: string;
  /** The origin at which passkeys work; empty where they cannot. */
  passkeys: string;
}

export interface Organization {
  id: string;
  name: string;
  role: string;
  role_text: string;
  needs: number;
  status: string;
  /** Of a delegate: until when, and for whom. */
  until?: string;
  acting_for?: string;
}

export interface Mate {
  membership: string;
  user: string;
  name: string;
  email: string; // empty for those who only look
  role: string;
  role_text: string;
  duties: string[];
  status: string;
  last_seen: string;
  you: boolean;
  last_admin: boolean;
}

export interface TeamInvitation {
  id: string;
  email: string;
  name: string;
  role: string;
  status: string;
  sent_count: number;
  expires: string;
  opened_at: string;
  accepted_at: string;
  invited_by_name: string;
}

export interface Loan {
  id: string;
  from: string;
  from_name: string;
  to: string;
  to_name: string;
  to_email: string;
  organization: string;
  organization_name: string;
  request: string;
  request_title: string;
  powers: string[];
  powers_text: string;
  starts: string;
  ends: string;
  reason: string;
  status: "live" | "planned" | "ended" | "revoked" | "asleep" | "invited";
  invitation: string;
  can_revoke: boolean;
}

export interface Team {
  organization: { id: string; name: string; status: string };
  can_manage: boolean;
  can_lend: boolean;
  why: string;
  roles: { role: string; text: string }[];
  duties: string[];
  lends: string[];
  people: Mate[];
  above: number;
  invitations: TeamInvitation[];
  units: { id: string; name: string; kind: string; status: string; people: number }[];
  delegations: Loan[];
}

export interface Loans {
  given: Loan[];
  received: Loan[];
}

export interface Gone {
  delegations: number;
  invitations: number;
  handed_over: { request: string; number: string; title: string; what: string }[];
  open: { request: string; number: string; title: string; what: string }[];
}

export interface Sharing {
  visibility: "organization" | "restricted";
  can_share: boolean;
  why: string;
  seen_by: string;
  revision: number;
  people: { id: string; name: string; takes_part: boolean; you: boolean }[];
  can_exclude: boolean;
  /** Who is kept away; empty for whoever may not know. */
  excluded: { id: string; name: string; reason: string; by: string; at: string }[];
  /** Whom this person may keep away. */
  others: { id: string; name: string }[];
}

/** A device that is signed in. */
export interface Session {
  id: string;
  device: string;
  ip: string;
  created: string;
  last_seen: string;
  current: boolean;
}

/** How the second step of the own sign-in stands. */
export interface Factor {
  app: boolean;
  since: string;
  recovery_left: number;
  required: boolean;
  by: "app" | "email" | "none";
}

export interface Passkey {
  id: string;
  name: string;
  created: string;
  /** Empty for one that was never used. */
  last_used: string;
  /** False for one that was made at an earlier address of the portal. */
  works: boolean;
}

export interface Passkeys {
  items: Passkey[];
  origin: string;
  /** Why there can be none, where `origin` is empty. */
  why: string;
}

/** What an authenticator app needs: to type, or as a picture to scan. */
export interface AppOffer {
  secret: string;
  uri: string;
  qr: string;
}

export interface Me {
  kind: "user" | "staff";
  id: string;
  name: string;
  email: string;
  locale: string;
  timezone: string;
  organizations: Organization[];
}

export interface Progress {
  total: number;
  ready: number;
  left: number;
  sent_back: number;
  checked: number;
  to_check: number;
}

export interface Card {
  id: string;
  number: string;
  title: string;
  organization: string;
  organization_name: string;
  state: string;
  label: string;
  category: string;
  turn: Turn;
  outcome: string;
  due: string;
  overdue: boolean;
  state_since: string;
  progress: Progress;
  tag: string;
  tone: Tone;
  tag_icon: string;
  line: string;
  button: string;
}

export interface Contact {
  id: string;
  name: string;
}

export interface Home {
  counts: { needs_you: number; with_us: number; finished: number };
  counts_at_most: number; // a count of so many was not counted further; 0: all are exact
  needs_you: Card[];
  with_us: Card[];
  finished: Card[];
  contact: Contact | null; // without a name when nobody is named
  since: { at: string; text: string; actor_name: string; request: string; request_title: string }[];
  last_visit: string;
}

export type Show = "needs_you" | "with_us" | "finished" | "all";
/** How a list is sorted; empty is its usual order. */
export type Sort = "" | "turn";

export type FieldType =
  | "text"
  | "long_text"
  | "number"
  | "money"
  | "bool"
  | "choice"
  | "multi_choice"
  | "date"
  | "month"
  | "month_day"
  | "list"
  | "people_list";

export interface Option {
  value: string;
  text: string;
}

export interface Person {
  id: string;
  name: string;
  email?: string;
  share?: number;
}

/** One question, wherever it stands: a field of the request, a line of a form, a detail of a file. */
export interface Question {
  key: string;
  label: string;
  type: FieldType;
  required: boolean;
  help: string;
  options: Option[];
}

export interface RequestField extends Question {
  value: unknown;
  editable: boolean;
  why: string;
}

export interface Doc {
  id: string;
  title: string;
  version: number;
  size: number;
  mime: string;
  state: "scanning" | "ready" | "quarantined";
  author_name: string;
  by_client: boolean;
  created: string;
  sha256: string;
  current: boolean;
  removable: boolean;
  url: string;
}

export interface Ask {
  accept: string[];
  max_mb: number;
  files_min: number;
  files_max: number;
  camera: boolean;
  allow_none: string;
  answer_type: "text" | "choice" | "date" | "number";
  choices: (string | Option)[];
  questions: Question[];
  text_title: string;
  text: string;
  metadata: { key: string; type: FieldType; label: string }[];
  /** Which kinds of answer a question takes, where it takes several; "file" among them offers an upload. */
  answer_types: string[];
  reject_reasons: { code: string; text: string }[];
}

/** A decision of somebody who reviews. `provided` takes it back while it was not sent. */
export interface Decision {
  status: "accepted" | "rejected" | "more_needed" | "provided";
  reason?: string;
  comment?: string;
}

/** Where several people decide on an item: how many have to, who decided what, and whose word is still in the way. */
export interface Review {
  role: string;
  count: number;
  needed: string;
  votes: Vote[];
  veto_open: boolean;
  mine: string;
}

export interface Vote {
  name: string;
  role: string;
  status: string;
  veto: boolean;
  comment: string;
  at: string;
}

export type ItemKind = "file" | "form" | "long_text" | "answer" | "acknowledge";
export type ItemStatus =
  "missing" | "provided" | "accepted" | "rejected" | "more_needed" | "waived" | "not_applicable" | "expired";

export interface Item {
  id: string;
  key: string;
  instance: string;
  title: string;
  hint: string;
  kind: ItemKind;
  status: ItemStatus;
  label: string;
  turn: Turn;
  required: boolean;
  editable: boolean;
  why: string;
  reason: string;
  reason_text: string;
  comment: string;
  /** How often it was sent back. */
  tries: number;
  /** Who gave it last, and who decided on it last as far as this person may know. */
  given: ByAt | null;
  decided: ByAt | null;
  due: string;
  answers: Record<string, unknown>;
  ask: Partial<Ask>;
  documents: Doc[];
  can_review?: boolean;
  review?: Review;
  /** What was given earlier, fits here, and can be used again without sending it. */
  reuse?: Earlier[];
  /** It was given, but what it refers to was opened again since; `why` says what. */
  stale?: boolean;
}

export interface ByAt {
  name: string; // empty where it was no person
  at: string;
}

/** What the portal does by itself when the time has come. */
export interface SelfStep {
  at: string;
  label: string;
}

export interface Earlier {
  id: string;
  title: string;
  size: number;
  author_name: string;
  mine: boolean;
  given: string;
  request_title: string;
}

export interface Section {
  key: string;
  title: string;
  provider: string;
  items: Item[];
}

export interface Blocker {
  code: string;
  message: string;
  item?: string;
  field?: string;
}

export interface Action {
  key: string;
  label: string;
  to: string;
  allowed: boolean;
  by: string[];
  confirm: boolean;
  primary: boolean;
  consequence: string;
  blockers: Blocker[];
  requires: { key: string; label: string; kind: "text" | "per_item" | "items" }[];
}

/** What the server lets this person see of a request; `actions` are the steps out of where it stands. */
/** Somebody for whom one may act. */
export interface Way {
  id: string;
  /** Empty for oneself. */
  name: string;
  /** Empty for oneself. */
  until: string;
  /** Whether this is the one who counts. */
  now: boolean;
}

export interface RequestView {
  id: string;
  number: string;
  title: string;
  organization: string;
  organization_name: string;
  state: string;
  label: string;
  category: string;
  outcome: string;
  turn: Turn;
  turn_text: string;
  turn_detail: string;
  due: string;
  state_since: string;
  revision: number;
  contact: Contact | null; // without a name when nobody is named
  progress: Progress;
  read_only: string;
  acting_for: string;
  acting_until?: string;
  /** Who of the client sees a restricted request, in words; empty where everybody of the organisation does. */
  seen_by: string;
  /** Whether this person may keep others away from the request. */
  can_exclude: boolean;
  /** Whether this person may let somebody else handle the request. */
  can_lend: boolean;
  /** Who handles it for this person, or was asked to. */
  handled_by: Loan[];
  /** For whom this person may act, where there is a choice. */
  acts_for: Way[];
  paused?: { until: string } | null;
  sections: Section[];
  fields: RequestField[];
  actions: Action[];
  by_itself: SelfStep[];
}

export interface TimelineEntry {
  id: string;
  at: string;
  kind: string;
  actor_name: string;
  on_behalf_of: string;
  text: string;
  detail: string;
}

export interface Timeline {
  summary: string;
  items: TimelineEntry[];
  page: number;
  perPage: number;
  totalItems: number;
}

export interface Message {
  id: string;
  request: string;
  author_user: string;
  author_name: string;
  body: string;
  created: string;
}

export interface LibraryDoc {
  id: string;
  title: string;
  size: number;
  mime: string;
  state: string;
  created: string;
  author_name: string;
  by_client: boolean;
  request: string;
  url: string;
}

export interface Invitation {
  status: "open" | "expired" | "accepted" | "revoked";
  firm: string;
  organization_name: string;
  invited_by_name: string;
  role_text: string;
  email: string;
  name: string;
  expires: string;
  has_account: boolean;
}

export interface Persona {
  key: string;
  name: string;
  title: string;
  text: string;
  kind: string;
}
