// Session of this tab: the token pair in sessionStorage, its refresh before it expires, and signing out.
"use strict";

const care4uSession = (() => {
  // Address of the service as the browser sees it, with the path prefix of a proxy, if there is one.
  const base = new URL("..", document.baseURI).href.replace(/\/$/, "");
  // An origin may have several services, with different prefixes.
  const STORAGE_KEY = `care4u.session ${base}`;
  // Tabs that were duplicated have the same session. They tell each other the new token pair.
  const channel = "BroadcastChannel" in window ? new BroadcastChannel(STORAGE_KEY) : null;
  const UNREVOKED = "The service did not confirm that you signed out. Keep this page open: it tries again.";
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

  // Stores a session, or null, and notifies all that show or use it.
  function store(next, text = notice === UNREVOKED ? UNREVOKED : "") {
    session = next;
    notice = text;
    try {
      if (next) {
        sessionStorage.setItem(STORAGE_KEY, JSON.stringify(next));
      } else {
        sessionStorage.removeItem(STORAGE_KEY);
      }
    } catch {
      // The browser stores nothing: the session ends with a reload.
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
      lifetime: pair.expires_in * 1000,
      expiresAt: now + pair.expires_in * 1000,
      // The access token is renewed when a third of its time is left, at most a minute before it expires.
      renewAt: now + pair.expires_in * 1000 - Math.min(60_000, (pair.expires_in * 1000) / 3),
      endsAt: now + pair.refresh_expires_in * 1000,
      user,
    };
  }

  const isPair = (value) => Boolean(value && value.access_token && value.refresh_token && value.expires_in);

  // Takes a token pair over, from a log-in or from a refresh. A session that it replaces is ended.
  async function adopt(pair) {
    if (session?.accessToken === pair.access_token) return;
    const previous = session;
    const isSame = previous?.id === claims(pair.access_token).sid;
    const next = sessionOf(pair, isSame ? previous.user : null);
    store(next);
    channel?.postMessage({ id: next.id, session: next });
    if (previous && !isSame) {
      revoke(previous.refreshToken);
    }
    await loadUser();
  }

  // Name and role may have changed, so they are read after each refresh.
  async function loadUser() {
    if (!session) return;
    const { id, accessToken } = session;
    const response = await fetch(`${base}/api/v1/users/me`, { headers: { authorization: `Bearer ${accessToken}` } })
      .catch(() => null);
    if (session?.id === id && response?.ok) {
      const { name, email, role } = await response.json();
      store({ ...session, user: { name, email, role } }, notice);
    }
  }

  function schedule() {
    clearTimeout(timer);
    if (session) {
      // Longer timers than 24 days overflow, and the clock may be set back: the timer is checked when it fires.
      timer = setTimeout(renew, Math.min(Math.max(session.renewAt - Date.now(), 0), 86_400_000));
    }
  }

  async function renew() {
    if (session && session.expiresAt - Date.now() > session.lifetime) {
      // The clock was set back: the time of expiry is unknown.
      store({ ...session, renewAt: 0 }, notice);
    }
    await fresh().catch(() => {});
    if (session && Date.now() < session.renewAt) {
      schedule();
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
    const { id, refreshToken } = session;
    // The user may sign out, or as somebody else, while the answer is on its way.
    const isCurrent = () => session?.id === id && session.refreshToken === refreshToken;
    let response;
    try {
      response = await fetch(`${base}/api/v1/auth/refresh`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ refresh_token: refreshToken }),
      });
    } catch (error) {
      if (isCurrent()) retryLater("The service cannot be reached.");
      throw error;
    }
    const pair = response.ok ? await response.json() : null;
    if (!isCurrent()) {
      // The new pair belongs to a session that was left.
      if (pair) revoke(pair.refresh_token);
    } else if (pair) {
      await adopt(pair);
    } else if (response.status === 401 || response.status === 422) {
      channel?.postMessage({ id, session: null });
      store(null, "Your session has ended. Sign in again.");
    } else {
      retryLater("The service is unavailable.");
    }
  }

  function retryLater(text) {
    clearTimeout(timer);
    timer = setTimeout(renew, 5_000);
    show(text);
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
    channel?.postMessage({ id, session: null });
    store(null);
    await revoke(refreshToken);
  }

  // Revokes the session of a refresh token, and tries again if the service does not answer.
  async function revoke(refreshToken) {
    for (const seconds of [0, 1, 5, 30]) {
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      const response = await fetch(`${base}/api/v1/auth/revoke`, {
        method: "POST",
        body: new URLSearchParams({ token: refreshToken, token_type_hint: "refresh_token" }),
        keepalive: true,
      }).catch(() => null);
      if (response?.ok) {
        if (notice === UNREVOKED) show("");
        return;
      }
      show(UNREVOKED);
    }
  }

  function show(text) {
    notice = text;
    listeners.forEach((listener) => listener());
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
  if (session && !session.user) loadUser();

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
