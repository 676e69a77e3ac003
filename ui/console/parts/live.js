// @ts-check
// Live pings: one connection to PocketBase's realtime for the whole tab, one topic, many listeners.

/**
 * @param {object} wants
 * @param {() => string} wants.person   id of who is signed in, "" for nobody
 * @param {import("./api.js").Api} wants.api
 * @param {typeof EventSource} [wants.Source]
 */
export function makeLive({ person, api, Source = globalThis.EventSource }) {
    /** @type {Set<(change: {type: string, request?: string, revision?: number}) => void>} */
    const listeners = new Set();
    /** @type {EventSource | null} */
    let source = null;
    let topic = "";

    function open() {
        if (source || !person() || !Source) return;
        topic = `person/${person()}`;
        const mine = new Source("/api/realtime");
        source = mine;
        let known = false;
        mine.addEventListener("PB_CONNECT", async (event) => {
            const { clientId } = JSON.parse(event.data);
            try {
                await api.send("/api/realtime", {
                    method: "POST",
                    body: { clientId, subscriptions: [topic] },
                    quiet: true,
                });
            } catch {
                // Without live pings the pages still work; they show what was loaded last.
                return;
            }
            // What happened while the line was down was not told: everybody loads again.
            if (known) tell({ type: "changed" });
            known = true;
        });
        mine.addEventListener(topic, (event) => {
            try {
                tell(JSON.parse(event.data));
            } catch {
                tell({ type: "changed" });
            }
        });
    }

    function close() {
        source?.close();
        source = null;
    }

    /** @param {{type: string, request?: string, revision?: number}} change */
    function tell(change) {
        for (const listener of listeners) listener(change);
    }

    return {
        /**
         * @param {(change: {type: string, request?: string, revision?: number}) => void} listener
         * @param {AbortSignal} until
         */
        listen(listener, until) {
            if (until.aborted) return;
            listeners.add(listener);
            open();
            until.addEventListener("abort", () => {
                listeners.delete(listener);
                // The next page usually listens again at once; only a tab without listeners hangs up.
                setTimeout(() => listeners.size === 0 && close(), 2000);
            });
        },
        close,
    };
}
