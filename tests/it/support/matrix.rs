//! One body, many tests: both eras, with stdio and HTTP, on both sides of the mux, and a few where one side is reached over
//! another transport.

use super::client::Connect;
use super::fake::{self, Fake};
use super::{Client, Era, FakeServer, Front, Mux, MuxTest, Pipe};

/// One cell of the matrix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pairing {
    pub(crate) client: Era,
    pub(crate) server: Era,
    pub(crate) front: Front,
    pub(crate) back: Pipe,
}

/// A client, a mux and a fake behind it under the name `a`; they end in this order.
pub(crate) struct Bench {
    pub(crate) client: Client,
    _mux: Mux,
    pub(crate) fake: FakeServer,
}

impl Pairing {
    /// A fake of the cell's era.
    pub(crate) fn fake(self) -> Fake {
        match self.server {
            Era::Legacy => fake::legacy(),
            Era::Modern => fake::modern(),
        }
    }

    /// Puts a mux before the fake and a client before the mux.
    #[track_caller]
    pub(crate) fn start(self, fake: Fake) -> Bench {
        self.start_with(fake, |mux| mux)
    }

    #[track_caller]
    pub(crate) fn start_with(self, fake: Fake, change: impl FnOnce(MuxTest) -> MuxTest) -> Bench {
        let fake = fake.over(self.back);
        let mux = change(MuxTest::new().upstream("a", &fake)).over(self.front);
        let client = mux.connect(Connect::new(self.client));
        Bench {
            client,
            _mux: mux,
            fake,
        }
    }

    /// Whether client and server are of one era, so that nothing needs to be translated.
    pub(crate) fn same_era(self) -> bool {
        self.client == self.server
    }
}

/// Makes tests of each function that takes a [`Pairing`]: four for each pair of eras, and a few with clients or servers of
/// other transports; only for the pairs in brackets, where only those make sense.
macro_rules! matrix {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                $crate::support::matrix::matrix! { @eras $name, [
                    legacy_to_legacy: Legacy Legacy,
                    legacy_to_modern: Legacy Modern,
                    modern_to_legacy: Modern Legacy,
                    modern_to_modern: Modern Modern,
                ] }
            }
        )+
    };
    (@eras $body:ident, [$($eras:ident: $client:ident $server:ident,)+]) => {
        $(
            mod $eras {
                $crate::support::matrix::matrix! { @pipes $body, $client $server,
                    stdio_to_stdio: Stdio Stdio,
                    stdio_to_http: Stdio Http,
                    http_to_stdio: Http Stdio,
                    http_to_http: Http Http,
                }
                $crate::support::matrix::matrix! { @fronts $body, $client $server }
                $crate::support::matrix::matrix! { @backs $body, $client $server }
            }
        )+
    };
    (@fronts $body:ident, Legacy Legacy) => {
        $crate::support::matrix::matrix! { @pipes $body, Legacy Legacy,
            sse_to_stdio: Sse Stdio,
            unix_to_http: Unix Http,
        }
    };
    (@fronts $body:ident, Legacy Modern) => {
        $crate::support::matrix::matrix! { @pipes $body, Legacy Modern,
            sse_to_http: Sse Http,
            websocket_to_stdio: WebSocket Stdio,
        }
    };
    (@fronts $body:ident, Modern Legacy) => {
        $crate::support::matrix::matrix! { @pipes $body, Modern Legacy, websocket_to_http: WebSocket Http, }
    };
    (@fronts $body:ident, Modern Modern) => {
        $crate::support::matrix::matrix! { @pipes $body, Modern Modern,
            websocket_to_stdio: WebSocket Stdio,
            unix_to_http: Unix Http,
        }
    };
    (@backs $body:ident, Legacy Legacy) => {
        $crate::support::matrix::matrix! { @pipes $body, Legacy Legacy,
            http_to_websocket: Http WebSocket,
            stdio_to_sse: Stdio Sse,
        }
    };
    (@backs $body:ident, Legacy Modern) => {
        $crate::support::matrix::matrix! { @pipes $body, Legacy Modern,
            stdio_to_websocket: Stdio WebSocket,
        }
    };
    (@backs $body:ident, Modern Legacy) => {
        $crate::support::matrix::matrix! { @pipes $body, Modern Legacy,
            stdio_to_websocket: Stdio WebSocket,
            http_to_sse: Http Sse,
        }
    };
    (@backs $body:ident, Modern Modern) => {
        $crate::support::matrix::matrix! { @pipes $body, Modern Modern,
            http_to_websocket: Http WebSocket,
        }
    };
    (@pipes $body:ident, $client:ident $server:ident,
        $($pipes:ident: $front:ident $back:ident,)+) => {
        $(
            #[test]
            fn $pipes() {
                use $crate::support::{Era, Front, Pairing, Pipe};

                super::super::$body(Pairing {
                    client: Era::$client,
                    server: Era::$server,
                    front: Front::$front,
                    back: Pipe::$back,
                });
            }
        )+
    };
    ($eras:tt $($name:ident),+ $(,)?) => {
        $(
            mod $name {
                $crate::support::matrix::matrix! { @eras $name, $eras }
            }
        )+
    };
}
pub(crate) use matrix;
