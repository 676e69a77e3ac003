import type { IconName } from "./Icon.svelte";

interface Part {
  href: string;
  key: "nav.home" | "nav.requests" | "nav.documents" | "nav.messages";
  icon: IconName;
  at: (path: string) => boolean;
}

/** The four parts of the portal, in the header and in the bar at the bottom of a phone. */
export const sections: Part[] = [
  { href: "/", key: "nav.home", icon: "home", at: (path) => path === "/" },
  { href: "/requests", key: "nav.requests", icon: "requests", at: (path) => /^\/(requests|r)(\/|$)/.test(path) },
  { href: "/documents", key: "nav.documents", icon: "documents", at: (path) => path === "/documents" },
  { href: "/messages", key: "nav.messages", icon: "messages", at: (path) => path === "/messages" },
];
