//! rmcp's sessions, with one thing added: a handler can break off its own event stream.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{Stream, poll_fn};
use rmcp::model::{ClientJsonRpcMessage, GetExtensions as _, ServerJsonRpcMessage};
use rmcp::transport::WorkerTransport;
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionHandle, LocalSessionManager, LocalSessionManagerError, LocalSessionWorker,
    SessionError,
};
use rmcp::transport::streamable_http_server::session::{
    RestoreOutcome, ServerSseMessage, SessionId, SessionManager,
};

/// The event stream that carries the answer to one request.
#[derive(Clone)]
pub(crate) struct OpenStream {
    session: LocalSessionHandle,
    number: u64,
}

impl OpenStream {
    /// Ends the stream; what is sent afterwards waits for the client's `Last-Event-ID`.
    pub(crate) async fn break_off(&self, retry: Duration) -> Result<(), SessionError> {
        self.session
            .close_sse_stream(self.number, Some(retry))
            .await
    }
}

/// Puts an [`OpenStream`] into the extensions of each request.
#[derive(Default)]
pub(crate) struct ResumableSessions(LocalSessionManager);

type Found<T> = Result<T, LocalSessionManagerError>;

impl SessionManager for ResumableSessions {
    type Error = LocalSessionManagerError;
    type Transport = WorkerTransport<LocalSessionWorker>;

    async fn create_stream(
        &self,
        id: &SessionId,
        mut message: ClientJsonRpcMessage,
    ) -> Found<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static> {
        let session = self.0.sessions.read().await.get(id).cloned();
        let session =
            session.ok_or_else(|| LocalSessionManagerError::SessionNotFound(Arc::clone(id)))?;
        let mut receiver = session.establish_request_wise_channel().await?;
        let number = receiver.http_request_id;
        if let (ClientJsonRpcMessage::Request(request), Some(number)) = (&mut message, number) {
            let session = session.clone();
            request
                .request
                .extensions_mut()
                .insert(OpenStream { session, number });
        }
        session.push_message(message, number).await?;
        Ok(poll_fn(move |context| receiver.inner.poll_recv(context)))
    }

    async fn create_session(&self) -> Found<(SessionId, Self::Transport)> {
        self.0.create_session().await
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Found<ServerJsonRpcMessage> {
        self.0.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Found<bool> {
        self.0.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Found<()> {
        self.0.close_session(id).await
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Found<()> {
        self.0.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Found<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static> {
        self.0.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Found<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static> {
        self.0.resume(id, last_event_id).await
    }

    async fn restore_session(&self, id: SessionId) -> Found<RestoreOutcome<Self::Transport>> {
        self.0.restore_session(id).await
    }
}
