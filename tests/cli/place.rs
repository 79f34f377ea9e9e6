//! A folder for one test, and the program in it.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A new folder that goes when the test is over.
pub struct Place {
    root: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("dockeropt-cli-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        Self { root: root.canonicalize().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file, its folders made where they are missing.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in the folder, hidden ones included.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(&self.root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program, in this folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
        command.args(arguments).current_dir(&self.root).env_remove("NO_COLOR").stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// The program as a user whom permissions stop. `root` becomes nobody, who then owns the folder.
    pub fn run_as_nobody(&self, arguments: &[&str]) -> Ran {
        const NOBODY: u32 = 65_534;
        if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
            return self.run(arguments);
        }
        // The folder that the program was built in may be closed to others. `cp`, since an open file of ours can't be run.
        let copy = self.path("program");
        self.must("cp", &[env!("CARGO_BIN_EXE_dockeropt"), copy.to_str().unwrap()], "");
        std::os::unix::fs::chown(&self.root, Some(NOBODY), Some(NOBODY)).unwrap();
        let mut command = Command::new(copy);
        Ran::of(command.args(arguments).current_dir(&self.root).stdin(Stdio::null()).uid(NOBODY).gid(NOBODY).output().unwrap())
    }

    /// Gives a file to nobody, if that can be done.
    pub fn give_away(&self, name: &str) -> &Self {
        let _ = std::os::unix::fs::chown(self.path(name), Some(65_534), Some(65_534));
        self
    }

    pub fn mode(&self, name: &str, mode: u32) -> &Self {
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(mode)).unwrap();
        self
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ran {
        run_with_input(&mut self.command(arguments), input)
    }

    /// Another program in this folder, which must succeed.
    pub fn must(&self, program: &str, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new(program);
        let ran = run_with_input(command.args(arguments).current_dir(&self.root), input.as_bytes());
        assert_eq!(ran.code, 0, "{program} {arguments:?}: {}{}\n{input}", ran.stdout, ran.stderr);
        ran.stdout
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

fn run_with_input(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // From another thread: a program may print before it has read everything.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran::of(output)
}

/// How a program ended and what it printed.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}")),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Asserts that each of `parts` is on standard error, and that nothing panicked.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "not said: {part}\nstderr: {}", self.stderr);
        }
        self
    }

    /// Asserts standard output.
    #[track_caller]
    pub fn prints(self, stdout: &str) -> Self {
        assert_eq!(self.stdout, stdout, "stderr: {}", self.stderr);
        self
    }
}
