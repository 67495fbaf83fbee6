//! Legacy sessions: who a session belongs to, its leg to Intercom, what is under way in it.
//!
//! A session's id is 256 random bits, and it is bound to the credential that opened it: with any
//! other credential it does not exist (404). Request ids of clients are kept per session and are
//! never used towards Intercom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use super::core_tasks::CoreTasks;
use super::streams::{GENERAL, Streams};
use crate::domain::{ClientHint, Digest, HoldId, Principal, Revision};
use crate::identity::Authenticated;
use crate::mcp::era::Capabilities;
use crate::mcp::message::{RequestId, ResponseBody};
use crate::store;
use crate::upstream::Leg;

/// Sessions that nobody used for so long are forgotten.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// The most questions of the server that may be open in one session.
const OPEN_QUESTIONS: usize = 64;

/// All sessions.
pub(super) struct Sessions {
    map: Mutex<HashMap<String, Arc<Session>>>,
    per_principal: usize,
}

/// One legacy session.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) credential: Digest,
    pub(super) principal: Arc<Principal>,
    pub(super) revision: Revision,
    pub(super) client: ClientHint,
    pub(super) capabilities: Capabilities,
    pub(super) leg: Arc<Leg>,
    pub(super) tasks: CoreTasks,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    streams: Streams,
    running: HashMap<RequestId, Running>,
    asked: HashMap<RequestId, Asked>,
    next_question: i64,
    used: Option<Instant>,
    /// Whether a task carries Intercom's own messages to the general stream.
    carried: bool,
    ended: bool,
}

/// A request of the client that is under way.
pub(super) struct Running {
    cancel: watch::Sender<bool>,
    /// Our id of it at Intercom, once it was sent.
    pub(super) upstream_id: Option<RequestId>,
    /// Its hold, if it waits for a person.
    pub(super) hold: Option<HoldId>,
    /// The stream of its answer, if it has one by now.
    stream: Option<u64>,
}

/// A question that the client was asked.
#[derive(Debug)]
pub(super) enum Asked {
    /// By the server.
    Theirs {
        /// The server's id of it.
        upstream_id: RequestId,
        /// Our id of the exchange in which it was asked, if it was in one.
        exchange: Option<RequestId>,
        /// What was asked.
        method: String,
    },
    /// By Portcullis itself; where the answer goes.
    Ours(oneshot::Sender<ResponseBody>),
}

/// A stream that a client opened or resumed.
pub(super) struct Listening {
    pub(super) receiver: mpsc::Receiver<Bytes>,
    /// Whether somebody must start to carry Intercom's own messages to the general stream.
    pub(super) start: bool,
    /// The hold whose outcome the stream owed until now.
    pub(super) owed: Option<HoldId>,
}

/// What opens a session.
pub(super) struct NewSession {
    pub(super) revision: Revision,
    pub(super) client: ClientHint,
    pub(super) capabilities: Capabilities,
    pub(super) leg: Arc<Leg>,
}

impl Sessions {
    pub(super) fn new(per_principal: usize) -> Self {
        Self { map: Mutex::default(), per_principal }
    }

    /// Opens a session. A principal that has too many loses the one it has not used for longest, of
    /// those in which nothing is under way if there is one; it is ended and returned: most clients
    /// never end theirs.
    pub(super) fn open(
        &self,
        auth: &Authenticated,
        new: NewSession,
    ) -> Result<(Arc<Session>, Option<Arc<Session>>), store::SealError> {
        let id = URL_SAFE_NO_PAD.encode(store::random::<32>()?);
        let NewSession { revision, client, capabilities, leg } = new;
        let session = Arc::new(Session {
            id: id.clone(),
            credential: auth.credential,
            principal: auth.principal.clone(),
            revision,
            client,
            capabilities,
            leg,
            tasks: CoreTasks::default(),
            state: Mutex::new(State { used: Some(Instant::now()), ..State::default() }),
        });
        let mut map = self.lock();
        let mine: Vec<_> =
            map.values().filter(|other| other.principal.id == auth.principal.id).cloned().collect();
        let evicted = if mine.len() >= self.per_principal {
            mine.into_iter().min_by_key(|other| other.usage())
        } else {
            None
        };
        if let Some(evicted) = &evicted {
            map.remove(&evicted.id);
        }
        map.insert(id, session.clone());
        drop(map);
        if let Some(evicted) = &evicted {
            evicted.end();
        }
        Ok((session, evicted))
    }

    /// The session of an id, if the same credential opened it.
    pub(super) fn find(&self, id: &[u8], credential: &Digest) -> Option<Arc<Session>> {
        let session = self.lock().get(std::str::from_utf8(id).ok()?).cloned()?;
        if session.credential != *credential {
            return None;
        }
        session.state().used = Some(Instant::now());
        Some(session)
    }

    /// Ends a session.
    pub(super) fn remove(&self, session: &Session) {
        self.lock().remove(&session.id);
        session.end();
    }

    /// Ends and returns sessions that nobody uses, and lets go of what the others keep too long.
    pub(super) fn sweep(&self) -> Vec<Arc<Session>> {
        let all: Vec<Arc<Session>> = self.lock().values().cloned().collect();
        let (idle, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|session| {
            let (busy, used) = session.usage();
            !busy && used.is_none_or(|used| used.elapsed() > IDLE)
        });
        for session in &idle {
            self.lock().remove(&session.id);
            session.end();
        }
        for session in kept {
            session.streams(Streams::tidy);
        }
        idle
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Does something with the session's streams.
    pub(super) fn streams<T>(&self, act: impl FnOnce(&mut Streams) -> T) -> T {
        act(&mut self.state().streams)
    }

    /// Notes a request as under way; `false` if its id is already in use, for two requests under
    /// one id could not be told apart.
    pub(super) fn begin(&self, id: &RequestId) -> bool {
        let mut state = self.state();
        if state.running.contains_key(id) {
            return false;
        }
        let (cancel, _) = watch::channel(false);
        state
            .running
            .insert(id.clone(), Running { cancel, upstream_id: None, hold: None, stream: None });
        true
    }

    /// Opens the stream of the answers to requests under way; its number.
    pub(super) fn open_stream(
        &self,
        prime: bool,
        requests: &[RequestId],
    ) -> (u64, mpsc::Receiver<Bytes>) {
        let mut state = self.state();
        let (number, receiver) = state.streams.open(prime);
        for id in requests {
            if let Some(running) = state.running.get_mut(id) {
                running.stream = Some(number);
            }
        }
        (number, receiver)
    }

    /// Whether somebody reads the answer to a request, as far as can be told. If not, its stream owes
    /// the outcome of its hold to who resumes it.
    pub(super) fn has_reader(&self, id: &RequestId, hold: HoldId) -> bool {
        let mut state = self.state();
        let Some(number) = state.running.get(id).and_then(|running| running.stream) else {
            return true;
        };
        let has_reader = state.streams.has_reader(number);
        if !has_reader {
            state.streams.owe(number, hold);
        }
        has_reader
    }

    /// Changes what is known of a request under way.
    pub(super) fn running(&self, id: &RequestId, change: impl FnOnce(&mut Running)) {
        if let Some(running) = self.state().running.get_mut(id) {
            change(running);
        }
    }

    /// Notes that a request ended.
    pub(super) fn finish(&self, id: &RequestId) {
        self.state().running.remove(id);
    }

    /// Cancels a request under way; says what it was.
    pub(super) fn cancel(&self, id: &RequestId) -> Option<(Option<RequestId>, Option<HoldId>)> {
        let state = self.state();
        let running = state.running.get(id)?;
        running.cancel.send_replace(true);
        Some((running.upstream_id.clone(), running.hold))
    }

    /// Tells when a request under way is cancelled.
    pub(super) fn cancelled(&self, id: &RequestId) -> Option<watch::Receiver<bool>> {
        self.state().running.get(id).map(|running| running.cancel.subscribe())
    }

    /// Notes a question and gives it an id of ours; `None` if too many are open.
    pub(super) fn ask(&self, asked: Asked) -> Option<RequestId> {
        let mut state = self.state();
        if state.asked.len() >= OPEN_QUESTIONS {
            return None;
        }
        state.next_question += 1;
        let id = RequestId::from(format!("portcullis-{}", state.next_question).as_str());
        state.asked.insert(id.clone(), asked);
        Some(id)
    }

    /// Takes the question that an answer belongs to; each question is answered once.
    pub(super) fn answered(&self, id: &RequestId) -> Option<Asked> {
        self.state().asked.remove(id)
    }

    /// Our id of a question that the server withdraws.
    pub(super) fn withdrawn(&self, upstream_id: &RequestId) -> Option<RequestId> {
        let mut state = self.state();
        let is_it = |asked: &Asked| match asked {
            Asked::Theirs { upstream_id: theirs, .. } => theirs == upstream_id,
            Asked::Ours(_) => false,
        };
        let id = state.asked.iter().find(|(_, asked)| is_it(asked));
        let id = id.map(|(id, _)| id.clone())?;
        state.asked.remove(&id);
        Some(id)
    }

    /// Opens the general stream, or resumes the stream of an event. Also says whether the caller
    /// must start to carry Intercom's own messages to it. `None` if there is no such event.
    pub(super) fn listen(&self, last_event: Option<&str>) -> Option<Listening> {
        let mut state = self.state();
        let (receiver, owed) = match last_event {
            Some(event) => state.streams.resume(event)?,
            None => (state.streams.open_general(), None),
        };
        let start = !state.carried && !state.ended && state.streams.has_reader(GENERAL);
        state.carried |= start;
        Some(Listening { receiver, start, owed })
    }

    /// Whether the general stream must still be carried. After a no the next one to listen starts
    /// it again: both are decided under one lock, so that no listener is left without.
    pub(super) fn is_carried_on(&self) -> bool {
        let mut state = self.state();
        state.carried = !state.ended && state.streams.has_reader(GENERAL);
        state.carried
    }

    /// Ends the general stream, because the process ends.
    pub(super) fn stop_listening(&self) {
        let mut state = self.state();
        state.streams.finish(GENERAL);
        state.carried = false;
    }

    /// Drops the questions of an exchange that ended: nobody waits for their answers.
    pub(super) fn drop_questions(&self, exchange: &RequestId) {
        self.state().asked.retain(|_, asked| match asked {
            Asked::Theirs { exchange: theirs, .. } => theirs.as_ref() != Some(exchange),
            Asked::Ours(_) => true,
        });
    }

    /// Whether the session is over.
    pub(super) fn is_ended(&self) -> bool {
        self.state().ended
    }

    /// Ends the session: nobody takes answers in it any more. Calls that wait for a person leave
    /// their holds as they are, for an identical call in another session belongs to them too.
    fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        state.streams.clear();
        for running in state.running.values() {
            running.cancel.send_replace(true);
        }
    }

    /// Whether something is under way in the session, and when it was used last.
    fn usage(&self) -> (bool, Option<Instant>) {
        let state = self.state();
        (!state.running.is_empty() || state.streams.has_reader(GENERAL), state.used)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // INVARIANT: nothing that can panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
