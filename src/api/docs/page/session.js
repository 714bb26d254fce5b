// Session of this tab: the token pair in sessionStorage, its refresh before it expires, and signing out.
"use strict";

const care4uSession = (() => {
  const STORAGE_KEY = "care4u.session";
  // Address of the service as the browser sees it, with the path prefix of a proxy, if there is one.
  const base = new URL("..", document.baseURI).href.replace(/\/$/, "");
  // Tabs that were duplicated have the same session. They tell each other the new token pair.
  const channel = "BroadcastChannel" in window ? new BroadcastChannel(STORAGE_KEY) : null;
  const listeners = new Set();
  let session = read();
  let notice = "";
  let timer;

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(STORAGE_KEY));
    } catch {
      return null;
    }
  }

  // Stores a session, or null, and tells everybody who shows or uses it.
  function store(next, text = "") {
    session = next;
    notice = text;
    if (next) {
      sessionStorage.setItem(STORAGE_KEY, JSON.stringify(next));
    } else {
      sessionStorage.removeItem(STORAGE_KEY);
    }
    schedule();
    listeners.forEach((listener) => listener());
  }

  // Claims of a token. They are read for their ids only; the service verifies tokens.
  function claims(token) {
    try {
      const payload = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
      return JSON.parse(atob(payload));
    } catch {
      return {};
    }
  }

  // Session of a token pair. Its times are those of the clock of the browser, which may differ from that of the service.
  function sessionOf(pair, user) {
    const now = Date.now();
    return {
      id: claims(pair.access_token).sid,
      accessToken: pair.access_token,
      refreshToken: pair.refresh_token,
      expiresAt: now + pair.expires_in * 1000,
      // The access token is renewed when a third of its time is left, at most a minute before it expires.
      renewAt: now + pair.expires_in * 1000 - Math.min(60_000, (pair.expires_in * 1000) / 3),
      endsAt: now + pair.refresh_expires_in * 1000,
      user,
    };
  }

  const isPair = (value) => Boolean(value && value.access_token && value.refresh_token && value.expires_in);

  // Takes a token pair over, from a log-in or from a refresh.
  async function adopt(pair) {
    if (session?.accessToken === pair.access_token) return;
    const next = sessionOf(pair, session && session.id === claims(pair.access_token).sid ? session.user : null);
    store(next);
    channel?.postMessage({ id: next.id, session: next });
    if (!next.user) {
      await loadUser();
    }
  }

  async function loadUser() {
    const { id } = session;
    const response = await send("/api/v1/users/me").catch(() => null);
    if (session?.id === id && response?.ok) {
      const { name, email, role } = await response.json();
      store({ ...session, user: { name, email, role } });
    }
  }

  function send(path, options = {}) {
    const headers = { ...options.headers, authorization: `Bearer ${session.accessToken}` };
    return fetch(base + path, { ...options, headers });
  }

  function schedule() {
    clearTimeout(timer);
    if (session) {
      // Longer timers than 24 days overflow.
      timer = setTimeout(() => fresh().catch(() => {}), Math.min(Math.max(session.renewAt - Date.now(), 0), 86_400_000));
    }
  }

  // One refresh at a time among the tabs of a session, where the browser has locks (it has them in secure contexts).
  let pending = null;
  function exclusively(operation) {
    if (navigator.locks) {
      return navigator.locks.request(`${STORAGE_KEY}.${session.id}`, operation);
    }
    pending = (pending ?? Promise.resolve()).then(operation, operation);
    return pending;
  }

  // The access token, renewed if it expires soon; null without a session.
  async function fresh() {
    if (session && Date.now() >= session.renewAt) {
      await exclusively(async () => {
        if (session && Date.now() >= session.renewAt) {
          await refresh();
        }
      });
    }
    return session && session.accessToken;
  }

  async function refresh() {
    let response;
    try {
      response = await fetch(`${base}/api/v1/auth/refresh`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ refresh_token: session.refreshToken }),
      });
    } catch (error) {
      retryLater("The service cannot be reached.");
      throw error;
    }
    if (response.ok) {
      await adopt(await response.json());
    } else if (response.status < 500 && response.status !== 429 && response.status !== 408) {
      channel?.postMessage({ id: session.id, session: null });
      store(null, "Your session has ended. Sign in again.");
    } else {
      retryLater("The service is unavailable.");
    }
  }

  function retryLater(text) {
    clearTimeout(timer);
    timer = setTimeout(() => fresh().catch(() => {}), 5_000);
    notice = text;
    listeners.forEach((listener) => listener());
  }

  // Checks a session whose access token the service has just rejected.
  async function check() {
    if (session) {
      store({ ...session, renewAt: 0 }, notice);
      await fresh().catch(() => {});
    }
  }

  // Ends the session. The service rejects both of its tokens from then on (RFC 7009).
  async function signOut() {
    if (!session) return;
    const { id, refreshToken } = session;
    const revocation = fetch(`${base}/api/v1/auth/revoke`, {
      method: "POST",
      body: new URLSearchParams({ token: refreshToken, token_type_hint: "refresh_token" }),
      keepalive: true,
    });
    channel?.postMessage({ id, session: null });
    store(null);
    const response = await revocation.catch(() => null);
    if (!response?.ok) {
      store(null, "The service did not answer: the session may still be active.");
    }
  }

  channel?.addEventListener("message", ({ data }) => {
    if (session && data.id === session.id) {
      store(data.session);
    }
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) schedule();
  });
  schedule();

  return {
    base,
    isPair,
    adopt,
    fresh,
    check,
    signOut,
    // Forgets a session that has ended by an operation of the page.
    forget: () => store(null),
    current: () => session,
    notice: () => notice,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
})();
