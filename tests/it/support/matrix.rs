//! One body, many tests: both eras and both transports on both sides of the mux, and a few where the client comes over
//! another one.

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

/// Makes tests of each function that takes a [`Pairing`]: four for each pair of eras, and one or two with clients of
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
            }
        )+
    };
    (@fronts $body:ident, Legacy Legacy) => {
        $crate::support::matrix::matrix! { @pipes $body, Legacy Legacy, sse_to_stdio: Sse Stdio, }
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
        $crate::support::matrix::matrix! { @pipes $body, Modern Modern, websocket_to_stdio: WebSocket Stdio, }
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
