/** The browser's storage, in memory. */
export function memory(): Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length"> {
  const map = new Map<string, string>();
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
    key: (i) => [...map.keys()][i] ?? null,
    get length() {
      return map.size;
    },
  };
}
