import type { Component } from "svelte";

export type Params = Record<string, string>;

export interface Route {
  pattern: string;
  /** Who may open it: people who signed in, anybody, or only people who have not signed in. */
  for: "people" | "anybody";
  page: () => Promise<{ default: Component<never> }>;
}

const request = () => import("./pages/Request.svelte");

/** Every address of the portal. The first match wins. */
export const routes: Route[] = [
  { pattern: "/", for: "people", page: () => import("./pages/Home.svelte") },
  { pattern: "/requests", for: "people", page: () => import("./pages/Requests.svelte") },
  { pattern: "/r/:id", for: "people", page: request },
  { pattern: "/r/:id/messages", for: "people", page: request },
  { pattern: "/r/:id/history", for: "people", page: request },
  { pattern: "/r/:id/i/:key", for: "people", page: () => import("./pages/Item.svelte") },
  { pattern: "/r/:id/check", for: "people", page: () => import("./pages/Check.svelte") },
  { pattern: "/r/:id/sent", for: "people", page: () => import("./pages/Sent.svelte") },
  { pattern: "/documents", for: "people", page: () => import("./pages/Documents.svelte") },
  { pattern: "/messages", for: "people", page: () => import("./pages/Messages.svelte") },
  { pattern: "/team", for: "people", page: () => import("./pages/Team.svelte") },
  { pattern: "/settings/profile", for: "people", page: () => import("./pages/Profile.svelte") },
  { pattern: "/sign-in", for: "anybody", page: () => import("./pages/SignIn.svelte") },
  { pattern: "/invite/:token", for: "anybody", page: () => import("./pages/Invite.svelte") },
  { pattern: "/setup/:token", for: "anybody", page: () => import("./pages/Setup.svelte") },
  { pattern: "/demo", for: "anybody", page: () => import("./pages/Demo.svelte") },
];

export const notFound: Route = { pattern: "*", for: "anybody", page: () => import("./pages/NotFound.svelte") };
