//! Asking a running mux on this machine.

use std::io;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::config::Listen;

use super::answer::{Answer, Refusal};
use super::service::{CONTROL, JSON, RELOAD, Wish};

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Why a running mux did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody is there.
    #[error("no mux answers at `{place}`: {source}")]
    Away {
        /// Where it was looked for.
        place: Listen,
        /// What the system says.
        source: io::Error,
    },
    /// Whoever answers there is not a mux that can be asked.
    #[error("what answers at `{place}` is not a mux that reads its files again ({why})")]
    Stranger {
        /// Where.
        place: Listen,
        /// What it answered.
        why: String,
    },
    /// It goes on as before.
    #[error("the mux goes on as before")]
    Refused(Refusal),
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Only to say what would be done.
    Dry,
    /// To do it.
    Real,
}

/// Has the mux at this place read its files again. Waits until it has followed them.
pub async fn reload(place: &Listen, run: Run) -> Result<(Answer, Bytes), ControlError> {
    let wish = Wish {
        dry_run: run == Run::Dry,
    };
    let body = serde_json::to_vec(&wish).unwrap_or_default();
    let away = |source| ControlError::Away {
        place: place.clone(),
        source,
    };
    let stranger = |why: String| ControlError::Stranger {
        place: place.clone(),
        why,
    };
    let answered = match place {
        Listen::Tcp(address) => {
            let stream = TcpStream::connect(address).await.map_err(away)?;
            post(stream, &address.to_string(), body).await
        }
        #[cfg(unix)]
        Listen::Unix(path) => {
            let stream = tokio::net::UnixStream::connect(path).await.map_err(away)?;
            post(stream, "localhost", body).await
        }
        #[cfg(not(unix))]
        Listen::Unix(_) => return Err(away(io::ErrorKind::Unsupported.into())),
    };
    let (status, body) = answered.map_err(stranger)?;
    let unlike = |error: serde_json::Error| stranger(error.to_string());
    match status {
        StatusCode::OK => {
            let answer = serde_json::from_slice(&body).map_err(unlike)?;
            Ok((answer, body))
        }
        StatusCode::UNPROCESSABLE_ENTITY => {
            let refusal = serde_json::from_slice(&body).map_err(unlike)?;
            Err(ControlError::Refused(refusal))
        }
        other => Err(stranger(format!("HTTP status {other}"))),
    }
}

async fn post<T>(stream: T, host: &str, body: Vec<u8>) -> Result<(StatusCode, Bytes), String>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let told = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(told)?;
    let request = Request::post(RELOAD)
        .header(HOST, host)
        .header(CONTENT_TYPE, JSON)
        .header(CONTROL, "1")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| error.to_string())?;
    let talk = async {
        let response = sender.send_request(request).await.map_err(told)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER)
            .collect()
            .await;
        let body = body.map_err(|error| error.to_string())?;
        Ok((status, body.to_bytes()))
    };
    tokio::pin!(talk);
    tokio::select! {
        answered = &mut talk => answered,
        ended = connection => {
            ended.map_err(told)?;
            talk.await
        }
    }
}
