/** Compares an address with a pattern such as `/r/:id`; answers the parameters, or nothing. */
export function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const want = pattern.split("/");
  const have = path.replace(/(.)\/+$/, "$1").split("/");
  if (want.length !== have.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of want.entries()) {
    const value = have[i] ?? "";
    if (part.startsWith(":")) {
      const decoded = decode(value);
      if (!decoded) return undefined;
      params[part.slice(1)] = decoded;
    } else if (part !== value) return undefined;
  }
  return params;
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return ""; // A broken escape is no address of ours.
  }
}

/** Whether the address belongs to the portal, so that the page need not be loaded anew. */
export function isOurs(path: string): boolean {
  return !/^\/(_|api|staff|assets|healthz|readyz)(\/|$)/.test(path);
}

/** Where to go after signing in: only an address of the portal itself. */
export function safeReturn(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) && isOurs(next) && !next.startsWith("/sign-in") ? next : "/";
}
