//! The program in a folder of its own, with an environment of its own; what it starts ends with the test.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::house::UNLIMITED;

/// A run that takes longer will not end. Other tests are running beside it.
const PATIENCE: Duration = Duration::from_secs(90);

/// A folder in which the program finds nothing that the test did not put there.
pub(crate) struct Home(tempfile::TempDir);

/// A run that is over.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A process, ended by its own id when it is dropped.
pub(crate) struct Started(Child);

/// A run that is not over yet.
pub(crate) struct Running {
    log: Receiver<String>,
    out: Receiver<String>,
    told: Vec<String>,
    program: Started,
}

/// A server that listens.
pub(crate) struct Serving {
    pub(crate) url: String,
    running: Running,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    /// Puts a file there, and the folders it is in.
    pub(crate) fn write(&self, below: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    fn command(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatkit-gateway"));
        command.args(arguments).current_dir(self.0.path()).env_clear();
        command.env("HOME", self.0.path());
        command.env("DATA_DIR", self.path("data")).env("OFFLINE_PACE_MS", "0").env("TITLES", "off");
        command.envs(UNLIMITED.map(|name| (name, "0")));
        command.envs(variables.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(&[], arguments)
    }

    /// The same with further variables.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut program = Started(self.command(variables, arguments).spawn().unwrap());
        let out = collected(program.0.stdout.take().unwrap());
        let err = collected(program.0.stderr.take().unwrap());
        let (out, err) = (out.recv_timeout(PATIENCE).unwrap(), err.recv_timeout(PATIENCE).unwrap());
        Ended { code: program.0.wait().unwrap().code(), out, err }
    }

    /// Runs the program for somebody who reads nothing of what it writes.
    pub(crate) fn run_unread(&self, arguments: &[&str]) -> Ended {
        let mut program = Started(self.command(&[], arguments).spawn().unwrap());
        drop(program.0.stdout.take());
        let err = collected(program.0.stderr.take().unwrap()).recv_timeout(PATIENCE).unwrap();
        Ended { code: program.0.wait().unwrap().code(), out: String::new(), err }
    }

    /// Starts the program.
    pub(crate) fn start(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Running {
        Running::of(self.command(variables, arguments))
    }

    /// Starts a server on a free port, and waits until it listens.
    pub(crate) fn serve(&self, variables: &[(&str, &str)]) -> Serving {
        Serving::of(self.command(variables, &["serve", "--port", "0"]))
    }

    /// The same for a server that may have no more than so many files and connections open.
    pub(crate) fn serve_with_files(&self, variables: &[(&str, &str)], files_max: u32) -> Serving {
        let program = self.command(variables, &["serve", "--port", "0"]);
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -n {files_max}; exec \"$0\" \"$@\"")]).arg(program.get_program());
        limited.args(program.get_args()).current_dir(self.0.path()).env_clear();
        limited.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        limited.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Serving::of(limited)
    }
}

/// What it writes to standard error, line by line.
fn lines(program: &mut Started) -> Receiver<String> {
    let (heard, log) = channel();
    let lines = BufReader::new(program.0.stderr.take().unwrap()).lines();
    thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| heard.send(line)));
    log
}

fn collected(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        let _ = send.send(String::from_utf8(bytes).expect("the program writes UTF-8"));
    });
    receive
}

impl Ended {
    /// It ended well; what it wrote to standard output.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.out
    }

    /// It ended badly, as a program should that knows why; what it said, which names these.
    #[track_caller]
    pub(crate) fn badly(self, named: &[&str]) -> String {
        assert_eq!(self.code, Some(1), "{self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        for name in named {
            assert!(self.err.contains(name), "{name:?} is not named: {self:#?}");
        }
        self.err
    }
}

impl Running {
    fn of(mut command: Command) -> Self {
        let mut program = Started(command.spawn().unwrap());
        let out = collected(program.0.stdout.take().unwrap());
        Self { log: lines(&mut program), out, told: Vec::new(), program }
    }

    /// Sends a signal by its name, as an operator would.
    pub(crate) fn signal(&self, name: &str) {
        self.program.signal(name);
    }

    /// Waits until it says this to standard error.
    #[track_caller]
    pub(crate) fn until_it_says(&mut self, words: &str) {
        while !self.told.last().is_some_and(|line| line.contains(words)) {
            let line = self.log.recv_timeout(PATIENCE);
            self.told.push(line.unwrap_or_else(|_| panic!("it does not say {words:?}: {:#?}", self.told)));
        }
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Ended {
        loop {
            match self.log.recv_timeout(PATIENCE) {
                Ok(line) => self.told.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("it goes on: {:#?}", self.told),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let out = self.out.recv_timeout(PATIENCE).unwrap();
        Ended { code: self.program.0.wait().unwrap().code(), out, err: self.told.join("\n") }
    }
}

impl Started {
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Serving {
    /// A server that listens.
    fn of(command: Command) -> Self {
        let mut running = Running::of(command);
        running.until_it_says("Listening on ");
        let (_, address) = running.told.last().unwrap().split_once("Listening on ").unwrap();
        let url = address.split(|c: char| c.is_whitespace() || c == '"').next().unwrap().to_owned();
        Self { url, running }
    }

    /// Waits until it says this to standard error.
    #[track_caller]
    pub(crate) fn until_it_says(&mut self, words: &str) {
        self.running.until_it_says(words);
    }

    pub(crate) fn port(&self) -> &str {
        self.url.rsplit(':').next().unwrap()
    }

    /// Sends a signal by its name, as an operator would.
    pub(crate) fn signal(&self, name: &str) {
        self.running.signal(name);
    }

    /// Tells it to stop, and gives all that it wrote from its beginning to its end.
    pub(crate) fn stopped(self) -> Ended {
        self.signal("TERM");
        self.running.ended()
    }

    /// Waits for its end, which must come within `most`.
    pub(crate) fn ended_within(self, most: Duration) -> ExitStatus {
        let mut running = self.running;
        let deadline = Instant::now() + most;
        loop {
            match running.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("it goes on"),
                Err(RecvTimeoutError::Disconnected) => return running.program.0.wait().unwrap(),
            }
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
