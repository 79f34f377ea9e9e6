//! Programs that are run, watched, and ended.
//!
//! Owns: a process group for each program, so that what it started ends with it; the time limit and ctrl-C. Never does: know an
//! engine.

use super::BuildError;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// How often a program that says nothing is looked after.
const TICK: Duration = Duration::from_millis(25);

/// What a program gets to end by itself after it was told to.
const PATIENCE: Duration = Duration::from_secs(5);

/// What removing something may take, after everything else is over.
const CLEANUP: Duration = Duration::from_secs(120);

/// The longest line of progress that is listened to, in bytes.
const LONGEST_LINE: u64 = 8 << 20;

/// The time that a program may take, and ctrl-C.
#[derive(Clone, Debug)]
pub struct Watch {
    limit: Option<Duration>,
    stopped: Arc<AtomicBool>,
}

impl Watch {
    /// Listens to ctrl-C and to the signal to end from now on; a second ctrl-C ends this program at once. `limit`: for each
    /// program that is run, not for all of them together.
    ///
    /// # Errors
    /// When the system takes no handler.
    pub fn listening(limit: Option<Duration>) -> Result<Self, BuildError> {
        let stopped = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stopped))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stopped)))
                .map_err(|source| BuildError::Io { doing: "ctrl-C can't be listened to".to_owned(), source })?;
        }
        Ok(Self { limit, stopped })
    }

    /// Without signals.
    pub fn deaf(limit: Option<Duration>) -> Self {
        Self { limit, stopped: Arc::default() }
    }

    /// The same with a limit that is no longer.
    pub fn at_most(&self, limit: Duration) -> Self {
        Self { limit: Some(self.limit.map_or(limit, |own| own.min(limit))), stopped: Arc::clone(&self.stopped) }
    }

    /// For taking away what was made, when the time is up or the user broke it off.
    pub(super) fn for_cleanup(&self) -> Self {
        Self::deaf(Some(CLEANUP))
    }

    /// Whether the user broke it off.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// What a program answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether its exit code was 0.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Answer {
    /// What it wrote, for people.
    pub fn words(&self) -> String {
        [self.stderr.trim(), self.stdout.trim()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// A program with its arguments.
#[derive(Clone, Debug)]
pub(super) struct Call {
    program: String,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
}

/// What a program said.
pub(super) enum Said {
    Out(Vec<u8>),
    Line(String),
}

/// A program at work; dropped, it is ended.
pub(super) struct Running {
    child: Child,
    said: Receiver<Said>,
    watch: Watch,
    started: Instant,
    what: String,
    ended: bool,
}

impl Call {
    pub(super) fn new(program: &str) -> Self {
        Self { program: program.to_owned(), arguments: Vec::new(), environment: Vec::new() }
    }

    pub(super) fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(super) fn environment(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// The command as a person would type its beginning.
    fn shown(&self) -> String {
        let words = self.arguments.iter().take(2).map(|word| word.to_string_lossy().into_owned());
        std::iter::once(self.program.clone()).chain(words).collect::<Vec<_>>().join(" ")
    }

    /// Starts it. Lines of standard error are told one by one, and of standard output too where `lines` is set.
    pub(super) fn start(&self, watch: &Watch, lines: bool) -> Result<Running, BuildError> {
        if watch.is_stopped() {
            return Err(BuildError::Interrupted);
        }
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => BuildError::NotFound { program: self.program.clone() },
            _ => BuildError::Io { doing: format!("{}: can't be run", self.program), source },
        })?;
        let (sender, said) = sync_channel(64);
        if let Some(stderr) = child.stderr.take() {
            let sender = sender.clone();
            std::thread::spawn(move || tell_lines(stderr, &sender));
        }
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || if lines { tell_lines(stdout, &sender) } else { tell_bytes(stdout, &sender) });
        }
        let (watch, what) = (watch.clone(), self.shown());
        Ok(Running { child, said, watch, started: Instant::now(), what, ended: false })
    }

    /// Runs it to its end and gives what it wrote.
    pub(super) fn answer(&self, watch: &Watch) -> Result<Answer, BuildError> {
        let mut running = self.start(watch, false)?;
        let (mut stdout, mut stderr) = (Vec::new(), String::new());
        while let Some(said) = running.next()? {
            match said {
                Said::Out(bytes) => stdout.extend(bytes),
                Said::Line(line) => stderr.push_str(&line),
            }
        }
        let success = running.end()?.success();
        Ok(Answer { success, stdout: String::from_utf8_lossy(&stdout).into_owned(), stderr })
    }

    /// The same where anything but success is an error.
    pub(super) fn must(&self, watch: &Watch) -> Result<String, BuildError> {
        let answer = self.answer(watch)?;
        if answer.success {
            return Ok(answer.stdout);
        }
        Err(self.failed(&answer.words()))
    }

    /// What its words mean after it failed.
    pub(super) fn failed(&self, words: &str) -> BuildError {
        BuildError::of_engine(words)
            .unwrap_or_else(|| BuildError::Command { command: self.shown(), words: words.trim().to_owned() })
    }
}

impl Running {
    /// What it says next; `None` when it has no more to say.
    pub(super) fn next(&mut self) -> Result<Option<Said>, BuildError> {
        loop {
            match self.said.recv_timeout(TICK) {
                Ok(said) => {
                    // A program that never stops talking is watched too.
                    self.check()?;
                    return Ok(Some(said));
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => self.check()?,
            }
        }
    }

    /// Waits until it has ended.
    pub(super) fn end(mut self) -> Result<ExitStatus, BuildError> {
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    self.ended = true;
                    return Ok(status);
                }
                Ok(None) => self.check()?,
                Err(source) => return Err(BuildError::Io { doing: format!("`{}`", self.what), source }),
            }
            std::thread::sleep(TICK);
        }
    }

    pub(super) fn time(&self) -> Duration {
        self.started.elapsed()
    }

    /// Ends it when the time is up or the user wants it.
    fn check(&mut self) -> Result<(), BuildError> {
        if self.watch.is_stopped() {
            self.kill();
            return Err(BuildError::Interrupted);
        }
        match self.watch.limit {
            Some(limit) if self.started.elapsed() > limit => {
                self.kill();
                Err(BuildError::TimedOut { limit, doing: format!("`{}`", self.what) })
            }
            _ => Ok(()),
        }
    }

    /// Tells it, and all that it started, to end; and ends it if it doesn't. What it still says is let go, so that a full pipe
    /// doesn't keep it.
    fn kill(&mut self) {
        self.signal(Ending::Asked);
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            while self.said.try_recv().is_ok() {}
            if let Ok(Some(_)) = self.child.try_wait() {
                break;
            }
            std::thread::sleep(TICK);
        }
        // Also where it has ended: what it started may not have.
        self.signal(Ending::Forced);
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.ended = true;
    }

    #[cfg(unix)]
    fn signal(&self, ending: Ending) {
        let signal = match ending {
            Ending::Asked => rustix::process::Signal::TERM,
            Ending::Forced => rustix::process::Signal::KILL,
        };
        // A group that is gone already is what is wanted.
        let _ = rustix::process::kill_process_group(rustix::process::Pid::from_child(&self.child), signal);
    }

    #[cfg(not(unix))]
    fn signal(&mut self, _: Ending) {
        let _ = self.child.kill();
    }
}

#[derive(Clone, Copy)]
enum Ending {
    Asked,
    Forced,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.kill();
        }
    }
}

fn tell_lines(from: impl Read, to: &SyncSender<Said>) {
    let mut reader = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        match reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if to.send(Said::Line(String::from_utf8_lossy(&line).into_owned())).is_err() => return,
            Ok(_) => {}
        }
    }
}

fn tell_bytes(mut from: impl Read, to: &SyncSender<Said>) {
    let mut buffer = vec![0; 1 << 18];
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default().to_vec();
                if to.send(Said::Out(bytes)).is_err() {
                    return;
                }
            }
        }
    }
}

/// Standard output of a program, as something to read from. Lines of standard error are kept aside.
pub(super) struct Output<'r> {
    running: &'r mut Running,
    bytes: Vec<u8>,
    at: usize,
    /// What it wrote on standard error.
    pub(super) stderr: String,
    /// Why reading ended before its time.
    pub(super) error: Option<BuildError>,
}

impl<'r> Output<'r> {
    pub(super) fn of(running: &'r mut Running) -> Self {
        Self { running, bytes: Vec::new(), at: 0, stderr: String::new(), error: None }
    }
}

impl Read for Output<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.at >= self.bytes.len() {
            match self.running.next() {
                Ok(Some(Said::Out(bytes))) => (self.bytes, self.at) = (bytes, 0),
                Ok(Some(Said::Line(line))) => self.stderr.push_str(&line),
                Ok(None) => return Ok(0),
                Err(error) => {
                    self.error = Some(error);
                    return Err(std::io::Error::other("broken off"));
                }
            }
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}
