// Runs inside the dashboard before it shows anything, inlined into a function: no static import, nothing awaited
// before the route stands, and nothing that may throw. Together with dashboard.js the only user of its globals.
try {
    const base = "/_/extensions/gatehouse/";
    const home = "#/gatehouse/queue";
    const records = "#/collections";
    const auth = app.pb.authStore;
    const isStaff = () => auth.record?.collectionName === "staff";
    const isValid = () => auth.isValid && !!auth.record?.id;

    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = base + "console.css";
    document.head.append(style);

    // What the dashboard loads for superusers holds nothing for staff, and would undo the firm's name and colour.
    for (const name of ["loadSettings", "loadOAuth2Providers"]) {
        const load = app.store[name];
        app.store[name] = (...args) => (isStaff() ? Promise.resolve() : load.apply(app.store, args));
    }

    // Those loads start as soon as the dashboard has renewed a sign-in that it finds, which may be before this script
    // runs. So a staff sign-in lies under a key of its own, and is put into the dashboard's store from here.
    const dashboardKey = auth.storageKey;
    if (!isValid()) {
        auth.storageKey = "gatehouse.staff";
        if (isValid() && isStaff()) app.store.superuser = auth.record;
        else auth.storageKey = dashboardKey;
    }

    const active =
        (...paths) =>
        () =>
            paths.filter((path) => app.utils.isActivePath("#/gatehouse/" + path)).length > 0;
    const links = [
        { href: home, icon: "ri-inbox-line", label: "Work queue", isActive: active("queue", "new", "request") },
        { href: "#/gatehouse/clients", icon: "ri-building-line", label: "Clients", isActive: active("client") },
        {
            href: "#/gatehouse/workflows",
            icon: "ri-flow-chart",
            label: "Workflows",
            isActive: active("workflows", "workflow", "runs", "run"),
        },
        {
            href: "#/gatehouse/firm",
            icon: "ri-team-line",
            label: "Firm",
            isActive: active("firm", "person", "programs"),
        },
        { href: "#/gatehouse/mail", icon: "ri-mail-line", label: "Mail", isActive: active("mail") },
        {
            href: records + "?collection=requests",
            icon: "ri-table-line",
            label: "Records",
            isActive: () => app.utils.isActivePath(records),
        },
        { href: "#/gatehouse/account", icon: "ri-user-line", label: "Account", isActive: active("account") },
    ];
    const repairLinks = app.store.headerLinks.slice();
    watch(() => {
        const staff = app.store.superuser?.collectionName === "staff";
        app.store.headerLinks = staff ? links : repairLinks;
        document.documentElement.dataset.ghKind = staff ? "staff" : "";
        // The server says of each collection whether this person ever makes a new record there.
        document.documentElement.dataset.ghCreates = staff ? String(!!app.store.activeCollection?.creates) : "";
    });

    // Staff have no business in the logs and settings, and nobody signs in there by accident. Records is PocketBase's
    // own list and editor; which collections there are is asked for when somebody first goes there.
    const elsewhere = () => {
        const hash = location.hash;
        const inRecords = hash.split("?")[0] === records;
        if (inRecords && isValid() && isStaff()) {
            if (app.store.collections.length === 0) app.store.loadCollections();
            import(base + "dashboard.js").then((adapter) => adapter.dress()).catch(() => {});
        }
        const ours = hash.startsWith("#/gatehouse/") || (inRecords && isStaff());
        if (isValid() && isStaff() && !ours) location.replace(home);
        else if (isValid() && !isStaff() && ours) location.replace("#/collections");
        else if (!isValid() && (hash === "" || hash === "#/")) location.replace("#/gatehouse/sign-in");
        // Whoever repairs the server signs in under the dashboard's own key, also after a staff sign-in that ended.
        if (!isValid() && hash.startsWith("#/login")) auth.storageKey = dashboardKey;
    };
    addEventListener("hashchange", elsewhere);

    // Registered after the dashboard's own listener, so this one has the last word on where a sign-out leads.
    auth.onChange((token, record) => {
        if (record) return;
        auth.storageKey = dashboardKey;
        location.replace("#/gatehouse/sign-in");
    });

    app.store.headerLogo = base + "mark.svg";
    app.routes.fallbackPath = home;
    app.routes.blank("#/gatehouse/{path...}", (route) => {
        const signIn = route.path.startsWith("#/gatehouse/sign-in");
        app.store.showHeader = isValid() && !signIn;
        return import(base + "dashboard.js").then(
            async (adapter) => {
                const page = await adapter.open(route.path);
                // Whoever went on to Records meanwhile is not called back.
                return location.hash.startsWith("#/gatehouse/") ? page : app.store.page;
            },
            (err) => {
                console.warn("The console could not be loaded:", err);
                const page = document.createElement("div");
                page.className = "page";
                page.textContent = "The console could not be opened. Reload the page.";
                return page;
            },
        );
    });
    elsewhere();
} catch (err) {
    console.warn("The console could not be started:", err);
}
