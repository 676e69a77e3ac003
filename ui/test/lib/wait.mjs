// Waiting for a condition, never for a span of time.

const often = 25; // milliseconds between two looks

/**
 * Looks until `look` gives something true, and gives that. After `patience` milliseconds it throws a sentence
 * that says what was awaited; the patience only bounds a failing test, no passing test depends on it.
 * @template T
 * @param {string} what
 * @param {() => T | Promise<T>} look
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, look, patience = 30_000) {
  const end = Date.now() + patience;
  let last;
  for (;;) {
    try {
      const seen = await look();
      if (seen) return seen;
      last = undefined;
    } catch (err) {
      last = err;
    }
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`, { cause: last });
    await new Promise((next) => setTimeout(next, often));
  }
}
