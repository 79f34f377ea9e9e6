//! Programs that people run after an install, and whether they read the project.
//!
//! Owns: that knowledge, and looking through the programs that run them (`npx`, `pnpm exec`, `cross-env`).
//! Never does: read a file.
//!
//! From: the sources and manuals of husky 4 to 9, patch-package 8, only-allow, is-ci, lefthook, simple-git-hooks.

/// What a command of a script does with the project.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// It reads nothing of it but package.json.
    Nothing,
    /// It sets up git hooks where it finds a repository.
    Git,
    /// It applies the patches in this folder.
    Patches(String),
    /// `prisma generate`, with the schema where one is named.
    Prisma(Option<String>),
    /// It runs these scripts.
    Scripts(Vec<String>),
    /// It may read anything.
    Unknown,
}

/// What the command does; `is_script` tells the scripts of the same package.json.
pub(crate) fn does(words: &[&str], is_script: &dyn Fn(&str) -> bool) -> Does {
    let Some((program, rest)) = words.split_first() else { return Does::Nothing };
    let program = program.rsplit_once("node_modules/.bin/").map_or(*program, |(_, name)| name);
    match (program, rest) {
        ("npx" | "pnpx" | "bunx", rest) => runner(rest, is_script),
        ("npm" | "pnpm" | "yarn" | "bun", ["exec" | "dlx" | "x", rest @ ..]) => runner(rest, is_script),
        ("npm" | "pnpm" | "yarn" | "bun" | "node", ["run" | "run-script" | "--run", rest @ ..]) => one_script(rest),
        ("run-s" | "run-p" | "npm-run-all", names) => match names.iter().all(|name| !name.starts_with('-') && is_script(name)) {
            true => Does::Scripts(names.iter().map(|name| (*name).to_owned()).collect()),
            false => Does::Unknown,
        },
        ("cross-env" | "env", rest) => {
            let command = rest.iter().position(|word| !word.contains('=')).unwrap_or(rest.len());
            does(rest.get(command..).unwrap_or_default(), is_script)
        }
        ("yarn" | "pnpm", [name, rest @ ..]) if !name.starts_with('-') => match (is_script(name), rest) {
            (true, []) => Does::Scripts(vec![(*name).to_owned()]),
            (true, _) => Does::Unknown,
            (false, _) => tool(name, rest),
        },
        ("node", ["-e" | "--eval" | "-p", text]) => javascript(text),
        (name, rest) => tool(name, rest),
    }
}

fn runner(words: &[&str], is_script: &dyn Fn(&str) -> bool) -> Does {
    let start = words.iter().position(|word| !word.starts_with('-')).unwrap_or(words.len());
    let options = words.get(..start).unwrap_or_default();
    let harmless = |word: &&str| matches!(*word, "--no-install" | "--no" | "--yes" | "-y" | "-q" | "--quiet" | "--" | "--silent");
    match words.get(start..) {
        Some([name, rest @ ..]) if options.iter().all(harmless) && !is_script(name) => tool(name, rest),
        _ => Does::Unknown,
    }
}

fn one_script(words: &[&str]) -> Does {
    let names: Vec<&&str> = words.iter().filter(|word| !matches!(**word, "-s" | "--silent" | "--if-present" | "-q")).collect();
    match names.as_slice() {
        [name] if !name.starts_with('-') => Does::Scripts(vec![(**name).to_owned()]),
        _ => Does::Unknown,
    }
}

fn tool(name: &str, rest: &[&str]) -> Does {
    // `only-allow@1.2.1`
    let name = match name.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => name.get(..at).unwrap_or(name),
        None => name,
    };
    match (name, rest) {
        ("husky", [] | ["install", ..]) | ("husky-init", []) => Does::Git,
        ("simple-git-hooks", []) | ("lefthook", ["install", ..]) | ("git", ["config", ..]) => Does::Git,
        (
            "echo"
            | "printf"
            | "true"
            | "false"
            | ":"
            | "exit"
            | "sleep"
            | "is-ci"
            | "is-ci-cli"
            | "is-in-ci"
            | "only-allow"
            | "in-publish"
            | "not-in-publish"
            | "in-install"
            | "not-in-install"
            | "if-env"
            | "opencollective"
            | "opencollective-postinstall",
            _,
        ) => Does::Nothing,
        ("corepack", ["enable", ..]) | ("ts-patch", ["install", ..]) | ("cypress", ["install"]) => Does::Nothing,
        ("playwright" | "playwright-core", ["install" | "install-deps", ..]) => Does::Nothing,
        ("patch-package", rest) => patches(rest),
        ("prisma", ["generate", rest @ ..]) => prisma(rest),
        _ => Does::Unknown,
    }
}

fn patches(options: &[&str]) -> Does {
    let mut folder = "patches";
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        match *option {
            "--patch-dir" => folder = rest.next().copied().unwrap_or_default(),
            "--error-on-fail" | "--error-on-warn" | "--partial" | "--use-yarn" => {}
            _ => return Does::Unknown,
        }
    }
    Does::Patches(folder.to_owned())
}

fn prisma(options: &[&str]) -> Does {
    let mut schema = None;
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        match (*option, option.strip_prefix("--schema=")) {
            (_, Some(path)) => schema = Some(path.to_owned()),
            ("--schema", _) => schema = rest.next().map(|path| (*path).to_owned()),
            ("--no-engine" | "--no-hints" | "--data-proxy" | "--accelerate" | "--sql", _) if *option != "--sql" => {}
            _ => return Does::Unknown,
        }
    }
    Does::Prisma(schema)
}

/// JavaScript that loads nothing but what is listed, and so has no files to read.
fn javascript(text: &str) -> Does {
    let mut git = false;
    for call in ["require(", "import(", "import "] {
        for (at, found) in text.match_indices(call) {
            let module = text.get(at + found.len()..).unwrap_or_default().trim_start_matches([' ', '\'', '"', '`']);
            let module: String = module.chars().take_while(|c| c.is_alphanumeric() || "-@/".contains(*c)).collect();
            match module.as_str() {
                "husky" => git = true,
                "is-ci" | "ci-info" | "os" => {}
                _ => return Does::Unknown,
            }
        }
    }
    let loads = ["getBuiltinModule", "mainModule", "process.binding", "eval(", "Function(", "require;", "require."];
    match (loads.iter().any(|word| text.contains(word)), git) {
        (true, _) => Does::Unknown,
        (false, true) => Does::Git,
        (false, false) => Does::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Does {
        does(&text.split(' ').collect::<Vec<_>>(), &|name| name == "build")
    }

    #[test]
    fn runners_are_looked_through() {
        assert_eq!(of("npx --no-install husky install"), Does::Git);
        assert_eq!(of("pnpm exec prisma generate"), Does::Prisma(None));
        assert_eq!(of("prisma generate --schema db/x.prisma"), Does::Prisma(Some("db/x.prisma".into())));
        assert_eq!(of("yarn build"), Does::Scripts(vec!["build".into()]));
        assert_eq!(of("yarn husky install"), Does::Git);
        assert_eq!(of("npm run -s build"), Does::Scripts(vec!["build".into()]));
        assert_eq!(of("npm run build -- --x"), Does::Unknown);
        assert_eq!(of("npx -p typescript tsc"), Does::Unknown);
        assert_eq!(of("patch-package --patch-dir fixes"), Does::Patches("fixes".into()));
        assert_eq!(of("patch-package left-pad"), Does::Unknown, "it makes a patch");
        assert_eq!(of("yarn"), Does::Unknown);
    }

    #[test]
    fn inline_javascript() {
        let of = |text: &str| does(&["node", "-e", text], &|_| false);
        assert_eq!(of("try { require('husky').install() } catch (e) { if (e.code !== 'MODULE_NOT_FOUND') throw e }"), Does::Git);
        assert_eq!(of("if (!process.env.CI) process.exit(0)"), Does::Nothing);
        assert_eq!(of("require('fs').readFileSync('x')"), Does::Unknown);
        assert_eq!(of("require('./setup')"), Does::Unknown);
    }
}
