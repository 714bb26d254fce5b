// Swagger UI with a bar that shows who is signed in. Every log-in on the page signs in, and the session is kept.
"use strict";

window.ui = (() => {
  const session = care4uSession;
  const SCHEME = "oauth2";
  let system;

  // Gives Swagger UI the access token of the session, or takes it away.
  function synchronise() {
    const current = session.current();
    const authorized = system.authSelectors.authorized();
    const token = authorized.getIn([SCHEME, "token", "access_token"]);
    if (current && token !== current.accessToken) {
      const schema = system.specSelectors.specJson().getIn(["components", "securitySchemes", SCHEME]);
      if (!schema) return;
      const username = current.user ? current.user.email : authorized.getIn([SCHEME, "username"], "");
      const auth = { ...authorized.get(SCHEME)?.toJS(), name: SCHEME, schema: schema.toJS(), flow: "password", username, password: "" };
      system.authActions.authorizeOauth2({ auth, token: { access_token: current.accessToken, token_type: "Bearer" } });
    } else if (!current && token) {
      system.authActions.logout([SCHEME]);
    }
  }

  const plugin = ({ React }) => {
    const h = React.createElement;

    function time(milliseconds) {
      const date = new Date(milliseconds);
      const sameDay = date.toDateString() === new Date().toDateString();
      return date.toLocaleString([], sameDay ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
    }

    function SignedIn({ current }) {
      const { user } = current;
      return h("p", null,
        "Signed in as ", h("strong", null, user ? user.name : "…"),
        user && h("span", { className: "session-email" }, ` ${user.email}`),
        user && h("span", { className: "session-role" }, user.role),
        h("span", { className: "session-until" }, " until ",
          h("time", { dateTime: new Date(current.endsAt).toISOString() }, time(current.endsAt))));
    }

    function SessionBar({ authActions, authSelectors }) {
      const current = React.useSyncExternalStore(session.subscribe, session.current);
      const notice = React.useSyncExternalStore(session.subscribe, session.notice);
      const signIn = () => authActions.showDefinitions(authSelectors.definitionsToAuthorize());
      return h("header", { className: "session-bar" },
        h("a", { className: "session-title", href: session.base + "/" }, "care4u"),
        current ? h(SignedIn, { current }) : h("p", null, "Not signed in"),
        h("p", { className: "session-notice", role: "status" }, notice),
        current
          ? h("button", { type: "button", className: "btn session-button", onClick: session.signOut }, "Sign out")
          : h("button", { type: "button", className: "btn session-button", onClick: signIn }, "Sign in"));
    }

    function PageLayout({ getComponent, authActions, authSelectors }) {
      const Layout = getComponent("BaseLayout", true);
      return h(React.Fragment, null, h(SessionBar, { authActions, authSelectors }), h(Layout));
    }

    // The dialog opens on the user name. By itself it would focus the field of the last scheme.
    const withFocus = (Popup) => (properties) => {
      React.useEffect(() => {
        const field = document.querySelector(".modal-ux #oauth_username");
        if (!field) return;
        field.setAttribute("type", "email");
        field.setAttribute("autocomplete", "username");
        document.querySelector(".modal-ux #oauth_password")?.setAttribute("autocomplete", "current-password");
        document.querySelector(".modal-ux .modal-ux-content")?.scrollTo(0, 0);
        field.focus();
      }, []);
      return h(Popup, properties);
    };

    return {
      components: { PageLayout },
      wrapComponents: { authorizationPopup: (Popup) => withFocus(Popup) },
      statePlugins: {
        auth: {
          wrapActions: {
            // A log-in with the Authorize dialog.
            authorizeOauth2: (original) => (payload) => {
              if (session.isPair(payload.token)) {
                session.adopt(payload.token);
              }
              return original(payload);
            },
            // A log-out with the Authorize dialog, or by `synchronise`.
            logout: (original) => (names) => {
              if (names.includes(SCHEME)) {
                session.signOut();
              }
              return original(names);
            },
          },
        },
      },
    };
  };

  // The document with the address of this page as its server, so that it works behind a proxy with a path prefix. The
  // policy of the page allows no requests to other origins.
  function withServer(document) {
    document.servers = [{ url: session.base }];
    const flow = document.components?.securitySchemes?.[SCHEME]?.flows?.password;
    if (flow) {
      const path = (address) => session.base + address.slice(address.lastIndexOf("/api/v1/"));
      flow.tokenUrl = path(flow.tokenUrl);
      flow.refreshUrl = path(flow.refreshUrl);
    }
    return document;
  }

  // Sends a request with the session's token only after it has been renewed, if it expires soon.
  async function beforeRequest(request) {
    const current = session.current();
    if (!request.loadSpec && current && request.headers?.Authorization === `Bearer ${current.accessToken}`) {
      const token = await session.fresh().catch(() => current.accessToken);
      if (token) {
        request.headers.Authorization = `Bearer ${token}`;
      }
    }
    return request;
  }

  // A log-in, a refresh or a log-out that was tried out on the page changes the session of the page, too.
  function afterResponse(response) {
    const path = response.url?.startsWith(session.base) ? response.url.slice(session.base.length).split("?")[0] : "";
    if (path === "/api/v1/auth/logout" && response.ok) {
      session.forget();
    } else if (path.startsWith("/api/v1/auth/") && response.ok && response.text?.startsWith("{")) {
      const body = JSON.parse(response.text);
      if (session.isPair(body)) {
        session.adopt(body);
      }
    } else if (response.status === 401 && !path.startsWith("/api/v1/auth/")) {
      session.check();
    }
    return response;
  }

  async function start() {
    const response = await fetch("../api-docs/openapi.json").catch(() => null);
    if (!response?.ok) {
      document.getElementById("swagger-ui").textContent = "The OpenAPI document cannot be loaded. Reload the page.";
      return;
    }
    const ui = SwaggerUIBundle({
      spec: withServer(await response.json()),
      dom_id: "#swagger-ui",
      deepLinking: true,
      tryItOutEnabled: true,
      defaultModelsExpandDepth: 0,
      presets: [SwaggerUIBundle.presets.apis],
      plugins: [plugin],
      layout: "PageLayout",
      requestInterceptor: beforeRequest,
      responseInterceptor: afterResponse,
      onComplete: () => {
        system = ui.getSystem();
        session.subscribe(synchronise);
        synchronise();
        session.fresh().catch(() => {});
      },
    });
    window.ui = ui;
  }

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const applyScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", applyScheme);
  applyScheme();
  start();
  return null;
})();
