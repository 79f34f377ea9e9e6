//! Standard output and standard error.
//!
//! Owns: printing. A reader that went away (`dockeropt … | head`) is no error: the rest is left unprinted.

use crate::report::Palette;
use anyhow::Context;
use clap::ValueEnum;
use std::io::{BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless the environment variable NO_COLOR is set.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Colour {
    /// The colours for one output.
    pub(super) fn palette(self, output: &impl IsTerminal) -> Palette {
        Palette::new(match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
                output.is_terminal() && !set("NO_COLOR") && !dumb
            }
        })
    }
}

/// Standard output, locked once and buffered.
pub(super) struct Output {
    /// `None` once the reader is gone.
    writer: Option<BufWriter<StdoutLock<'static>>>,
}

impl Output {
    /// Takes standard output for as long as the value lives.
    pub(super) fn stdout() -> Self {
        Self { writer: Some(BufWriter::with_capacity(1 << 16, std::io::stdout().lock())) }
    }

    /// Prints `text`.
    pub(super) fn text(&mut self, text: &str) -> anyhow::Result<()> {
        self.write(|writer| writer.write_all(text.as_bytes()))
    }

    /// Prints what `text` on standard error belongs under, then `text`.
    pub(super) fn under(&mut self, text: &str) -> anyhow::Result<()> {
        if !text.is_empty() {
            self.finish()?;
            say(text);
        }
        Ok(())
    }

    /// Prints what is still in the buffer.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        self.write(Write::flush)
    }

    fn write(&mut self, action: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> std::io::Result<()>) -> anyhow::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        match action(writer) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.close();
                Ok(())
            }
            Err(error) => {
                self.close();
                Err(error).context("standard output can't be written")
            }
        }
    }

    /// Gives up what is still in the buffer, which dropping would try to write.
    fn close(&mut self) {
        if let Some(writer) = self.writer.take() {
            let _ = writer.into_parts();
        }
    }
}

/// Prints `text` on standard error.
pub(super) fn say(text: &str) {
    // Nobody is left to be told that standard error is closed.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints an error on standard error.
pub(super) fn error(error: &anyhow::Error) {
    say(&error_text(error, Palette::PLAIN));
}

/// An error as it is printed, with a line for each that it holds.
pub(super) fn error_text(error: &anyhow::Error, palette: Palette) -> String {
    let mark = palette.paint(crate::report::Ink::Bad, "error:");
    format!("{error:#}").lines().map(|line| format!("{mark} {line}\n")).collect()
}
