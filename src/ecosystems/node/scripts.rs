//! Lifecycle scripts: the commands in a package.json that an install runs.
//!
//! Owns: splitting a script into commands, and following `npm run x` to the script it names.
//! Never does: know a tool; `tools` does.

use super::Manifest;
use super::reading::{Reading, join, needs_source, outwards};
use super::tools::{self, Does};
use crate::ecosystems::{Entangled, Found};
use crate::shell;

/// Scripts that call scripts go no deeper than this.
const DEPTH: usize = 6;

/// Adds what the scripts of these events read. `binding.gyp` counts as an install script.
///
/// # Errors
/// A script that may read the source.
pub(crate) fn read(reading: &mut Reading<'_>, manifest: &Manifest, events: &[&str]) -> Result<(), Entangled> {
    for event in events {
        if let Some(text) = manifest.script(event) {
            let whole = Script { manifest, event, text };
            commands(reading, &whole, text, DEPTH)?;
        }
    }
    let built = join(&manifest.folder, "binding.gyp");
    let by_itself = manifest.script("install").is_none() && manifest.script("preinstall").is_none();
    if by_itself && events.contains(&"install") && reading.is_file(&built) {
        return Err(needs_source(format!("{} has the install build a native module from the source", reading.name(&built))));
    }
    Ok(())
}

/// A command that takes these events' scripts out of the package.json of its work folder; `None` where there are none.
pub(crate) fn taken_out(manifest: &Manifest, events: &[&str]) -> Option<String> {
    let own: Vec<String> =
        events.iter().filter(|event| manifest.script(event).is_some()).map(|event| format!("scripts.{event}")).collect();
    (!own.is_empty()).then(|| format!("npm pkg delete {}", own.join(" ")))
}

/// Whether the install would run a script of any of these events, or build a native module.
pub(crate) fn has_any(reading: &Reading<'_>, manifest: &Manifest, events: &[&str]) -> bool {
    events.iter().any(|event| manifest.script(event).is_some()) || reading.is_file(&join(&manifest.folder, "binding.gyp"))
}

struct Script<'m> {
    manifest: &'m Manifest,
    event: &'m str,
    text: &'m str,
}

impl Script<'_> {
    fn refuse(&self, reading: &Reading<'_>, command: &str) -> Entangled {
        let place = self.manifest.place(reading, self.event);
        let runs = if command == self.text { String::new() } else { format!(" (`{command}`)") };
        needs_source(format!("{place}: the {} script `{}`{runs} may read the project's source", self.event, shorten(self.text)))
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}

fn commands(reading: &mut Reading<'_>, whole: &Script<'_>, text: &str, depth: usize) -> Result<(), Entangled> {
    let refuse = |reading: &Reading<'_>| whole.refuse(reading, text);
    let list = shell::parse(text).map_err(|_| refuse(reading))?;
    for (command, _) in list.simple_commands(false) {
        let writes = command.redirections.iter().filter_map(|redirection| redirection.target.as_ref()?.literal());
        if writes.into_iter().any(|target| target != "/dev/null" && !target.chars().all(|c| c.is_ascii_digit())) {
            return Err(refuse(reading));
        }
        let words: Vec<Option<String>> = command.words.iter().map(|word| word.literal()).collect();
        let raw: Vec<&str> = command.words.iter().map(|word| word.raw.as_str()).collect();
        // `[ -n "$CI" ]` looks at no file.
        if matches!(words.first(), Some(Some(program)) if program == "[" || program == "test") {
            if raw.iter().any(|word| matches!(*word, "-f" | "-d" | "-e" | "-r" | "-x" | "-s" | "-L" | "-nt" | "-ot")) {
                return Err(refuse(reading));
            }
            continue;
        }
        let Some(words) = words.into_iter().collect::<Option<Vec<String>>>() else { return Err(refuse(reading)) };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if words.is_empty() {
            continue;
        }
        one(reading, whole, &words, depth).map_err(|error| error.unwrap_or_else(|| whole.refuse(reading, &words.join(" "))))?;
    }
    Ok(())
}

/// `Err(None)`: the command itself is not known to be harmless.
fn one(reading: &mut Reading<'_>, whole: &Script<'_>, words: &[&str], depth: usize) -> Result<(), Option<Entangled>> {
    let manifest = whole.manifest;
    match tools::does(words, &|name| manifest.script(name).is_some()) {
        Does::Nothing => Ok(()),
        Does::Git => {
            hooks_into_git(reading, &manifest.folder);
            Ok(())
        }
        Does::Patches(folder) => {
            reading.optional_folder(&join(&manifest.folder, &folder));
            Ok(())
        }
        Does::Prisma(schema) => super::prisma::generates(reading, manifest, schema.as_deref()).map_err(Some),
        // What is no script may be a program: `yarn run tsc`.
        Does::Scripts(names) if depth > 0 && names.iter().all(|name| manifest.script(name).is_some()) => {
            for name in names {
                for part in [format!("pre{name}"), name.clone(), format!("post{name}")] {
                    if let Some(text) = manifest.script(&part) {
                        commands(reading, whole, text, depth - 1).map_err(Some)?;
                    }
                }
            }
            Ok(())
        }
        Does::Scripts(_) | Does::Unknown => Err(None),
    }
}

/// A tool that sets up git hooks does so only where it finds `.git`; without it, it says so and ends well.
pub(crate) fn hooks_into_git(reading: &mut Reading<'_>, folder: &str) {
    let git = outwards(folder)
        .map(|around| join(around, ".git"))
        .find(|git| matches!(reading.project().look(git), Found::File | Found::Folder));
    if let Some(git) = git {
        let name = reading.name(&git).to_owned();
        reading.doubt(format!(
            "git hooks are set up only where {name} is found, which is copied later; it belongs in the ignore file"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::Dependencies;
    use crate::ecosystems::testing::Files;

    fn run(scripts: &str, more: &[(&str, &str)]) -> Result<Dependencies, Entangled> {
        let text = format!("{{\n  \"scripts\": {{\n{scripts}\n  }}\n}}\n");
        let mut files = vec![("package.json", text.as_str())];
        files.extend(more);
        let project = Files::new(&files);
        let mut reading = Reading::new(&project, Files::ROOT);
        let manifest = Manifest::read(&mut reading, Files::ROOT, "x")?;
        read(&mut reading, &manifest, &["preinstall", "install", "postinstall", "prepare"])?;
        Ok(reading.finish())
    }

    #[test]
    fn harmless_scripts() {
        for script in [
            "husky",
            "husky install || true",
            "is-ci || husky install",
            "npx only-allow pnpm",
            "npx -y only-allow@1.2.1 yarn",
            "echo done > /dev/null 2>&1",
            "exit 0",
            "opencollective-postinstall || exit 0",
            "[ -n \"$CI\" ] || husky",
            "cross-env HUSKY=0 husky",
            "npx playwright install --with-deps chromium",
            "./node_modules/.bin/husky install",
        ] {
            let json = serde_json::to_string(script).unwrap();
            assert!(run(&format!("    \"prepare\": {json}"), &[]).is_ok(), "{script}");
        }
    }

    #[test]
    fn scripts_that_may_read_the_source() {
        for script in [
            "node scripts/setup.js",
            "tsc",
            "husky && npm run build",
            "svelte-kit sync || echo ''",
            "echo x > .env",
            "cd web && npm install",
            "[ -f x ] && husky",
            "sh $X",
            "$(cat x)",
            "husky add .husky/pre-commit 'npm test'",
        ] {
            let json = serde_json::to_string(script).unwrap();
            let result = run(&format!("    \"build\": \"tsc\",\n    \"postinstall\": {json}"), &[]);
            let because = result.map(|_| script).unwrap_err().to_string();
            assert!(because.starts_with("package.json:4: the postinstall script"), "{because}");
        }
    }

    #[test]
    fn scripts_of_scripts_and_patches() {
        let answer = run("\"postinstall\": \"npm run patch\", \"patch\": \"patch-package\"", &[("patches/x.patch", "")]).unwrap();
        assert_eq!(answer.folders, ["/app/patches"]);
        assert!(run("\"postinstall\": \"npm run a\", \"a\": \"npm run a\"", &[]).is_err(), "without an end");
        assert!(run("\"test\": \"node x.js\"", &[]).is_ok(), "no lifecycle script");
        assert!(run("\"test\": \"x\"", &[("binding.gyp", "")]).is_err());
    }

    #[test]
    fn git_hooks_are_a_doubt_only_with_git() {
        assert_eq!(run("\"prepare\": \"husky\"", &[]).unwrap().doubt, None);
        assert!(run("\"prepare\": \"husky\"", &[(".git/HEAD", "")]).unwrap().doubt.is_some());
    }
}
