import { isOurs } from "./match";

/** Where the person is. `moves` counts the changes of address, so that a heading knows it is a new page. */
export const place = $state({ path: location.pathname, search: location.search, hash: location.hash, moves: 0 });

let restore = 0;

export function go(address: string, options: { replace?: boolean } = {}) {
  const before = place.path;
  history.replaceState({ ...history.state, scroll: scrollY }, "");
  if (options.replace) history.replaceState({}, "", address);
  else history.pushState({}, "", address);
  read();
  restore = 0;
  if (place.path !== before) scrollTo(0, 0);
}

/** How far the page was scrolled when it was left; the page asks once its content stands. */
export function takeScroll(): number {
  const value = restore;
  restore = 0;
  return value;
}

function read() {
  if (place.path !== location.pathname) place.moves++;
  place.path = location.pathname;
  place.search = location.search;
  place.hash = location.hash;
}

export function startRouter() {
  history.scrollRestoration = "manual";
  addEventListener("popstate", (event) => {
    restore = (event.state as { scroll?: number } | null)?.scroll ?? 0;
    read();
  });
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (!isOurs(link.pathname) || link.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    go(link.pathname + link.search + link.hash);
  });
}
