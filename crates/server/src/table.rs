//! The table of routes: what is served, to whom, and what each route does and says. Everything else that lists routes (the
//! router itself, `docs/ROUTES.md`, `openapi.json`, the sweep of the tests) is made from it.

use crate::passage::{self, Passage};
use crate::server::Server;
use crate::witness::{Guard, Guarded};
use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use security::Event;
use std::sync::Arc;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A body of JSON, unless the route says otherwise.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;

/// Where requests come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The browser's port: pages at `/`, the API below `/api`, cookies.
    Web,
    /// The port of DAP's clients: nothing but tokens.
    Dap,
    /// The unix socket: the operator.
    Socket,
}

/// Which doors a route stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All of them, below `/api` at the browser's.
    Everywhere,
    /// The browser's alone, at the path as it is written.
    Pages,
    /// The operator's alone: what the command line asks, in its own shape.
    Operator,
}

impl Reach {
    /// Returns the path of the route behind `door`, `None` when it is not there.
    pub(crate) fn path(self, door: Door, path: &str) -> Option<String> {
        match (self, door) {
            (Self::Everywhere, Door::Web) => Some(format!("/api{path}")),
            (Self::Everywhere, Door::Dap | Door::Socket)
            | (Self::Pages, Door::Web)
            | (Self::Operator, Door::Socket) => Some(path.to_owned()),
            (Self::Pages | Self::Operator, _) => None,
        }
    }
}

/// Which limit of requests holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// That of all requests.
    Api,
    /// That of signing in, which is much lower.
    Login,
    /// None: machines ask all the time.
    Free,
}

/// A type of JSON in the document.
pub(crate) type SchemaParts = (String, RefOr<Schema>, Vec<(String, RefOr<Schema>)>);

/// A route.
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub guard: Guard,
    pub reach: Reach,
    pub rate: Rate,
    pub tag: &'static str,
    pub summary: &'static str,
    /// What it writes into the audit log, beyond refusals.
    pub events: Vec<Event>,
    /// Whether it has a time limit of its own.
    pub is_slow: bool,
    /// Whether its work ends with its client: it changes nothing.
    pub is_droppable: bool,
    /// Whether those who may not use it may not know of it (DAP's admin routes).
    pub is_hidden: bool,
    pub body_bytes_max: usize,
    pub(crate) takes: Option<SchemaParts>,
    pub(crate) gives: Option<(u16, Option<SchemaParts>)>,
    pub(crate) parameters: Vec<(&'static str, &'static str)>,
}

impl Route {
    /// Says what it does, in a sentence, and with what it belongs.
    pub fn about(&mut self, tag: &'static str, summary: &'static str) -> &mut Self {
        (self.tag, self.summary) = (tag, summary);
        self
    }

    /// Names what it writes into the audit log.
    pub fn event(&mut self, event: Event) -> &mut Self {
        self.events.push(event);
        self
    }

    /// Puts it under the limit of signing in, or under none.
    pub fn rate(&mut self, rate: Rate) -> &mut Self {
        self.rate = rate;
        self
    }

    /// Leaves its time to itself: it has a limit of its own.
    pub fn slow(&mut self) -> &mut Self {
        self.is_slow = true;
        self
    }

    /// Ends its work when the client goes, although its method could change something.
    pub fn droppable(&mut self) -> &mut Self {
        self.is_droppable = true;
        self
    }

    /// Does its work to the end although its method is one that only reads.
    pub fn lasting(&mut self) -> &mut Self {
        self.is_droppable = false;
        self
    }

    /// Hides it from those who may not use it.
    pub fn hidden(&mut self) -> &mut Self {
        self.is_hidden = true;
        self
    }

    /// Puts it behind certain doors alone.
    pub fn reach(&mut self, reach: Reach) -> &mut Self {
        self.reach = reach;
        self
    }

    /// Lets bodies be so large.
    pub fn body_max(&mut self, bytes: usize) -> &mut Self {
        self.body_bytes_max = bytes;
        self
    }

    /// Names the type of its body.
    pub fn takes<T: ToSchema>(&mut self) -> &mut Self {
        self.takes = Some(parts::<T>());
        self
    }

    /// Names a parameter of its query, and what it is for.
    pub fn asks(&mut self, name: &'static str, about: &'static str) -> &mut Self {
        self.parameters.push((name, about));
        self
    }

    /// Names its answer: a status and a type.
    pub fn gives<T: ToSchema>(&mut self, status: u16) -> &mut Self {
        self.gives = Some((status, Some(parts::<T>())));
        self
    }

    /// Names its answer: one page of a list.
    pub(crate) fn gives_page<T: ToSchema>(&mut self) -> &mut Self {
        let (_, schema, mut others) = parts::<crate::routes::Page<T>>();
        others.push((T::name().into_owned(), <T as PartialSchema>::schema()));
        let name = format!("{}Page", T::name());
        self.gives = Some((200, Some((name, schema, others))));
        self
    }

    /// Names the status of an answer that is no JSON.
    pub fn answers(&mut self, status: u16) -> &mut Self {
        self.gives = Some((status, None));
        self
    }
}

fn parts<T: ToSchema>() -> SchemaParts {
    let mut others = Vec::new();
    T::schemas(&mut others);
    (
        T::name().into_owned(),
        <T as PartialSchema>::schema(),
        others,
    )
}

/// The table while it is filled.
#[derive(Default)]
pub struct Api {
    routes: Vec<(Route, MethodRouter<Server>)>,
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $method:literal, $filter:ident;)+) => {$(
        $(#[$doc])*
        pub fn $name<H, T>(&mut self, path: &'static str, handler: H) -> &mut Route
        where
            H: Handler<T, Server>,
            T: Guarded + 'static,
        {
            self.add($method, MethodFilter::$filter, path, handler)
        }
    )+};
}

impl Api {
    methods! {
        /// Adds a route for `GET`.
        get = "GET", GET;
        /// Adds a route for `POST`.
        post = "POST", POST;
        /// Adds a route for `PUT`.
        put = "PUT", PUT;
        /// Adds a route for `PATCH`.
        patch = "PATCH", PATCH;
        /// Adds a route for `DELETE`.
        delete = "DELETE", DELETE;
    }

    fn add<H, T>(
        &mut self,
        method: &'static str,
        filter: MethodFilter,
        path: &'static str,
        handler: H,
    ) -> &mut Route
    where
        H: Handler<T, Server>,
        T: Guarded + 'static,
    {
        let route = Route {
            method,
            path,
            guard: T::GUARD,
            reach: Reach::Everywhere,
            rate: Rate::Api,
            tag: "",
            summary: "",
            events: Vec::new(),
            is_slow: false,
            is_droppable: matches!(method, "GET"),
            is_hidden: false,
            body_bytes_max: BODY_BYTES_MAX,
            takes: None,
            gives: None,
            parameters: Vec::new(),
        };
        self.routes.push((route, on(filter, handler)));
        // It was pushed just now.
        let last = self.routes.len() - 1;
        &mut self.routes.get_mut(last).expect("a route was just added").0
    }

    /// Returns the finished table.
    pub fn finish(self) -> Table {
        let routes = self.routes.into_iter();
        Table {
            routes: routes
                .map(|(route, handler)| (Arc::new(route), handler))
                .collect(),
        }
    }
}

/// The table of routes.
pub struct Table {
    routes: Vec<(Arc<Route>, MethodRouter<Server>)>,
}

impl Table {
    /// Returns every route, in the order they were added.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|(route, _)| &**route)
    }

    /// Returns what answers behind `door`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that makes a router: from the table, each route behind its passage"
    )]
    pub(crate) fn router(&self, door: Door, server: &Server) -> Router {
        let mut router = Router::new();
        for (route, handler) in &self.routes {
            let Some(path) = route.reach.path(door, route.path) else {
                continue;
            };
            let state = Passage {
                server: server.clone(),
                route: Arc::clone(route),
                door,
            };
            let guarded = handler
                .clone()
                .route_layer(from_fn_with_state(state, passage::pass));
            router = router.route(&path, guarded);
        }
        router.with_state(server.clone())
    }
}
